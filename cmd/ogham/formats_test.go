package main

import (
	"errors"
	"strings"
	"testing"

	"ogham/adapters/inputformat"
	"ogham/adapters/kafka"
	"ogham/domain/spec"
)

func TestAFormatThatCannotBeMadeIsRefusedWhenItIsPosted(t *testing.T) {
	for format, want := range map[string]string{
		`{"type":"json","flattenSpec":{"fields":[{"type":"path","name":"p","expr":"$.a["}]}}`:    "JsonPath",
		`{"type":"json","flattenSpec":{"fields":[{"type":"path","name":"p","expr":"$.a.f()"}]}}`: "Function with name: f does not exist",
		`{"type":"json","flattenSpec":{"fields":[{"type":"jq","name":"q","expr":".["}]}}`:        "jq query",
		`{"type":"regex","pattern":"(a"}`:                                                                                                                    "regular expression",
		`{"type":"kafka","valueFormat":{"type":"regex","pattern":"a(?=b)"}}`:                                                                                 "regular expression",
		`{"type":"thrift","thriftIdl":"struct A { 1: B b }","thriftClass":"A"}`:                                                                              "line 1: a type is neither",
		`{"type":"kafka","valueFormat":{"type":"thrift","thriftFile":"/of/the/worker.thrift","thriftClass":"A"}}`:                                            "",
		`{"type":"avro_stream","avroBytesDecoder":{"type":"schema_registry","url":"https://r:1","config":{"ssl.truststore.location":"/of/the/worker.jks"}}}`: "",
		`{"type":"avro_stream","avroBytesDecoder":{"type":"schema_registry","url":"https://r:1","config":{"ssl.keystore.type":"BCFKS"}}}`:                    "ssl.keystore.type",
		`{"type":"csv","columns":["a"]}`: "",
	} {
		sp := &spec.Supervisor{}
		sp.IOConfig.InputFormat = spec.InputFormat{Type: "x", Raw: []byte(format)}
		err := checkFormat(&inputformat.Formats{TLS: kafka.ClientTLS}, sp)
		var invalid *spec.InvalidError
		switch {
		case want == "" && err != nil:
			t.Errorf("%s is refused: %v", format, err)
		case want != "" && (!errors.As(err, &invalid) || !strings.Contains(invalid.Problems[0].Message, want)):
			t.Errorf("%s: %v, want a problem with %q", format, err, want)
		}
	}
}
