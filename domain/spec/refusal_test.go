package spec

import (
	"strings"
	"testing"
)

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ path, value, at, message string }{
		{"dataSchema.metricsSpec", `[{"type":"cardinality","name":"c","fields":[{"type":"listFiltered","delegate":"a","values":[]}]}]`, "$.spec.dataSchema.metricsSpec[0].fields[0].values", "values list must be non-empty"},
		{"dataSchema.metricsSpec", `[{"type":"cardinality","name":"c","fields":[{"type":"regexFiltered","delegate":"a"}]}]`, "$.spec.dataSchema.metricsSpec[0].fields[0].pattern", "pattern must not be null"},
		{"dataSchema.metricsSpec", `[{"type":"cardinality","name":"c","fields":[{"type":"prefixFiltered","prefix":"a"}]}]`, "$.spec.dataSchema.metricsSpec[0].fields[0].delegate", "delegate must not be null"},
		{"dataSchema.metricsSpec", `[{"type":"cardinality","name":"c","fields":[{"type":"extraction","dimension":"a"}]}]`, "$.spec.dataSchema.metricsSpec[0].fields[0].extractionFn", "extractionFn must not be null"},
		{"ioConfig.taskDuration", `"PT-1S"`, "$.spec.ioConfig.taskDuration", "longer than zero"},
		{"ioConfig.period", `"PT0S"`, "$.spec.ioConfig.period", "longer than zero"},
		{"ioConfig.startDelay", `"PT-1S"`, "$.spec.ioConfig.startDelay", "zero or longer"},
		{"ioConfig.completionTimeout", `0`, "$.spec.ioConfig.completionTimeout", "longer than zero"},
		{"ioConfig.lateMessageRejectionPeriod", `"PT-1S"`, "$.spec.ioConfig.lateMessageRejectionPeriod", "zero or longer"},
		{"ioConfig.pollTimeout", `-1`, "$.spec.ioConfig.pollTimeout", "must not be negative"},
		{"ioConfig.taskCount", `true`, "$.spec.ioConfig.taskCount", "from Boolean value"},
		{"ioConfig.taskCount", `"many"`, "$.spec.ioConfig.taskCount", "not a valid `int` value"},
		{"ioConfig.taskCount", `"9999999999"`, "$.spec.ioConfig.taskCount", "Overflow"},
		{"ioConfig.taskCount", `1e300`, "$.spec.ioConfig.taskCount", "out of range of int"},
		{"ioConfig.topic", `{}`, "$.spec.ioConfig.topic", "`java.lang.String` from Object value"},
		{"ioConfig.consumerProperties", `{"bootstrap.servers":["a:1"]}`, `$.spec.ioConfig.consumerProperties["bootstrap.servers"]`, "host:port"},
		{"ioConfig.consumerProperties", `"x"`, "$.spec.ioConfig.consumerProperties", "no String-argument constructor"},
		{
			"ioConfig.inputFormat", `{"type":"json","assumeNewlineDelimited":true,"useJsonNodeReader":true}`,
			"$.spec.ioConfig.inputFormat.useJsonNodeReader", "useJsonNodeReader cannot be set to true",
		},
		{
			"ioConfig.inputFormat", `{"type":"json","flattenSpec":{"fields":[{"type":"path","name":"a"}]}}`,
			"$.spec.ioConfig.inputFormat.flattenSpec.fields[0].expr", "Missing 'expr' for field[a]",
		},
		{
			"ioConfig.inputFormat", `{"type":"json","flattenSpec":{"fields":["a","a"]}}`,
			"$.spec.ioConfig.inputFormat.flattenSpec.fields", "Cannot have duplicate field definition: a",
		},
		{"ioConfig.inputFormat", `{"type":"json","featureSpec":{"NOPE":true}}`, "$.spec.ioConfig.inputFormat.featureSpec", "JsonParser.Feature.NOPE"},
		{"ioConfig.inputFormat", `{"type":"json","flattenSpec":{"fields":[{"type":"tree","name":"t","nodes":[]}]}}`, "$.spec.ioConfig.inputFormat.flattenSpec.fields[0].nodes", "was [[]]"},
		{"ioConfig.inputFormat", `{"type":"csv","columns":["a"],"listDelimiter":","}`, "$.spec.ioConfig.inputFormat.listDelimiter", "same delimiter"},
		{"ioConfig.inputFormat", `{"type":"csv","columns":["a,b"]}`, "$.spec.ioConfig.inputFormat.columns", "Column[a,b] cannot have the delimiter[,] in its name"},
		{"ioConfig.inputFormat", `{"type":"csv","columns":["a","a"]}`, "$.spec.ioConfig.inputFormat.columns", "Duplicate column entries found : [a]"},
		{"ioConfig.inputFormat", `{"type":"csv","hasHeaderRow":false}`, "$.spec.ioConfig.inputFormat", "If [columns] is not set"},
		{"ioConfig.inputFormat", `{"type":"csv","hasHeaderRow":true,"findColumnsFromHeader":true}`, "$.spec.ioConfig.inputFormat", "Cannot accept both"},
		{"ioConfig.inputFormat", `{"type":"tsv","columns":["a"],"delimiter":""}`, "$.spec.ioConfig.inputFormat.delimiter", "must not be empty"},
		{"ioConfig.inputFormat", `{"type":"tsv","columns":["a"],"skipHeaderRows":-1}`, "$.spec.ioConfig.inputFormat.skipHeaderRows", "negative"},
		{"ioConfig.inputFormat", `{"type":"regex"}`, "$.spec.ioConfig.inputFormat.pattern", "pattern must not be null"},
		{"ioConfig.inputFormat", `{"type":"kafka","valueFormat":{"type":"nope"}}`, "$.spec.ioConfig.inputFormat.valueFormat.type", "known type ids = [csv, json, kafka, regex, tsv]"},
		{"ioConfig.inputFormat", `{"type":"kafka","valueFormat":{"type":"kafka","valueFormat":{"type":"json"}}}`, "$.spec.ioConfig.inputFormat.valueFormat", "within kafka"},
		{"ioConfig.inputFormat", `{"type":"kafka","valueFormat":{"type":"json"},"headerFormat":{"type":"x"}}`, "$.spec.ioConfig.inputFormat.headerFormat.type", "known type ids = [string]"},
		{"ioConfig.inputFormat", `{"type":"kafka","valueFormat":{"type":"json"},"headerFormat":{"type":"string","encoding":"EBCDIC"}}`, "$.spec.ioConfig.inputFormat.headerFormat.encoding", "EBCDIC"},
		{"ioConfig.inputFormat", `{"type":"avro_stream"}`, "$.spec.ioConfig.inputFormat.avroBytesDecoder", "must not be null"},
		{"ioConfig.inputFormat", `{"type":"avro_stream","avroBytesDecoder":{}}`, "$.spec.ioConfig.inputFormat.avroBytesDecoder.type", "'schema_repo' (the default type) is not supported"},
		{"ioConfig.inputFormat", `{"type":"avro_stream","avroBytesDecoder":{"type":"x"}}`, "$.spec.ioConfig.inputFormat.avroBytesDecoder.type", "not known"},
		{"ioConfig.inputFormat", `{"type":"avro_stream","avroBytesDecoder":{"type":"schema_inline"}}`, "$.spec.ioConfig.inputFormat.avroBytesDecoder.schema", "schema must be provided"},
		{"ioConfig.inputFormat", `{"type":"avro_stream","avroBytesDecoder":{"type":"multiple_schemas_inline"}}`, "$.spec.ioConfig.inputFormat.avroBytesDecoder.schemas", "at least one schema"},
		{"ioConfig.inputFormat", `{"type":"avro_stream","avroBytesDecoder":{"type":"schema_registry"}}`, "$.spec.ioConfig.inputFormat.avroBytesDecoder.url", "url or urls"},
		{
			"ioConfig.inputFormat", `{"type":"avro_ocf","flattenSpec":{"fields":[{"type":"jq","name":"q","expr":"."}]}}`,
			"$.spec.ioConfig.inputFormat.flattenSpec.fields[0]", "Avro + JQ not supported",
		},
		{"ioConfig.inputFormat", `{"type":"regex","pattern":"a(?=b)"}`, "$.spec.ioConfig.inputFormat.pattern", "looking ahead, which takes backtracking, is not supported"},
		{"ioConfig.inputFormat", `{"type":"kafka","valueFormat":{"type":"regex","pattern":"a*+"}}`, "$.spec.ioConfig.inputFormat.valueFormat.pattern", "a possessive quantifier"},
		{"ioConfig.inputFormat", `{"type":"thrift","thriftClass":"a.B"}`, "$.spec.ioConfig.inputFormat.thriftFile", "thriftFile (path or URL of the .thrift file) or thriftIdl"},
		{"ioConfig.inputFormat", `{"type":"thrift","thriftJar":"/x.jar","thriftClass":"a.B"}`, "$.spec.ioConfig.inputFormat.thriftJar", "the classes of a jar cannot be run here"},
		{"ioConfig.inputFormat", `{"type":"thrift","jarPath":"/x.jar","thriftClass":"a.B"}`, "$.spec.ioConfig.inputFormat.jarPath", "the classes of a jar cannot be run here"},
		{"ioConfig.inputFormat", `{"type":"thrift","thriftFile":"/x.thrift"}`, "$.spec.ioConfig.inputFormat.thriftClass", "thriftClass must not be null"},
		{"ioConfig.inputFormat", `{"type":"thrift","thriftFile":"/x.thrift","thriftIdl":"struct A {}","thriftClass":"A"}`, "$.spec.ioConfig.inputFormat.thriftIdl", "cannot both be given"},
		{"ioConfig.inputFormat", `{"type":"parquet"}`, "$.spec.ioConfig.inputFormat.type", "known type ids = [csv, json, kafka, regex, tsv] (for POJO property 'inputFormat'): it is a format of files"},
		{"ioConfig.inputFormat", `{"type":"kafka","valueFormat":{"type":"orc"}}`, "$.spec.ioConfig.inputFormat.valueFormat.type", "it is a format of files"},
		{"ioConfig.inputFormat", `{"type":"lines"}`, "$.spec.ioConfig.inputFormat.type", `{"type":"regex","pattern":"(.*)","columns":["line"]}`},
		{"ioConfig.inputFormat", `{"type":"kinesis"}`, "$.spec.ioConfig.inputFormat.type", "those of Kafka have the type kafka"},
		{"ioConfig.inputFormat", `{"type":"delimited","columns":["a"]}`, "$.spec.ioConfig.inputFormat.type", "the type is called tsv"},
		{"ioConfig.inputFormat", `{"type":"protobuf"}`, "$.spec.ioConfig.inputFormat.protoBytesDecoder", "must not be null"},
		{"ioConfig.inputFormat", `{"type":"protobuf","protoBytesDecoder":{"type":"file"}}`, "$.spec.ioConfig.inputFormat.protoBytesDecoder.descriptor", "must be given"},
		{
			"ioConfig.autoScalerConfig", `{"enableTaskAutoScaler":true,"taskCountMin":0,"taskCountMax":1}`,
			"$.spec.ioConfig.autoScalerConfig.taskCountMin", "at least 1",
		},
		{
			"ioConfig.autoScalerConfig", `{"enableTaskAutoScaler":true,"taskCountMin":1,"taskCountMax":1,"lagCollectionIntervalMillis":0}`,
			"$.spec.ioConfig.autoScalerConfig.lagCollectionIntervalMillis", "greater than 0",
		},
		{"tuningConfig.maxTotalRows", `0`, "$.spec.tuningConfig.maxTotalRows", "at least 1"},
		{"tuningConfig.maxPendingPersists", `-1`, "$.spec.tuningConfig.maxPendingPersists", "at least 0"},
		{"tuningConfig.handoffConditionTimeout", `-1`, "$.spec.tuningConfig.handoffConditionTimeout", "at least 0"},
		{"tuningConfig.intermediatePersistPeriod", `"PT0S"`, "$.spec.tuningConfig.intermediatePersistPeriod", "longer than zero"},
		{
			"tuningConfig.indexSpec", `{"stringDictionaryEncoding":{"type":"frontCoded","bucketSize":3}}`,
			"$.spec.tuningConfig.indexSpec.stringDictionaryEncoding.bucketSize", "power of two",
		},
		{"tuningConfig.indexSpec", `{"dimensionCompression":"none"}`, "$.spec.tuningConfig.indexSpec.dimensionCompression", "uncompressed"},
		{"dataSchema.parser", `{"type":"string"}`, "$.spec.dataSchema.parser", "parser is not supported"},
		{"dataSchema.timestampSpec.format", `"bogus"`, "$.spec.dataSchema.timestampSpec.format", "Unable to parse timestamps with format [bogus]"},
		{"dataSchema.granularitySpec.type", `"arbitrary"`, "$.spec.dataSchema.granularitySpec.type", "batch"},
		{
			"dataSchema.granularitySpec.queryGranularity", `{"type":"period","period":"PT0S"}`,
			"$.spec.dataSchema.granularitySpec.queryGranularity.period", "zero period",
		},
		{"dataSchema.timestampSpec.format", `"yyyy-MM-dd HH:mm:ss zzzz"`, "$.spec.dataSchema.timestampSpec.format", "[yyyy-MM-dd HH:mm:ss zzzz]: the long names of time zones (zzzz) are not supported, use z"},
		{"dataSchema.granularitySpec.intervals", `["2026"]`, "$.spec.dataSchema.granularitySpec.intervals[0]", "Invalid interval"},
		{"dataSchema.dimensionsSpec", `{"dimensions":[null]}`, "$.spec.dataSchema.dimensionsSpec.dimensions[0]", "must not be null"},
		{"dataSchema.dimensionsSpec", `{"dimensions":[{"type":"long"}]}`, "$.spec.dataSchema.dimensionsSpec.dimensions[0].name", "null or empty name"},
		{
			"dataSchema.dimensionsSpec", `{"dimensions":["a",{"type":"long","name":"__time"}]}`, "$.spec.dataSchema.dimensionsSpec.dimensions[1]",
			"Encountered dimension[__time] at position[1]. This is only supported when the dimensionsSpec parameter[forceSegmentSortByTime] is set to[false]. " +
				"Warning: support for segments not sorted by[__time] is experimental.",
		},
		{
			"dataSchema.dimensionsSpec", `{"dimensions":["a","__time"],"forceSegmentSortByTime":true}`, "$.spec.dataSchema.dimensionsSpec.dimensions[1]",
			"Encountered dimension[__time] at position[1].",
		},
		{
			"dataSchema.dimensionsSpec", `{"dimensions":["a","__time"],"forceSegmentSortByTime":false}`, "$.spec.dataSchema.dimensionsSpec.dimensions[1]",
			"Encountered dimension[__time] with incorrect type[STRING]. Type must be 'long'.",
		},
		{
			"dataSchema.dimensionsSpec", `{"dimensions":[{"type":"auto","name":"__time"}]}`, "$.spec.dataSchema.dimensionsSpec.dimensions[0]",
			"Encountered dimension[__time] with incorrect type[COMPLEX<json>]. Type must be 'long'.",
		},
		{
			"dataSchema.dimensionsSpec", `{"dimensions":["a"],"forceSegmentSortByTime":"no"}`,
			"$.spec.dataSchema.dimensionsSpec.forceSegmentSortByTime", `only "true" or "false" recognized`,
		},
		{
			"dataSchema.dimensionsSpec", `{"dimensions":[{"type":"auto","name":"a","castToType":"ARRAY<nope>"}]}`,
			"$.spec.dataSchema.dimensionsSpec.dimensions[0].castToType", "Array element type must not be null",
		},
		{
			"dataSchema.dimensionsSpec", `{"dimensions":[{"type":"auto","name":"a","castToType":"COMPLEX<hyperUnique>"}]}`,
			"$.spec.dataSchema.dimensionsSpec.dimensions[0].castToType", "Cannot find strategy for type [COMPLEX<hyperUnique>]",
		},
		{
			"dataSchema.dimensionsSpec", `{"dimensions":[{"name":"a","multiValueHandling":"x"}]}`,
			"$.spec.dataSchema.dimensionsSpec.dimensions[0].multiValueHandling", "No enum constant",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"longSum","name":"x","fieldName":"a","expression":"a+1"}]`,
			"$.spec.dataSchema.metricsSpec[0].fieldName", "Must have a valid, non-null fieldName or expression",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"count","name":"__time"}]`, "$.spec.dataSchema.metricsSpec",
			"Cannot specify a column more than once: [__time] seen in metricsSpec list, primary __time column",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"filtered","aggregator":{"type":"count","name":"c"},"filter":{"type":"not","field":{"type":"nope"}}}]`,
			"$.spec.dataSchema.metricsSpec[0].filter.field.type", "Could not resolve type id 'nope'",
		},
		{
			"dataSchema.transformSpec", `{"transforms":[{"type":"expression","name":"a","expression":"nope(b)"}]}`,
			"$.spec.dataSchema.transformSpec.transforms[0].expression", "function 'nope' is not defined.",
		},
		{
			"dataSchema.transformSpec", `{"filter":{"type":"and","fields":[{"type":"true"},{"type":"regex","dimension":"a","pattern":"("}]}}`,
			"$.spec.dataSchema.transformSpec.filter.fields[1].pattern", "missing closing )",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"expression","name":"m","fields":["a"],"initialValue":"''","fold":"concat(__acc, a)"}]`,
			"$.spec.dataSchema.metricsSpec[0].initialValue", "is of type STRING: a segment can hold",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"expression","name":"m","fields":["a"],"initialValue":"[]","fold":"array_append(__acc, a)"}]`,
			"$.spec.dataSchema.metricsSpec[0].initialValue", "is of type ARRAY<",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"expression","name":"m","fields":["a"],"initialValue":"a","fold":"__acc + a"}]`,
			"$.spec.dataSchema.metricsSpec[0].initialValue", "must be constant",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"expression","name":"m","fields":["a"],"initialValue":"0","initialCombineValue":"b","fold":"__acc + a"}]`,
			"$.spec.dataSchema.metricsSpec[0].initialCombineValue", "must be constant",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"expression","name":"m","fields":["a"],"fold":"__acc + a"}]`,
			"$.spec.dataSchema.metricsSpec[0].initialValue", "non-null initialValue",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"expression","name":"m","fields":["a"],"initialValue":"0","fold":"nope(a)"}]`,
			"$.spec.dataSchema.metricsSpec[0].fold", "function 'nope' is not defined.",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"expression","name":"m","fields":["a"],"initialValue":"0","fold":"a","combine":"m +"}]`,
			"$.spec.dataSchema.metricsSpec[0].combine", "the expression ends",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"expression","name":"m","fields":["a"],"initialValue":"0","fold":"a","maxSizeBytes":9}]`,
			"$.spec.dataSchema.metricsSpec[0].maxSizeBytes", "at least 10",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"expression","name":"m","fields":["a","b"],"initialValue":"0","fold":"a + b"}]`,
			"$.spec.dataSchema.metricsSpec[0].fields", "Must have a single input field if no combine expression is supplied",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"longSum","name":"x","expression":"1 +"}]`,
			"$.spec.dataSchema.metricsSpec[0].expression", "the expression ends",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"filtered","aggregator":{"type":"count","name":"c"},"filter":{"type":"in","dimension":"a"}}]`,
			"$.spec.dataSchema.metricsSpec[0].filter.values", "values cannot be null",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"count","name":"n"},{"type":"quantilesDoublesSketch","name":"x","fieldName":"a"}]`,
			"$.spec.dataSchema.metricsSpec[1].type", "aggregator 'quantilesDoublesSketch' is one of an extension",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"HLLSketchBuild","name":"x","fieldName":"a","lgK":22}]`,
			"$.spec.dataSchema.metricsSpec[0].lgK", "from 4 to 21",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"HLLSketchBuild","name":"x","fieldName":"a","tgtHllType":"HLL_5"}]`,
			"$.spec.dataSchema.metricsSpec[0].tgtHllType", "No enum constant org.apache.datasketches.hll.TgtHllType.HLL_5",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"HLLSketchMerge","name":"x","fieldName":"a","stringEncoding":"latin"}]`,
			"$.spec.dataSchema.metricsSpec[0].stringEncoding", "StringEncoding.LATIN",
		},
		{"dataSchema.metricsSpec", `[{"type":"HLLSketch","name":"x"}]`, "$.spec.dataSchema.metricsSpec[0].fieldName", "non-null fieldName"},
		{
			"dataSchema.metricsSpec", `[{"type":"thetaSketch","name":"x","fieldName":"a","size":1000}]`,
			"$.spec.dataSchema.metricsSpec[0].size", "positive integer-power of 2 and greater than 0: 1000",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"thetaSketch","name":"x","fieldName":"a","size":8}]`,
			"$.spec.dataSchema.metricsSpec[0].size", "from 16 to 4194304",
		},
		{"dataSchema.dataSource", "\"a\\u0001\"", "$.spec.dataSchema.dataSource", "illegal UTF8 character [#1] at position [1]"},
		{"dataSchema.dataSource", `"a😀"`, "$.spec.dataSchema.dataSource", "illegal UTF8 character [#55357] at position [1]"},
		{"$.type", `"autocompact"`, "$.type", "not supported"},
		{"$.spec", `[]`, "$.spec", "KafkaSupervisorIngestionSpec` from Array value"},
	} {
		e := problemsOf(t, with(t, c.path, c.value))
		found := false
		for _, p := range e.Problems {
			found = found || p.Path == c.at && strings.Contains(p.Message, c.message)
		}
		if !found {
			t.Errorf("%s %s: problems are %q", c.path, c.value, e.Problems)
		}
	}
}

func TestBrokenBodies(t *testing.T) {
	for body, message := range map[string]string{
		"":                         "empty or null",
		"  \n":                     "empty or null",
		"null":                     "empty or null",
		"{":                        "Unexpected end-of-input",
		"kafka":                    "Unexpected character",
		`{"type":"kafka",}`:        "Unexpected character",
		"{\"a\":\"\xff\"}":         "Invalid UTF-8 start byte 0xff",
		`"kafka"`:                  "missing type id property 'type'",
		`7`:                        "missing type id property 'type'",
		`{"type":5}`:               "Could not resolve type id '5'",
		`{"type":{}}`:              "Could not resolve type id ''",
		`{"type":"kafka"} garbage`: "problem: dataSchema",
		`{"type":"kafka","context":{"n":` + strings.Repeat("9", maxNumberText+1) + `}}`: "Number value length (1001)",
	} {
		if e := problemsOf(t, []byte(body)); !strings.Contains(e.Message, message) {
			t.Errorf("%q: %s, want %s", body, e.Message, message)
		}
	}
	deep := `{"a":` + strings.Repeat("[", 1200) + strings.Repeat("]", 1200) + "}"
	if e := problemsOf(t, with(t, "$.context", deep)); !strings.HasPrefix(e.Message, "Document nesting depth (1001)") {
		t.Errorf("deep nesting: %s", e.Message)
	}
}

func TestTopicPatterns(t *testing.T) {
	for pattern, good := range map[string]bool{
		"edits_.*": true, `a\\d+`: true, "(?!b)c": true, "a(?!b)c": false, "[a-z&&[^b]]+": false, "(a": false, "a)": false, "[a": false, "": false, "a)|(b": false,
	} {
		_, err := Parse(with(t, "ioConfig.topic", "", "ioConfig.topicPattern", `"`+pattern+`"`))
		if (err == nil) != good {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

// TestACombineMadeOfAFoldIsTakenForTheFold has names whose replacement, which is Druid's and is shown, makes no expression.
func TestACombineMadeOfAFoldIsTakenForTheFold(t *testing.T) {
	s := mustParse(t, with(t, "$.spec.dataSchema.metricsSpec", `[{"type":"expression","name":"e","fields":["x"],"initialValue":"0","fold":"max(__acc, x)"}]`))
	for range 2 { // as it is given, and as it is stored
		if got := s.Unsupported(); len(got) > 0 {
			t.Fatalf("%v", got)
		}
		form := string(s.Canonical())
		if !strings.Contains(form, `"combine":"mae(__acc, e)"`) {
			t.Fatalf("the stored form is %s", form)
		}
		s = mustParse(t, []byte(form))
	}
}

func TestUnsupported(t *testing.T) {
	if got := mustParse(t, []byte(base)).Unsupported(); len(got) > 0 {
		t.Fatalf("the base spec has %v", got)
	}
	for _, c := range []struct{ path, value, at, option string }{
		{"ioConfig.inputFormat", "", "$.spec.ioConfig.inputFormat", "inputFormat"},
		{
			"dataSchema.metricsSpec", `[{"type":"expression","name":"m","fields":["a"],"initialValue":"0","fold":"__acc + a + other"}]`,
			"$.spec.dataSchema.metricsSpec[0].combine", "combine [__mcc + m + other] reads 'other'",
		},
		{"dataSchema.metricsSpec", `[{"type":"stringAny","name":"x","fieldName":"a"}]`, "$.spec.dataSchema.metricsSpec[0].type", "stringAny"},
		{
			"dataSchema.metricsSpec", `[{"type":"cardinality","name":"x","fields":["a",{"type":"extraction","dimension":"b","extractionFn":{"type":"registeredLookup","lookup":"l"}}]}]`,
			"$.spec.dataSchema.metricsSpec[0].fields[1].extractionFn.type", "registeredLookup",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"cardinality","name":"x","fields":[{"type":"listFiltered","delegate":"__time","values":["0"]}]}]`,
			"$.spec.dataSchema.metricsSpec[0].fields[0]", "time dimension must provide an extraction function",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"cardinality","name":"x","fields":[{"type":"lookup","dimension":"a","name":"l"}]}]`,
			"$.spec.dataSchema.metricsSpec[0].fields[0].type", "'lookup'",
		},
		{
			"dataSchema.transformSpec", `{"filter":{"type":"not","field":{"type":"javascript","dimension":"a","function":"f"}}}`,
			"$.spec.dataSchema.transformSpec.filter.field.type", "javascript",
		},
		{
			"dataSchema.transformSpec", `{"filter":{"type":"bound","dimension":"a","lower":"1","ordering":"natural"}}`,
			"$.spec.dataSchema.transformSpec.filter.ordering", "natural",
		},
		{
			"dataSchema.transformSpec", `{"filter":{"type":"range","column":"a","matchValueType":"ARRAY<LONG>","lower":[1]}}`,
			"$.spec.dataSchema.transformSpec.filter.matchValueType", "range of arrays",
		},
		{
			"dataSchema.transformSpec", `{"filter":{"type":"selector","dimension":"a","value":"x","extractionFn":{"type":"registeredLookup","lookup":"l"}}}`,
			"$.spec.dataSchema.transformSpec.filter.extractionFn.type", "registeredLookup",
		},
		{
			"dataSchema.transformSpec", `{"filter":{"type":"selector","dimension":"a","value":"x","extractionFn":{"type":"javascript","function":"f"}}}`,
			"$.spec.dataSchema.transformSpec.filter.extractionFn.type", "javascript",
		},
		{
			"dataSchema.transformSpec", `{"filter":{"type":"in","dimension":"a","values":["x"],"extractionFn":{"type":"time","timeFormat":"yyyy","resultFormat":"yy"}}}`,
			"$.spec.dataSchema.transformSpec.filter.extractionFn.joda", "joda",
		},
		{
			"dataSchema.transformSpec", `{"filter":{"type":"selector","dimension":"a","value":"x","extractionFn":{"type":"timeFormat","format":"EEEE","locale":"fr"}}}`,
			"$.spec.dataSchema.transformSpec.filter.extractionFn.locale", "locale",
		},
		{
			"dataSchema.transformSpec", `{"filter":{"type":"selector","dimension":"a","value":"x","extractionFn":{"type":"timeFormat","granularity":"all"}}}`,
			"$.spec.dataSchema.transformSpec.filter.extractionFn.granularity", "granularity",
		},
		{
			"dataSchema.transformSpec", `{"filter":{"type":"columnComparison","dimensions":["a",{"type":"listFiltered","delegate":"b","values":["x"]}]}}`,
			"$.spec.dataSchema.transformSpec.filter.dimensions[1]", "default and extraction",
		},
		{
			"dataSchema.metricsSpec", `[{"type":"filtered","filter":{"type":"true"},"aggregator":{"type":"stringAny","name":"x","fieldName":"a"}}]`,
			"$.spec.dataSchema.metricsSpec[0].aggregator.type", "stringAny",
		},
	} {
		got := mustParse(t, with(t, c.path, c.value)).Unsupported()
		if len(got) != 1 || got[0].Path != c.at || !strings.Contains(got[0].Message, c.option) {
			t.Errorf("%s %s: %v, want one at %s", c.path, c.value, got, c.at)
		}
	}
}
