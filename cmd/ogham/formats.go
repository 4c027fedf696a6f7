package main

import (
	"encoding/json"

	"ogham/adapters/inputformat"
	"ogham/domain/row"
	"ogham/domain/spec"
)

// checkFormat makes the parser of a spec's inputFormat as its tasks will. What cannot be made is refused when the spec is
// posted: a JsonPath, a jq query, a pattern or a schema that does not compile fails every task in Druid. Nothing is
// fetched: neither a file nor a schema.
func checkFormat(formats *inputformat.Formats, sp *spec.Supervisor) error {
	format := sp.IOConfig.InputFormat
	if format.Type == "" || needsFile(format.Raw) {
		return nil
	}
	// The worker's environment need not be ours.
	check := &inputformat.Formats{Open: formats.Open, TLS: formats.TLS, Env: func(string) (string, bool) { return "user:password", true }}
	_, err := check.New(format.Raw, row.Schema{Timestamp: row.Timestamp{Column: "ts"}})
	if err == nil {
		return nil
	}
	const path = "$.spec.ioConfig.inputFormat"
	return &spec.InvalidError{
		Message: "inputFormat: " + err.Error(), Problems: []spec.Problem{{Path: path, Message: err.Error()}},
	}
}

// needsFile says whether a format, or one within it, reads a file: the worker's, which need not be here.
func needsFile(format json.RawMessage) bool {
	var f struct {
		ProtoBytesDecoder struct {
			Type string `json:"type"`
		} `json:"protoBytesDecoder"`
		ThriftFile  string          `json:"thriftFile"`
		KeyFormat   json.RawMessage `json:"keyFormat"`
		ValueFormat json.RawMessage `json:"valueFormat"`
	}
	if len(format) == 0 || json.Unmarshal(format, &f) != nil {
		return false
	}
	return f.ProtoBytesDecoder.Type == "file" || f.ThriftFile != "" || needsFile(f.KeyFormat) || needsFile(f.ValueFormat)
}
