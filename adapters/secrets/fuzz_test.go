package secrets

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzSealed seals and opens any JSON, as a format's and as properties: what comes back is what it was, sealing twice is
// sealing once, and what was sealed by nobody is opened or refused.
func FuzzSealed(f *testing.F) {
	s, err := New("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{
		`{"sasl.jaas.config":"x password=\"p\";","n":1.50,"list":["-----BEGIN PRIVATE KEY-----",null]}`,
		`{"type":"avro_stream","avroBytesDecoder":{"type":"schema_registry","url":"http://u:p@h","config":{"basic.auth.user.info":"u:p"},"headers":{"Authorization":"Bearer x"}}}`,
		`{"a":{"type":"` + sealedType + `","key":"` + s.ID() + `","value":"AAAA"}}`, `{"a":{"type":"` + sealedType + `"}}`,
		`["` + textPrefix + s.ID() + `:AAAA","` + textPrefix + `","` + textPrefix + `x"]`, `"` + textPrefix + s.ID() + ":" + s.box("secret") + `"`, `null`, ``,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		SealedWith(data)
		if opened, err := s.OpenFormat(data); err == nil {
			data = opened // with nothing sealed left
		}
		if bytes.Contains(data, []byte(textPrefix)) || bytes.Contains(data, []byte(sealedType)) {
			return
		}
		whole, err := decode(data)
		if err != nil {
			return
		}
		sealed, _, err := s.SealFormat(data)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if again, found, err := s.SealFormat(sealed); err != nil || found {
			t.Fatalf("%s is sealed twice: %s, %v", sealed, again, err)
		}
		opened, err := s.OpenFormat(sealed)
		if err != nil {
			t.Fatalf("%s: %v", sealed, err)
		}
		if back, err := decode(opened); err != nil || !reflect.DeepEqual(back, whole) {
			t.Fatalf("%s was sealed as %s and opened as %s, %v", data, sealed, opened, err)
		}
		var props map[string]any
		if json.Unmarshal(data, &props) != nil {
			return
		}
		closed, _ := s.SealProperties(props)
		open, err := s.OpenProperties(closed)
		if err != nil || len(props) > 0 && !reflect.DeepEqual(open, props) {
			t.Fatalf("%v was sealed as %v and opened as %v, %v", props, closed, open, err)
		}
	})
}
