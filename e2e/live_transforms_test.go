//go:build integration

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// shapeCases have transforms of fields, of each other's names and of the time, into columns of every type.
func shapeCases() []liveCase {
	transforms := func(pairs ...string) string {
		var list []string
		for i := 0; i < len(pairs); i += 2 {
			expression, err := json.Marshal(pairs[i+1])
			if err != nil {
				panic(err) // it is a text
			}
			list = append(list, fmt.Sprintf(`{"type":"expression","name":%q,"expression":%s}`, pairs[i], expression))
		}
		return `"transforms":[` + strings.Join(list, ",") + `]`
	}
	// Each of these is stored as a column of every type.
	results := map[string]string{
		"text": "concat(word, s)", "number": "id * 2", "real": "id / 4.0", "digits": "cast(id, 'string')", "truth": "id > 40", "none": "nvl(l, null)",
		"texts": "mv", "longs": "nums", "doubles": "map((x) -> x / 2.0, nums)", "strings": "string_to_array(page, '/')", "one": "array(id)", "empty": "filter((x) -> x > 99, nums)",
		"nulls": "array(s, null, s)", "object": "json_object('k', id, 's', s)", "objects": "array(json_object('k', id), json_object('k', word))", "part": "json_query(doc, '$.b')",
		"leaf": "json_value(doc, '$.b.c')", "lists": "array(nums, nums)", "mixed": "json_query(doc, '$.l')", "parsed": `parse_json('{"a":[1,{"b":2}],"c":null}')`,
	}
	var stored []liveCase
	for _, kind := range []string{"string", "auto", "long", "double", "float", "json"} {
		var pairs, dims []string
		for _, name := range slices.Sorted(maps.Keys(results)) {
			if kind == "string" && name == "lists" {
				continue // addresses of Java objects in Druid
			}
			pairs = append(pairs, name, results[name])
			dims = append(dims, fmt.Sprintf(`{"type":%q,"name":%q}`, kind, name))
		}
		c := liveOf("shape_"+kind, `{"dataSchema":{"dimensionsSpec":{"dimensions":["id",`+strings.Join(dims, ",")+`]},
			"transformSpec":{`+transforms(pairs...)+`}}}`, liveRows(60))
		if kind == "long" || kind == "double" || kind == "float" {
			c.apart = []string{"one", "longs", "doubles"} // arrays of one element
		}
		stored = append(stored, c)
	}
	return append(stored,
		liveOf("transform_shadows", `{"dataSchema":{"dimensionsSpec":{"dimensions":[{"type":"long","name":"id"},"s","word","both",{"type":"string","name":"mv","multiValueHandling":"SORTED_SET"},
			{"type":"long","name":"l"},"never","made",{"type":"json","name":"doc"}]},
			"metricsSpec":[{"type":"count","name":"cnt"},{"type":"longSum","name":"made_sum","fieldName":"number"},{"type":"longSum","name":"id_sum","fieldName":"id"},
				{"type":"doubleSum","name":"d_sum","expression":"d * 2"},{"type":"stringLast","name":"last_s","fieldName":"s"},
				{"type":"filtered","filter":{"type":"selector","dimension":"made","value":"A"},"aggregator":{"type":"count","name":"made_a"}}],
			"transformSpec":{`+transforms("s", "upper(s)", "word", "concat(word, ':', s)", "both", "concat(s, made)", "mv", "map((x) -> concat(x, '!'), mv)", "l", "id + 1", "id", "l",
			"made", "s", "doc", "json_object('was', doc)", "number", "id * 10", "d", "1.25", "never", "missing")+`}}}`, liveRows(60)),
		liveOf("transform_of_time", `{"dataSchema":{"dimensionsSpec":{"dimensions":[{"type":"long","name":"id"},{"type":"long","name":"was"},"text"]},
			"granularitySpec":{"segmentGranularity":"DAY","queryGranularity":"HOUR","rollup":false},
			"transformSpec":{"filter":{"type":"interval","dimension":"__time","intervals":["2026-03-08/2026-03-15"]},
			`+transforms("__time", "timestamp_shift(__time, 'P1D', 7 + id % 3)", "was", "__time", "text", "timestamp_format(__time, 'yyyy-MM-dd')")+`}}}`, liveRows(60)),
		liveOf("transform_time_of_text", `{"dataSchema":{"dimensionsSpec":{"dimensions":[{"type":"long","name":"id"}]},"granularitySpec":{"segmentGranularity":"YEAR"},
			"transformSpec":{`+transforms("__time", "timestamp_parse(when)")+`}}}`, liveRows(60)),
		liveOf("transform_discovery", `{"dataSchema":{"dimensionsSpec":{"useSchemaDiscovery":true,"dimensionExclusions":["page"]},
			"transformSpec":{`+transforms("s", "upper(s)", "nums", "map((x) -> x * 2, nums)", "new", "id", "mix", "cast(id, 'string')")+`}}}`, liveRows(60)),
		liveOf("transform_discovery_string", `{"dataSchema":{"dimensionsSpec":{"dimensionExclusions":["page","doc","reals","nums"]},
			"transformSpec":{`+transforms("s", "upper(s)", "mv", "array_append(mv, 'z')", "new", "id")+`}}}`, liveRows(60)),
	)
}

// moreFilterCases count what filters let through that filterCases has not: other orderings, extraction functions, lists.
func moreFilterCases() []liveCase {
	filters := []string{
		`{"type":"bound","dimension":"word","lower":"w2","upper":"w10","ordering":"version"}`, `{"type":"bound","dimension":"page","lower":"/wiki/page_3","ordering":"alphanumeric"}`,
		`{"type":"bound","dimension":"d","lower":"0","upper":"2.5","upperStrict":true,"ordering":"version"}`, `{"type":"bound","dimension":"s","lower":"b","upper":"x","extractionFn":{"type":"lower"}}`,
		`{"type":"selector","dimension":"page","value":"4","extractionFn":{"type":"regex","expr":"Page_([0-9])"}}`, `{"type":"selector","dimension":"s","value":"none","extractionFn":{"type":"regex","expr":"(x)","replaceMissingValue":true,"replaceMissingValueWith":"none"}}`,
		`{"type":"selector","dimension":"s","value":"[null]","extractionFn":{"type":"stringFormat","format":"[%s]"}}`, `{"type":"in","dimension":"word","values":["X","w3"],"extractionFn":{"type":"lookup","lookup":{"type":"map","map":{"w1":"X","w2":"X"}},"retainMissingValue":true}}`,
		`{"type":"in","dimension":"s","values":["zz"],"extractionFn":{"type":"lookup","lookup":{"type":"map","map":{"a":"b"}},"replaceMissingValueWith":"zz"}}`, `{"type":"selector","dimension":"id","value":"20","extractionFn":{"type":"bucket","size":10}}`,
		`{"type":"selector","dimension":"s","value":"1","extractionFn":{"type":"strlen"}}`, `{"type":"like","dimension":"page","pattern":"PAGE%","extractionFn":{"type":"cascade","extractionFns":[{"type":"substring","index":6},{"type":"upper"}]}}`,
		`{"type":"selector","dimension":"__time","value":"02","extractionFn":{"type":"timeFormat","format":"HH"}}`, `{"type":"selector","dimension":"__time","value":"2026-03-01T01:00:00.000Z","extractionFn":{"type":"timeFormat","granularity":"hour"}}`,
		`{"type":"selector","dimension":"when","value":"2024","extractionFn":{"type":"time","timeFormat":"yyyy-MM-dd'T'HH:mm:ss.SSS'Z'","resultFormat":"yyyy","joda":true}}`, `{"type":"not","field":{"type":"selector","dimension":"s","value":"a","extractionFn":{"type":"partial","expr":"a"}}}`,
		`{"type":"search","dimension":"s","query":{"type":"contains","value":"\u00c4RGER"}}`, `{"type":"search","dimension":"page","query":{"type":"all"}}`, `{"type":"extraction","dimension":"s","value":"A","extractionFn":{"type":"upper"}}`,
		`{"type":"expression","expression":"mv == 'a'"}`, `{"type":"expression","expression":"strlen(mv) == 1"}`, `{"type":"expression","expression":"array_length(mv) == 2"}`, `{"type":"expression","expression":"isnull(mv)"}`,
		`{"type":"not","field":{"type":"expression","expression":"mv == 'a'"}}`, `{"type":"columnComparison","dimensions":["s",{"type":"extraction","dimension":"mv","outputName":"mv","extractionFn":{"type":"identity"}}]}`,
		`{"type":"columnComparison","dimensions":["s","word","sometimes"]}`, `{"type":"arrayContainsElement","column":"mv","elementMatchValueType":"STRING","elementMatchValue":"x"}`, `{"type":"equals","column":"flag","matchValueType":"STRING","matchValue":"true"}`,
		`{"type":"inType","column":"id","matchValueType":"DOUBLE","values":[1.0,2.5,7.0]}`, `{"type":"inType","column":"s","matchValueType":"STRING","values":["a",null]}`, `{"type":"range","column":"id","matchValueType":"LONG","lower":5,"upper":9,"lowerOpen":true}`,
		`{"type":"spatial","dimension":"point","bound":{"type":"rectangular","minCoords":[0,0],"maxCoords":[20,20]}}`, `{"type":"spatial","dimension":"point","bound":{"type":"radius","coords":[10,10],"radius":8}}`,
		`{"type":"isfalse","field":{"type":"selector","dimension":"s","value":"a"}}`, `{"type":"interval","dimension":"id","intervals":["1970-01-01T00:00:00.010Z/1970-01-01T00:00:00.020Z"]}`,
	}
	// What the row's own filter lets through is a third of the rows, by parts of which each drops some.
	of := func(i int) string { return filters[i] }
	dropping := `{"type":"or","fields":[{"type":"and","fields":[` + of(0) + "," + of(1) + `,{"type":"not","field":` + of(10) + `}]},` + of(4) + "," + of(19) + "," + of(28) + `]}`
	return []liveCase{
		liveOf("filters_more", `{"dataSchema":{"metricsSpec":[`+filterMetrics(filters)+`],"dimensionsSpec":{"dimensions":["flag"]},
			"transformSpec":{"transforms":[{"type":"expression","name":"point","expression":"concat(id, ',', id % 25)"}]},
			"granularitySpec":{"segmentGranularity":"DAY","queryGranularity":"DAY","rollup":true}}}`, liveRows(90)),
		// Each row for itself, with columns of declared types.
		liveOf("filters_typed", `{"dataSchema":{"metricsSpec":[`+filterMetrics(slices.Concat(usualFilters, filters))+`],"dimensionsSpec":`+everyDimension+`,
			"transformSpec":{"transforms":[{"type":"expression","name":"point","expression":"concat(id, ',', id % 25)"}]}}}`, liveRows(90)),
		liveOf("filter_rows_more", `{"dataSchema":{"dimensionsSpec":{"dimensions":[{"type":"long","name":"id"},"mv"]},"transformSpec":{"filter":`+dropping+`}}}`, liveRows(90)),
	}
}
