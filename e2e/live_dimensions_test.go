//go:build integration

package e2e

import (
	"fmt"
	"strings"
)

// dimensionCases cast the values of dimensions, and sort rows by others before their time.
func dimensionCases() (all []liveCase) {
	values := []string{
		`1`, `"1"`, `" 5 "`, `"x"`, `""`, `null`, `1.5`, `"1.5"`, `-0.0`, `"-0.0"`, `true`, `false`, `"true"`, `[1]`, `[1,2]`, `["a","b"]`, `[]`, `[null]`, `[1,null]`, `[1.5,2]`,
		`["1","x"]`, `[true,false]`, `[true,"x"]`, `[true,1.5]`, `{"a":1}`, `{}`, `[{"a":1},{"b":2}]`, `"1e3"`, `9223372036854775807`, `1e300`, `"1_000"`, `"0x10"`, `"+7"`, `"1."`,
		`"\u65e5\u672c"`, `9007199254740993`, `-3.9`, `"[1,2]"`, `"1f"`, `"1L"`, `"null"`,
	}
	casts := []string{"STRING", "LONG", "double", "ARRAY<STRING>", "ARRAY<LONG>", "ARRAY<FLOAT>", "COMPLEX<json>", "ARRAY<ARRAY<LONG>>", "none"}
	var rows, dims []string
	for i, v := range values {
		fields := fmt.Sprintf(`"ts":"2026-03-01T00:00:00Z","i":%d`, i)
		for c := range casts {
			fields += fmt.Sprintf(`,"c%d":%s`, c, v)
		}
		rows = append(rows, "{"+fields+"}")
	}
	for c, name := range casts {
		dims = append(dims, fmt.Sprintf(`{"type":"auto","name":"c%d","castToType":"%s"}`, c, name))
	}
	schema := func(dims, more, rollup string) string {
		return `{"dataSchema":{"dimensionsSpec":{"dimensions":[` + dims + `]` + more + `},"metricsSpec":` + someMetrics + `,
			"granularitySpec":{"segmentGranularity":"DAY","queryGranularity":"HOUR","rollup":` + rollup + `}}}`
	}
	const time, word, page, force = `{"type":"long","name":"__time"}`, `{"type":"auto","name":"word","castToType":"STRING"}`, `"page"`, `,"forceSegmentSortByTime":false`
	return []liveCase{
		liveOf("casts", `{"dataSchema":{"dimensionsSpec":{"dimensions":[{"type":"long","name":"i"},`+strings.Join(dims, ",")+`]}}}`, texts(rows...)),
		liveOf("casts_first", `{"dataSchema":{"dimensionsSpec":{"dimensions":[`+strings.Join(dims[:6], ",")+`,{"type":"long","name":"i"}]}}}`, texts(rows...)),
		liveOf("time_second", schema(`"page",`+time+`,{"type":"double","name":"d"},`+word, force, "false"), liveRows(90)),
		liveOf("time_last", schema(`"page",`+word+`,{"type":"double","name":"d"},`+time, force, "false"), liveRows(90)),
		liveOf("time_unlisted", schema(word+`,"s","mv"`, force, "false"), liveRows(90)),
		liveOf("time_rollup", schema(`"flag",`+time+`,`+page, force, "true"), liveRows(150)),
		liveOf("time_first", schema(time+`,`+page, "", "true"), liveRows(90)),
		liveOf("time_discovery", schema(`"page",`+time, force+`,"useSchemaDiscovery":true`, "false"), liveRows(60)),
	}
}
