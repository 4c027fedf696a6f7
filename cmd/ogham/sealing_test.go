package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"ogham/adapters/secrets"
	"ogham/domain/spec"
)

func TestSealedSpecHoldsNoSecretAndIsEqualTheSecondTime(t *testing.T) {
	sealer, err := secrets.Create(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"type":"kafka","spec":{"dataSchema":{"dataSource":"a","timestampSpec":{"column":"t"},"dimensionsSpec":{"dimensions":["d"]}},
 "ioConfig":{"topic":"t","inputFormat":{"type":"avro_stream","avroBytesDecoder":{"type":"schema_registry","url":"http://u:canary@r","headers":{"Authorization":"canary"}}},"consumerProperties":{"bootstrap.servers":"b:1",
  "sasl.jaas.config":"password=\"canary\"","ssl.key.password":{"type":"default","password":"canary"}}},
 "tuningConfig":{"type":"kafka"}},"context":{"k":1},"suspended":true}`)
	open, err := spec.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	closed, err := sealSpec(sealer, open)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(closed.Canonical(), []byte("canary")) {
		t.Errorf("the secret is in %s", closed.Canonical())
	}
	again, err := sealSpec(sealer, open)
	if err != nil || !again.Equal(closed) {
		t.Errorf("sealed again it is another spec: %v", err)
	}
	posted, err := spec.Parse(closed.Canonical())
	if err != nil {
		t.Fatal(err)
	}
	if twice, err := sealSpec(sealer, posted); err != nil || !twice.Equal(closed) {
		t.Errorf("what was answered and posted back is another spec: %v", err)
	}
	if !closed.Suspended || string(closed.Context) != `{"k":1}` {
		t.Errorf("suspended %v, context %s: the rest of the spec changed", closed.Suspended, closed.Context)
	}
	format, err := sealer.OpenFormat(closed.IOConfig.InputFormat.Raw)
	if err != nil || bytes.Count(format, []byte("canary")) != 2 {
		t.Errorf("the inputFormat opened: %s, %v", format, err)
	}
	props, err := sealer.OpenProperties(closed.IOConfig.ConsumerProperties)
	if err != nil || props["sasl.jaas.config"] != `password="canary"` {
		t.Errorf("opened: %v, %v", props, err)
	}
}
