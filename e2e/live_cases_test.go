//go:build integration

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// liveBase is what the specs of the cases have in common.
const liveBase = `{"type":"kafka","spec":{
	"dataSchema":{"timestampSpec":{"column":"ts","format":"iso"},"dimensionsSpec":{"dimensions":[]},"metricsSpec":[{"type":"count","name":"cnt"}],
		"granularitySpec":{"segmentGranularity":"HOUR","queryGranularity":"NONE","rollup":false}},
	"ioConfig":{"inputFormat":{"type":"json"},"consumerProperties":{},"taskCount":1,"replicas":1,"taskDuration":"PT1H","useEarliestOffset":true},
	"tuningConfig":{"type":"kafka","offsetFetchPeriod":"PT5S","maxSavedParseExceptions":100}}}`

// liveOf makes a case: over is laid over the common spec, objects into objects.
func liveOf(name, over string, records []*kgo.Record) liveCase {
	c := liveCase{ingestCase: ingestCase{name: name, records: records}}
	var more map[string]any
	if err := decodeNumbers([]byte(liveBase), &c.spec); err != nil {
		panic(err) // it is a constant
	}
	if err := decodeNumbers([]byte(over), &more); err != nil {
		panic(fmt.Sprintf("case %s: %v: %s", name, err, over)) // as above
	}
	layOver(c.spec["spec"].(map[string]any), more)
	return c
}

func layOver(base, over map[string]any) {
	for k, v := range over {
		inner, ok1 := v.(map[string]any)
		under, ok2 := base[k].(map[string]any)
		if ok1 && ok2 {
			layOver(under, inner)
		} else {
			base[k] = v
		}
	}
}

// texts are records of one partition.
func texts(values ...string) (records []*kgo.Record) {
	for i, v := range values {
		records = append(records, &kgo.Record{Value: []byte(v), Timestamp: time.UnixMilli(1772326800000 + int64(i)*1000)})
	}
	return records
}

// liveRow is row i of those that most cases read: 90 of them in three hours, with fields of every kind.
func liveRow(i int) string {
	pick := func(all ...string) string { return all[i%len(all)] }
	fields := []string{
		`"ts":"` + time.Date(2026, 3, 1, 1, i*2, i, i*1e6, time.UTC).Format("2006-01-02T15:04:05.000Z") + `"`, fmt.Sprintf(`"id":%d`, i),
		`"s":` + pick(`"a"`, `null`, `""`, `"zeta"`, `"\u00c4rger"`, `"\u65e5\u672c"`, `"\ud801\udc00x"`, `"\uffee"`, `"null"`, `"it's \\ \"x\""`, `"B b"`),
		`"mv":` + pick(`["b","a"]`, `null`, `[]`, `["x"]`, `["x","x","a"]`, `"one"`, `[null,"a"]`, `["",null]`, `[""]`),
		`"l":` + pick(`1`, `-7`, `null`, `"12"`, `9007199254740993`, `0`, `3.9`, `"-4.2"`, `9223372036854775807`, `-9223372036854775808`, `"1e3"`),
		`"d":` + pick(`1.5`, `null`, `-0.0`, `"2.25"`, `1e300`, `3`, `0.1`, `-1e-7`),
		`"f":` + pick(`0.1`, `2`, `null`, `"0.5"`, `16777217`, `-3.75`),
		`"flag":` + pick(`true`, `false`, `null`),
		`"when":` + pick(`"2024-02-29T12:34:56.789Z"`, `"2025-12-31T23:59:59+05:30"`, `"1999-06-15T01:02:03"`, `"2026-03-29"`, `null`),
		`"at":` + pick(`1700000000000`, `"2024-02-29T12:34:56Z"`, `0`, `-5`),
		`"doc":` + pick(`{"a":1,"b":{"c":"x"}}`, `{"a":"s","l":[1,"2",null]}`, `null`, `{"b":{"c":2.5},"e.f":"dot"}`, `{}`, `{"a":3,"l":[{"k":1},{"k":"two"}]}`),
		`"nums":` + pick(`[1,2,3]`, `[4]`, `[]`, `null`, `[1,null]`), `"reals":` + pick(`[0.5,2]`, `[1]`), `"word":` + fmt.Sprintf(`"w%d"`, i%17),
		`"mix":` + pick(`1`, `"one"`, `2.5`, `true`), `"page":"` + fmt.Sprintf("/wiki/Page_%d?lang=%s", i%7, pick("de", "en", "fr")) + `"`,
	}
	if i%5 == 0 {
		fields = append(fields, `"sometimes":"t`+fmt.Sprint(i%3)+`"`)
	}
	return "{" + strings.Join(fields, ",") + "}"
}

func liveRows(n int) []*kgo.Record {
	var all []string
	for i := range n {
		all = append(all, liveRow(i))
	}
	return texts(all...)
}

// liveCases are the recorded cases and those of the tables; OGHAM_LIVE_CASES may choose some by a regular expression.
func liveCases(t *testing.T) (all []liveCase) {
	for _, c := range ingestGoldens(t) {
		one := liveCase{ingestCase: c}
		if c.name == "transform_and_filter" {
			one.apart = []string{"arr"} // addresses of Java objects
		}
		all = append(all, one)
	}
	for _, c := range segmentGoldens(t) {
		archives, err := filepath.Glob(filepath.Join(c.dir, "index*.zip"))
		if err != nil || len(archives) == 0 {
			t.Fatalf("there is no recorded segment in %s (%v): set OGHAM_GOLDENS to the folder of the recordings", c.dir, err)
		}
		c.name = "seg_" + c.name
		all = append(all, liveCase{ingestCase: c, archives: archives})
	}
	all = slices.Concat(all, sketchCases(), indexCases(), rollupCases(), transformCases(), shapeCases(), filterCases(), moreFilterCases(), granularityCases(), formatCases(t), schemaCases(), dimensionCases())
	only, err := regexp.Compile(os.Getenv("OGHAM_LIVE_CASES"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(c liveCase) bool { return !only.MatchString(c.name) })
}

// everyDimension has a dimension of each kind over liveRow.
const everyDimension = `{"dimensions":["s",{"type":"string","name":"mv"},{"type":"string","name":"word","createBitmapIndex":false},
	{"type":"long","name":"l"},{"type":"double","name":"d"},{"type":"float","name":"f"},{"type":"json","name":"doc"},{"type":"auto","name":"nums"},
	{"type":"auto","name":"reals"},{"type":"auto","name":"mix"},{"type":"auto","name":"flag"},{"type":"long","name":"id"},"sometimes","never","page"]}`

const someMetrics = `[{"type":"count","name":"cnt"},{"type":"longSum","name":"l_sum","fieldName":"l"},{"type":"doubleSum","name":"d_sum","fieldName":"d"},
	{"type":"floatMax","name":"f_max","fieldName":"f"},{"type":"hyperUnique","name":"words","fieldName":"word"},{"type":"longLast","name":"last_id","fieldName":"id"}]`

// indexCases write the same rows with every option of an indexSpec, and merged from many spills.
func indexCases() (all []liveCase) {
	schema := `"dataSchema":{"dimensionsSpec":` + everyDimension + `,"metricsSpec":` + someMetrics + `}`
	add := func(name, tuning string) {
		c := liveOf("index_"+name, `{`+schema+`,"tuningConfig":`+tuning+`}`, liveRows(90))
		if name != "default" {
			c.as = "index_default"
		}
		all = append(all, c)
	}
	add("default", `{}`)
	for name, spec := range map[string]string{
		"concise":      `{"bitmap":{"type":"concise"}}`,
		"no_runs":      `{"bitmap":{"type":"roaring","compressRunOnSerialization":false}}`,
		"lzf":          `{"dimensionCompression":"lzf","metricCompression":"lzf","jsonCompression":"lzf"}`,
		"zstd":         `{"dimensionCompression":"zstd","metricCompression":"zstd","jsonCompression":"zstd","longEncoding":"auto"}`,
		"uncompressed": `{"dimensionCompression":"uncompressed","metricCompression":"uncompressed","jsonCompression":"uncompressed"}`,
		"none":         `{"dimensionCompression":"uncompressed","metricCompression":"none","longEncoding":"auto"}`,
		"long_auto":    `{"longEncoding":"auto"}`,
		"front_4_v0":   `{"stringDictionaryEncoding":{"type":"frontCoded","bucketSize":4,"formatVersion":0}}`,
		"front_1_v1":   `{"stringDictionaryEncoding":{"type":"frontCoded","bucketSize":1,"formatVersion":1}}`,
		"front_16_v1":  `{"stringDictionaryEncoding":{"type":"frontCoded","bucketSize":16,"formatVersion":1}}`,
		"front_128_v0": `{"stringDictionaryEncoding":{"type":"frontCoded","bucketSize":128,"formatVersion":0}}`,
		"all": `{"bitmap":{"type":"concise"},"dimensionCompression":"zstd","metricCompression":"lzf","jsonCompression":"zstd","longEncoding":"auto",
			"stringDictionaryEncoding":{"type":"frontCoded","bucketSize":8,"formatVersion":1}}`,
	} {
		add(name, `{"indexSpec":`+spec+`}`)
	}
	add("spills", `{"maxRowsInMemory":7,"indexSpecForIntermediatePersists":{"dimensionCompression":"uncompressed","metricCompression":"none"}}`)
	return all
}

// rollupCases have every aggregator.
func rollupCases() []liveCase {
	var metrics []string
	for _, kind := range []string{"long", "double", "float"} {
		for _, how := range []string{"Sum", "Min", "Max", "First", "Last"} {
			for _, field := range []string{"l", "d", "id"} {
				metrics = append(metrics, fmt.Sprintf(`{"type":"%[1]s%[2]s","name":"%[3]s_%[1]s%[2]s","fieldName":"%[3]s"}`, kind, how, field))
			}
		}
	}
	metrics = append(metrics,
		`{"type":"count","name":"cnt"}`, `{"type":"stringFirst","name":"s_first","fieldName":"s"}`, `{"type":"stringLast","name":"s_last","fieldName":"s","maxStringBytes":3}`,
		`{"type":"longLast","name":"by_at","fieldName":"id","timeColumn":"at"}`, `{"type":"stringFirst","name":"s_by_at","fieldName":"word","timeColumn":"at"}`,
		`{"type":"hyperUnique","name":"hu_word","fieldName":"word"}`, `{"type":"hyperUnique","name":"hu_mv","fieldName":"mv"}`,
		`{"type":"longSum","name":"expr_long","expression":"id * 2 + if(s == 'a', 100, 1)"}`, `{"type":"doubleMax","name":"expr_double","expression":"nvl(d, 0) / 4.0"}`,
		`{"type":"floatSum","name":"expr_float","expression":"id % 5"}`,
		`{"type":"filtered","name":"on_a","filter":{"type":"selector","dimension":"s","value":"a"},"aggregator":{"type":"longSum","name":"on_a","fieldName":"id"}}`,
		`{"type":"filtered","filter":{"type":"in","dimension":"word","values":["w1","w2"]},"aggregator":{"type":"hyperUnique","name":"hu_some","fieldName":"page"}}`)
	schema := func(dims, granularity string, inMemory int) string {
		return `{"dataSchema":{"dimensionsSpec":{"dimensions":` + dims + `},"metricsSpec":[` + strings.Join(metrics, ",") + `],
			"granularitySpec":{"segmentGranularity":"DAY","queryGranularity":"` + granularity + `","rollup":true}},"tuningConfig":{"maxRowsInMemory":` + fmt.Sprint(inMemory) + `}}`
	}
	dims := `["s",{"type":"string","name":"mv","multiValueHandling":"SORTED_SET"},{"type":"auto","name":"flag"}]`
	spread := liveOf("spread", `{"dataSchema":{"dimensionsSpec":`+everyDimension+`},"ioConfig":{"taskCount":2}}`, liveRows(90))
	for i, r := range spread.records {
		r.Partition = int32(i % 4)
	}
	spread.spread = true
	all := []liveCase{
		liveOf("rollup", schema(dims, "HOUR", 150000), liveRows(90)),
		liveOf("rollup_all", schema(`[]`, "DAY", 150000), liveRows(90)),
		liveOf("rollup_spills", schema(`["s"]`, "DAY", 5), liveRows(90)),
	}
	for i := range all {
		all[i].apart = []string{"hu_some"} // the filter of a filtered hyperUnique
	}
	return append(all, spread)
}

// sketchCases have sketch columns, rolled up in memory, over spills and not at all.
func sketchCases() []liveCase {
	var metrics []string
	for _, field := range []string{"s", "mv", "l", "d", "page", "id"} {
		metrics = append(metrics, fmt.Sprintf(`{"type":"HLLSketchBuild","name":"h_%[1]s","fieldName":"%[1]s"},{"type":"thetaSketch","name":"t_%[1]s","fieldName":"%[1]s"},
			{"type":"hyperUnique","name":"u_%[1]s","fieldName":"%[1]s"}`, field))
	}
	metrics = append(metrics, `{"type":"HLLSketchBuild","name":"h6","fieldName":"id","lgK":5,"tgtHllType":"HLL_6"}`, `{"type":"HLLSketchBuild","name":"h8","fieldName":"word","lgK":10,"tgtHllType":"HLL_8","stringEncoding":"utf8"}`,
		`{"type":"thetaSketch","name":"t16","fieldName":"id","size":16}`, `{"type":"count","name":"cnt"}`)
	schema := func(dims, granularity string, inMemory int) string {
		return fmt.Sprintf(`{"dataSchema":{"dimensionsSpec":{"dimensions":%s},"metricsSpec":[%s],"granularitySpec":{"segmentGranularity":"DAY",%s}},"tuningConfig":{"maxRowsInMemory":%d}}`,
			dims, strings.Join(metrics, ","), granularity, inMemory)
	}
	counted := []string{`{"type":"count","name":"cnt"}`}
	for name, fields := range map[string]string{
		"plain": `["s","mv"]`, "upper": `[{"type":"extraction","dimension":"mv","extractionFn":{"type":"upper"}}]`,
		"listed": `[{"type":"listFiltered","delegate":"mv","values":["m1","m2"]},"word"]`,
		"others": `[{"type":"listFiltered","delegate":"word","values":["w1"],"isWhitelist":false}]`,
		"firsts": `[{"type":"extraction","dimension":"word","extractionFn":{"type":"substring","index":1}},{"type":"prefixFiltered","delegate":"s","prefix":"a"}]`,
		"months": `[{"type":"extraction","dimension":"__time","extractionFn":{"type":"timeFormat","format":"yyyy-MM-dd HH"}}]`,
	} {
		for _, byRow := range []bool{false, true} {
			counted = append(counted, fmt.Sprintf(`{"type":"cardinality","name":"%s_%t","fields":%s,"byRow":%[2]t}`, name, byRow, fields))
		}
	}
	slices.Sort(counted)
	cardinalities := liveOf("cardinalities", `{"dataSchema":{"dimensionsSpec":{"dimensions":["flag"]},"metricsSpec":[`+strings.Join(counted, ",")+`],
		"granularitySpec":{"segmentGranularity":"DAY","queryGranularity":"HOUR","rollup":true}},"tuningConfig":{"maxRowsInMemory":30}}`, liveRows(200))
	// Without rollup: with it Druid's tasks fail when they merge.
	expressions := liveOf("expressions", `{"dataSchema":{"dimensionsSpec":{"dimensions":["word"]},"metricsSpec":[{"type":"count","name":"cnt"},
		{"type":"expression","name":"id_sum","fields":["id"],"initialValue":"0","fold":"__acc + id"},
		{"type":"expression","name":"most","fields":["d"],"initialValue":"0.0","fold":"greatest(__acc, d)"},
		{"type":"expression","name":"tens","fields":["id"],"initialValue":"100","fold":"if(id % 10 == 0, id, __acc)","shouldAggregateNullInputs":false},
		{"type":"filtered","filter":{"type":"selector","dimension":"s","value":"a"},"aggregator":
			{"type":"expression","name":"of_a","fields":["id","l"],"initialValue":"7","fold":"__acc + nvl(l, 1) * id","combine":"__acc + of_a"}}],
		"granularitySpec":{"segmentGranularity":"DAY","queryGranularity":"NONE","rollup":false}},"tuningConfig":{"maxRowsInMemory":20}}`, liveRows(90))
	return []liveCase{
		cardinalities, expressions,
		liveOf("sketches", schema(`["flag"]`, `"queryGranularity":"HOUR","rollup":true`, 150000), liveRows(400)),
		liveOf("sketches_spills", schema(`[]`, `"queryGranularity":"DAY","rollup":true`, 1), liveRows(120)),
		liveOf("sketches_rows", schema(`["word"]`, `"queryGranularity":"NONE","rollup":false`, 150000), liveRows(60)),
	}
}

// transformCases have functions of each family; one case has many, each in a column of its own.
func transformCases() (all []liveCase) {
	families := map[string][]string{
		"numbers": {
			"l + id", "id - 3", "id * d", "d / 3", "id / 7", "id % 7", "-id", "id ^ 2", "abs(l)", "ceil(d)", "floor(d)", "round(cast(d, 'double'), 1)", "round(cast(d, 'double'))", "sqrt(id)", "round(exp(id / 50.0), 9)",
			"round(log(id + 1), 9)", "round(log10(id + 1), 9)", "pow(id, 2)", "round(cbrt(id), 9)", "signum(l)", "min(id, 3)", "max(id, d)", "div(id, 4)", "remainder(id, 7)", "greatest(id, 5)", "least(id, l)",
			"bitwiseAnd(id, 12)", "bitwiseOr(id, 3)", "bitwiseXor(id, 5)", "bitwiseShiftLeft(id, 2)", "bitwiseShiftRight(id, 1)", "bitwiseComplement(id)", "safe_divide(id, id % 3)",
			"cast(d, 'long')", "cast(s, 'double')", "cast(id, 'string')", "id > 40 && id < 60", "id >= 40 || s == 'a'", "!flag", "round(hypot(id, 3), 9)", "copySign(id, l)", "human_readable_binary_byte_format(id * 100000)",
			"human_readable_decimal_format(id, 3)", "bitwiseConvertDoubleToLongBits(d)", "round(toDegrees(id), 6)", "round(sin(id), 9)", "getExponent(d)", "nextUp(id)", "ulp(id)", "scalb(id, 2)",
		},
		"texts": {
			"concat(s, '-', word)", "s + word", "upper(s)", "lower(page)", "strlen(s)", "substring(page, 2, 4)", "left(page, 3)", "right(page, 3)", "strpos(page, 'a')", "strpos(page, '/', 2)",
			"replace(page, 'wiki', 'W')", "trim(concat(' ', s, ' '))", "ltrim(page, '/')", "rtrim(s, 'a')", "lpad(word, 6, '*')", "rpad(word, 5, 'ab')", "reverse(s)", "repeat(word, 3)",
			"regexp_extract(page, 'Page_([0-9])', 1)", "regexp_like(page, 'Page_[0-3]')", "regexp_replace(page, '[aeiou]', '_')", "like(page, '%lang=de')", "contains_string(page, 'Page_1')",
			"icontains_string(page, 'PAGE_1')", "format('%s:%05d', word, id)", "s == 'a'", "s < 'b'", "nvl(s, 'none')", "coalesce(s, word)", "decode_base64_utf8('YWJj')", "string_to_array(page, '/')",
			"strlen(nvl(s, ''))", "case_simple(s, 'a', 1, '', 2, 3)",
		},
		"times": {
			"timestamp(nvl(when, '2000-01-01'))", "timestamp_parse(when)", "timestamp_floor(__time, 'PT1H')", "timestamp_floor(__time, 'P1D', null, 'America/Los_Angeles')", "timestamp_ceil(__time, 'P1M')",
			"timestamp_shift(__time, 'P1M', 2)", "timestamp_shift(__time, 'PT90M', -1, 'Asia/Kolkata')", "timestamp_extract(__time, 'HOUR')", "timestamp_extract(__time, 'DOW', 'Asia/Tokyo')",
			"timestamp_extract(__time, 'QUARTER')", "timestamp_extract(__time, 'EPOCH')", "timestamp_format(__time)", "timestamp_format(__time, 'yyyy-MM-dd HH:mm:ss.SSS ZZ', 'Europe/Berlin')",
			"timestamp_format(__time, 'EEE, d MMM yyyy')", "timestamp_parse('2026-03-01 05:06:07', 'yyyy-MM-dd HH:mm:ss', 'Europe/Paris')", "unix_timestamp(nvl(when, '2000-01-01'))", "__time - timestamp_floor(__time, 'PT1H')",
			"subtract_months(__time, 3, 'UTC')", "timestamp_floor(timestamp(nvl(when, '2001-01-01')), 'P1W')",
		},
		"arrays": {
			"array(1, 2, id)", "array_length(nums)", "array_offset(nums, 0)", "array_ordinal(nums, 1)", "array_contains(nums, 1)", "array_overlap(nums, array(2, 4))", "array_offset_of(nums, 2)",
			"array_prepend(0, nums)", "array_append(nums, 9)", "array_concat(nums, array(7))", "array_slice(nums, 0, 2)", "array_to_string(mv, '|')", "array_set_add(nums, 5)",
			"map((x) -> x * 2, nums)", "filter((x) -> x > 1, nums)", "fold((x, acc) -> x + acc, nums, 0)", "any((x) -> x == 2, nums)", "all((x) -> x > 0, nums)",
			"cartesian_map((x, y) -> x + y, nums, reals)", "mv_to_array(mv)", "array_to_mv(mv_to_array(mv))", "upper(mv)", "concat(mv, s)", "strlen(mv)",
			"scalar_in_array(word, array('w1', 'w2'))", "mv_harmonize_nulls(mv)",
		},
		"objects": {
			"json_value(doc, '$.a')", "json_value(doc, '$.b.c', 'STRING')", "json_value(doc, '$.a', 'LONG')", "json_query(doc, '$.b')", "json_query(doc, '$.l')", "json_query_array(doc, '$.l')", "json_keys(doc, '$.')",
			"json_paths(doc)", "to_json_string(doc)", "parse_json(to_json_string(doc))", "try_parse_json(s)", "json_object('x', id, 'y', s)", "json_merge('{\"z\":1}', to_json_string(doc))",
			"if(flag, 'yes', 'no')", "case_searched(id < 10, 'low', id < 50, 'mid', 'high')", "isnull(s)", "notnull(s)", "nvl(l, -1)", "istrue(flag)", "isfalse(flag)", "notdistinctfrom(s, null)", "isdistinctfrom(l, 1)",
			"__time + 1", "mix", "doc",
		},
	}
	for name, list := range families {
		var transforms, dims []string
		for i, e := range list {
			if strings.HasPrefix(e, "json_merge") {
				continue
			}
			column := fmt.Sprintf("x%02d", i)
			text, err := json.Marshal(e)
			if err != nil {
				panic(err) // it is a text
			}
			transforms = append(transforms, fmt.Sprintf(`{"type":"expression","name":"%s","expression":%s}`, column, text))
			dims = append(dims, fmt.Sprintf(`{"type":"auto","name":"%s"}`, column))
			if i%3 == 0 {
				transforms = append(transforms, fmt.Sprintf(`{"type":"expression","name":"s%s","expression":%s}`, column, text))
				dims = append(dims, `"s`+column+`"`)
			}
		}
		all = append(all, liveOf("transform_"+name, `{"dataSchema":{"dimensionsSpec":{"dimensions":["id",`+strings.Join(dims, ",")+`]},
			"transformSpec":{"transforms":[`+strings.Join(transforms, ",")+`]}}}`, liveRows(90)))
	}
	return all
}

// usualFilters are one of each kind, over liveRow.
var usualFilters = []string{
	`{"type":"selector","dimension":"s","value":"a"}`, `{"type":"selector","dimension":"s","value":null}`, `{"type":"selector","dimension":"mv","value":"x"}`,
	`{"type":"in","dimension":"s","values":["a","",null]}`, `{"type":"in","dimension":"l","values":["1","-7"]}`, `{"type":"like","dimension":"page","pattern":"%Page_1%"}`,
	`{"type":"like","dimension":"page","pattern":"/wiki/Page\\_2%","escape":"\\"}`, `{"type":"regex","dimension":"page","pattern":"Page_[0-3].*fr$"}`,
	`{"type":"bound","dimension":"word","lower":"w1","upper":"w3","upperStrict":true}`, `{"type":"bound","dimension":"id","lower":"10","upper":"30","ordering":"numeric"}`,
	`{"type":"bound","dimension":"word","lower":"w2","ordering":"alphanumeric"}`, `{"type":"bound","dimension":"word","upper":"w9","ordering":"strlen"}`,
	`{"type":"interval","dimension":"__time","intervals":["2026-03-01T02:00:00Z/2026-03-01T03:00:00Z"]}`, `{"type":"search","dimension":"page","query":{"type":"insensitive_contains","value":"PAGE_4"}}`,
	`{"type":"search","dimension":"page","query":{"type":"fragment","values":["wiki","_5"],"caseSensitive":true}}`, `{"type":"columnComparison","dimensions":["s","sometimes"]}`,
	`{"type":"expression","expression":"id % 3 == 1"}`, `{"type":"null","column":"l"}`, `{"type":"equals","column":"l","matchValueType":"LONG","matchValue":12}`,
	`{"type":"equals","column":"s","matchValueType":"STRING","matchValue":"zeta"}`, `{"type":"range","column":"d","matchValueType":"DOUBLE","lower":0.0,"upper":2.0,"upperOpen":true}`,
	`{"type":"range","column":"s","matchValueType":"STRING","lower":"b"}`, `{"type":"true"}`, `{"type":"false"}`, `{"type":"not","field":{"type":"selector","dimension":"s","value":"a"}}`,
	`{"type":"and","fields":[{"type":"selector","dimension":"flag","value":"true"},{"type":"selector","dimension":"mv","value":"x"}]}`,
	`{"type":"or","fields":[{"type":"selector","dimension":"flag","value":"1"},{"type":"selector","dimension":"word","value":"w3"}]}`,
	`{"type":"inType","column":"id","matchValueType":"LONG","sortedValues":[1,2,3]}`, `{"type":"istrue","field":{"type":"equals","column":"s","matchValueType":"STRING","matchValue":"a"}}`,
}

// filterMetrics count what filters let through.
func filterMetrics(filters []string) string {
	metrics := []string{`{"type":"count","name":"cnt"}`}
	for i, f := range filters {
		metrics = append(metrics, fmt.Sprintf(`{"type":"filtered","filter":%s,"aggregator":{"type":"count","name":"f%02d"}}`, f, i))
	}
	return strings.Join(metrics, ",")
}

// filterCases count what each kind of filter lets through, and drop rows.
func filterCases() []liveCase {
	dropping := `{"type":"and","fields":[{"type":"not","field":{"type":"selector","dimension":"word","value":"w5"}},
		{"type":"or","fields":[{"type":"bound","dimension":"id","lower":"20","ordering":"numeric"},{"type":"selector","dimension":"up","value":"A"}]}]}`
	return []liveCase{
		liveOf("filters", `{"dataSchema":{"metricsSpec":[`+filterMetrics(usualFilters)+`],"dimensionsSpec":{"dimensions":["flag"]},
			"granularitySpec":{"segmentGranularity":"DAY","queryGranularity":"DAY","rollup":true}}}`, liveRows(90)),
		liveOf("filter_rows", `{"dataSchema":{"dimensionsSpec":{"dimensions":["word","up",{"type":"long","name":"id"}]},
			"transformSpec":{"filter":`+dropping+`,"transforms":[{"type":"expression","name":"up","expression":"upper(s)"}]}}}`, liveRows(90)),
	}
}

// granularityCases cut time in unusual places, segments by rows, and rows by their age.
func granularityCases() (all []liveCase) {
	dims := `"dimensionsSpec":{"dimensions":[{"type":"long","name":"id"},"s"]}`
	var wide []string
	for i := range 80 {
		wide = append(wide, fmt.Sprintf(`{"ts":"%s","id":%d,"s":"s%d"}`, time.Date(2025, 10, 20, i*5, i, 0, 0, time.UTC).Format(time.RFC3339), i, i%3))
	}
	for name, g := range map[string]string{
		"zone":     `{"segmentGranularity":{"type":"period","period":"P1D","timeZone":"America/New_York"},"queryGranularity":{"type":"period","period":"PT1H","timeZone":"America/New_York"},"rollup":false}`,
		"origin":   `{"segmentGranularity":{"type":"period","period":"P1D","timeZone":"UTC","origin":"2025-01-02T06:00:00Z"},"queryGranularity":{"type":"period","period":"PT90M","timeZone":"UTC","origin":"2025-01-02T06:00:00Z"},"rollup":true}`,
		"week":     `{"segmentGranularity":"WEEK","queryGranularity":"DAY","rollup":true}`,
		"quarter":  `{"segmentGranularity":"QUARTER","queryGranularity":"EIGHT_HOUR","rollup":true}`,
		"duration": `{"segmentGranularity":"SIX_HOUR","queryGranularity":{"type":"duration","duration":5400000,"origin":"2025-01-01T00:00:00Z"},"rollup":true}`,
		"all":      `{"segmentGranularity":"ALL","queryGranularity":"NONE","rollup":false}`,
		"year":     `{"segmentGranularity":"YEAR","queryGranularity":"MONTH","rollup":true}`,
	} {
		all = append(all, liveOf("gran_"+name, `{"dataSchema":{`+dims+`,"granularitySpec":`+g+`}}`, texts(wide...)))
	}
	return append(all,
		liveOf("parts", `{"dataSchema":{`+dims+`},"ioConfig":{"consumerProperties":{"max.poll.records":"10"}},"tuningConfig":{"maxRowsPerSegment":20}}`, liveRows(90)),
		liveOf("total_rows", `{"dataSchema":{`+dims+`},"ioConfig":{"consumerProperties":{"max.poll.records":"10"}},"tuningConfig":{"maxTotalRows":30}}`, liveRows(90)),
		liveOf("late_date", `{"dataSchema":{`+dims+`},"ioConfig":{"lateMessageRejectionStartDateTime":"2026-03-01T02:00:00Z"}}`, liveRows(90)),
		liveOf("early_period", `{"dataSchema":{`+dims+`},"ioConfig":{"lateMessageRejectionPeriod":"P3650D","earlyMessageRejectionPeriod":"P30D"}}`,
			append(liveRows(9), texts(`{"ts":"2099-01-01T00:00:00Z","id":1}`, `{"ts":"1999-01-01T00:00:00Z","id":2}`)...)),
	)
}

// schemaCases find dimensions by themselves, or have values that do not suit their columns.
func schemaCases() []liveCase {
	odd := []string{
		`1`, `"1"`, `" 5 "`, `"1_000"`, `"0x10"`, `true`, `"true"`, `[1]`, `[1,2]`, `[]`, `{"a":1}`, `"NaN"`, `"Infinity"`, `"-Infinity"`, `1e400`, `"1e400"`, `9223372036854775808`, `"9223372036854775808"`,
		`1.0`, `"+7"`, `"1,5"`, `""`, `"1f"`, `"1d"`, `"1L"`, `1e2`, `-0`, `9007199254740993`, `16777217`, `"16777217"`, `0.1`, `3.4e38`, `3.5e38`, `1e-50`, `"1."`, `".5"`, `"null"`, `[null]`, `["3"]`, `[[1]]`,
	}
	var rows []string
	for i, v := range odd {
		rows = append(rows, fmt.Sprintf(`{"ts":"2026-03-01T00:00:%02dZ","i":%d,"s":%[3]s,"l":%[3]s,"d":%[3]s,"f":%[3]s,"a":%[3]s,"m":%[3]s}`, i, i, v))
	}
	var lists []string
	for i, v := range []string{`[1,"2",null]`, `{"a":[1,"2",null]}`, `[1,2.5]`, `[true,"x"]`, `[true,1]`, `[null]`, `[]`, `[{"k":1},2]`, `[[1],["2"]]`, `"text"`, `7`, `null`, `[1.5,"x",true]`} {
		lists = append(lists, fmt.Sprintf(`{"ts":"2026-03-01T00:00:%02dZ","m":%[2]s,"j":%[2]s,"o":{"v":%[2]s,"w":[%[2]s]}}`, i, v))
	}
	numbers := `"dimensionsSpec":{"dimensions":[{"type":"long","name":"i"},"s",{"type":"long","name":"l"},{"type":"double","name":"d"},{"type":"float","name":"f"},{"type":"auto","name":"a"}]}`
	sums := `"metricsSpec":[{"type":"count","name":"cnt"},{"type":"longSum","name":"ms","fieldName":"m"},{"type":"doubleSum","name":"md","fieldName":"m"},{"type":"floatMax","name":"mf","fieldName":"m"}]`
	spatial := liveOf("spatial", `{"dataSchema":{"dimensionsSpec":{"dimensions":["s"],"spatialDimensions":[{"dimName":"place","dims":["id","l"]}]}}}`, liveRows(40))
	return []liveCase{
		liveOf("odd_values", `{"dataSchema":{`+numbers+`,`+sums+`}}`, texts(rows...)),
		liveOf("discovery", `{"dataSchema":{"dimensionsSpec":{"useSchemaDiscovery":true,"dimensionExclusions":["mv"],"dimensions":[{"type":"string","name":"l"}]},"metricsSpec":`+someMetrics+`}}`, liveRows(90)),
		liveOf("all_dimensions", `{"dataSchema":{"dimensionsSpec":{"includeAllDimensions":true,"dimensions":["word",{"type":"long","name":"id"}]}}}`, liveRows(90)),
		liveOf("schemaless", `{"dataSchema":{"dimensionsSpec":{"dimensionExclusions":["doc"]}}}`, liveRows(90)),
		liveOf("arrays_kept", `{"dataSchema":{"dimensionsSpec":{"dimensions":[{"type":"string","name":"mv","multiValueHandling":"ARRAY"},"word",{"type":"auto","name":"nums"}]}}}`, liveRows(60)),
		spatial,
		liveOf("mixed_lists", `{"dataSchema":{"dimensionsSpec":{"dimensions":[{"type":"auto","name":"m"},{"type":"json","name":"j"},{"type":"auto","name":"o"}]}}}`, texts(lists...)),
	}
}
