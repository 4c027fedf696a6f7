package spec

import (
	"encoding/json"
	"testing"
)

// TestInputFormatsAreStoredAsDruidWritesThem has what Druid 33 writes for each format that it reads.
func TestInputFormatsAreStoredAsDruidWritesThem(t *testing.T) {
	for posted, stored := range map[string]string{
		`{"type":"csv","columns":["a","b"],"findColumnsFromHeader":false,"skipHeaderRows":0,"tryParseNumbers":false}`: `{"type":"csv","columns":["a","b"]}`,
		`{"type":"csv","findColumnsFromHeader":true,"skipHeaderRows":2,"listDelimiter":"|","tryParseNumbers":true}`:   `{"type":"csv","listDelimiter":"|","findColumnsFromHeader":true,"skipHeaderRows":2,"shouldTryParseNumbers":true}`,
		`{"type":"csv","hasHeaderRow":true}`: `{"type":"csv","findColumnsFromHeader":true}`,
		`{"type":"tsv","columns":["a"]}`:     `{"type":"tsv","columns":["a"],"delimiter":"\t"}`,
		`{"type":"tsv","columns":["a"],"delimiter":"|","findColumnsFromHeader":true,"skipHeaderRows":1,"tryParseNumbers":true}`: `{"type":"tsv","columns":["a"],"delimiter":"|","findColumnsFromHeader":true,"skipHeaderRows":1,"shouldTryParseNumbers":true}`,
		`{"type":"regex","pattern":"(.*)"}`:                                     `{"type":"regex","pattern":"(.*)"}`,
		`{"type":"regex","pattern":"(.*)","columns":["a"],"listDelimiter":"|"}`: `{"type":"regex","pattern":"(.*)","listDelimiter":"|","columns":["a"]}`,
		`{"type":"json","flattenSpec":{"fields":["a",{"type":"PATH","name":"p","expr":"$.a"},{"type":"tree","name":"t","nodes":["a"]},{"type":"jq","name":"q","expr":"."},{"type":"root","name":"r"}]},"featureSpec":{"ALLOW_COMMENTS":true},"keepNullColumns":false,"assumeNewlineDelimited":true}`: `{"type":"json","flattenSpec":{"useFieldDiscovery":true,"fields":[{"type":"root","name":"a","expr":"a","nodes":null},{"type":"path","name":"p","expr":"$.a","nodes":null},{"type":"tree","name":"t","expr":null,"nodes":["a"]},{"type":"jq","name":"q","expr":".","nodes":null},{"type":"root","name":"r","expr":"r","nodes":null}]},"featureSpec":{"ALLOW_COMMENTS":true},"keepNullColumns":false,"assumeNewlineDelimited":true}`,
		`{"type":"json","flattenSpec":{},"featureSpec":{},"useJsonNodeReader":true,"keepNullColumns":null}`: `{"type":"json","flattenSpec":{"useFieldDiscovery":true,"fields":[]},"useJsonNodeReader":true}`,
		`{"type":"kafka","valueFormat":{"type":"json"}}`:                                                    `{"type":"kafka","headerFormat":null,"keyFormat":null,"valueFormat":{"type":"json"},"headerColumnPrefix":"kafka.header.","keyColumnName":"kafka.key","timestampColumnName":"kafka.timestamp","topicColumnName":"kafka.topic"}`,
		`{"type":"kafka","valueFormat":{"type":"json"},"headerFormat":{"type":"string"},"keyFormat":{"type":"csv","columns":["k"]},"topicColumnName":"t","headerColumnPrefix":"h.","keyColumnName":"k","timestampColumnName":"ts"}`: `{"type":"kafka","headerFormat":{"type":"string","encoding":"UTF-8"},"keyFormat":{"type":"csv","columns":["k"]},"valueFormat":{"type":"json"},"headerColumnPrefix":"h.","keyColumnName":"k","timestampColumnName":"ts","topicColumnName":"t"}`,
		`{"type":"avro_stream","avroBytesDecoder":{"type":"schema_registry","url":"http://r:1"}}`:                                                                                                                                   `{"type":"avro_stream","avroBytesDecoder":{"type":"schema_registry","url":"http://r:1","capacity":2147483647,"urls":null,"config":null,"headers":null},"binaryAsString":false,"extractUnionsByType":false}`,
		`{"type":"thrift","flattenSpec":{},"thriftJar":"a.jar","thriftFile":"/a.thrift","thriftClass":"com.example.A"}`:                                                                                                             `{"type":"thrift","flattenSpec":{"useFieldDiscovery":true,"fields":[]},"thriftJar":"a.jar","thriftFile":"/a.thrift","thriftClass":"com.example.A"}`,
		`{"type":"thrift","thriftIdl":"struct A {}","thriftClass":"A"}`:                                                                                                                                                             `{"type":"thrift","thriftIdl":"struct A {}","thriftClass":"A"}`,
		`{"type":"protobuf","protoBytesDecoder":{"type":"file","descriptor":"file:///d"}}`:                                                                                                                                          `{"type":"protobuf","protoBytesDecoder":{"type":"file","descriptor":"file:///d","protoMessageType":null}}`,
	} {
		s, err := Parse(with(t, "ioConfig.inputFormat", posted))
		if err != nil {
			t.Errorf("%s: %v", posted, err)
			continue
		}
		requireSameJSON(t, s.IOConfig.InputFormat.Raw, []byte(stored))
		again, err := Parse(with(t, "ioConfig.inputFormat", stored))
		if err != nil {
			t.Errorf("posted again, %s: %v", stored, err)
			continue
		}
		requireSameJSON(t, again.IOConfig.InputFormat.Raw, json.RawMessage(stored))
	}
}
