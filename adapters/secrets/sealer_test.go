package secrets

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func sealer(t *testing.T) *Sealer {
	t.Helper()
	s, err := Create(filepath.Join(t.TempDir(), "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSecretsAreSealedAndOpened(t *testing.T) {
	s := sealer(t)
	props := map[string]any{
		"bootstrap.servers": "b:9092", "sasl.jaas.config": "user=u password=canary-1",
		"ssl.key.password":              map[string]any{"type": "default", "password": "canary-2"},
		"ssl.truststore.password":       map[string]any{"type": "environment", "variable": "TRUST"},
		"druid.dynamic.config.provider": map[string]any{"type": "mapString", "config": map[string]any{"sasl.jaas.config": "canary-3"}},
	}
	out, found := s.SealProperties(props)
	stored, err := json.Marshal(out)
	if err != nil || !found || strings.Contains(string(stored), "canary") {
		t.Fatalf("stored form %s, %v, %v", stored, found, err)
	}
	again, _ := s.SealProperties(props)
	if !reflect.DeepEqual(out, again) {
		t.Error("the same secrets have another form the second time")
	}
	if twice, did := s.SealProperties(out); did || !reflect.DeepEqual(twice, out) {
		t.Error("sealed values were sealed again")
	}
	var read map[string]any
	if err := json.Unmarshal(stored, &read); err != nil {
		t.Fatal(err)
	}
	opened, err := s.OpenProperties(read)
	if err != nil || !reflect.DeepEqual(opened, props) {
		t.Errorf("opened %v, %v", opened, err)
	}
}

func TestSecretsAreFoundInOddPlaces(t *testing.T) {
	s := sealer(t)
	props := map[string]any{
		"bootstrap.servers": "b:9092", "default.api.timeout.ms": json.Number("1"), "ssl.endpoint.identification.algorithm": "",
		"sasl.jaas.config":                map[string]any{"type": "default", "password": "canary-1"},
		"ssl.keystore.password":           map[string]any{"type": "ofSomeExtension", "where": map[string]any{"it": []any{"canary-2"}}},
		"ssl.truststore.password":         []any{"x", "canary-3"},
		"api_key":                         "canary-4",
		"basic.auth.user.info":            "user:canary-5",
		"sasl.login.callback.some.token":  "canary-6",
		"some.extension":                  map[string]any{"client-secret": "canary-7", "host": "h"},
		"druid.dynamic.config.provider":   map[string]any{"type": "mapString", "config": map[string]any{"a": map[string]any{"b": "canary-8"}}},
		"some.other.dynamic.config.store": map[string]any{"type": "environment", "variables": map[string]any{"ssl.key.password": "KEY_PW"}},
	}
	out, found := s.SealProperties(props)
	stored, err := json.Marshal(out)
	if err != nil || !found || strings.Contains(string(stored), "canary") {
		t.Fatalf("stored form %s, %v, %v", stored, found, err)
	}
	if out["bootstrap.servers"] != "b:9092" || out["some.extension"].(map[string]any)["host"] != "h" {
		t.Errorf("what is no secret was sealed: %s", stored)
	}
	if !reflect.DeepEqual(out["some.other.dynamic.config.store"], props["some.other.dynamic.config.store"]) {
		t.Error("names of variables were sealed")
	}
	if twice, did := s.SealProperties(out); did || !reflect.DeepEqual(twice, out) {
		t.Error("sealed values were sealed again")
	}
	if opened, err := s.OpenProperties(out); err != nil || !reflect.DeepEqual(opened, props) {
		t.Errorf("opened %v, %v", opened, err)
	}
}

func TestSecretsAreFoundByTheirForm(t *testing.T) {
	for text, secret := range map[string]bool{
		"http://user:canary@proxy:3128":                         true,
		"a:1,SASL_SSL://user:canary@b:2":                        true,
		"https://registry/?apiKey=canary&x=1":                   true,
		"x required username=\"u\" password = \"canary\";":      true,
		`{"client_secret": "canary"}`:                           true,
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII":            true,
		"broker-1:9092,broker-2:9092":                           false,
		"SSL://[::1]:9092":                                      false,
		"http://host:8081/a:b@c":                                false,
		"http://user@host:80/":                                  false,
		"https":                                                 false,
		"org.apache.kafka.common.security.token.TokenValidator": false,
		"/etc/secrets/password.jks":                             false,
		"-----BEGIN CERTIFICATE-----\nMII":                      false,
		"":                                                      false,
	} {
		if got := SecretText(text); got != secret {
			t.Errorf("%q is a secret: %v, want %v", text, got, secret)
		}
		s := sealer(t)
		out, found := s.SealProperties(map[string]any{"some.name": []any{text}})
		if found != secret {
			t.Errorf("%q was sealed: %v, want %v", text, found, secret)
		}
		if opened, err := s.OpenProperties(out); err != nil || opened["some.name"].([]any)[0] != text {
			t.Errorf("%q came back as %v, %v", text, opened, err)
		}
	}
}

func TestTheKeysOfSealedValuesAreTold(t *testing.T) {
	a, b := sealer(t), sealer(t)
	var both []any
	for _, s := range []*Sealer{a, b, a} {
		out, _ := s.SealProperties(map[string]any{"ssl.key.password": "canary", "x": map[string]any{"type": "default", "password": "p"}})
		both = append(both, out)
	}
	text, err := json.Marshal(map[string]any{"spec": both, "type": sealedType})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{a.ID(), b.ID()}
	slices.Sort(want)
	if got := SealedWith(text); !slices.Equal(got, want) {
		t.Errorf("sealed with %q, want %q", got, want)
	}
	for _, text := range []string{`{}`, `{"type":"ogham-sealed"`, `"ogham-sealed"`} {
		if got := SealedWith([]byte(text)); len(got) > 0 {
			t.Errorf("%s is sealed with %q", text, got)
		}
	}
}

func TestSecretsOfSchemaRegistriesAreSealed(t *testing.T) {
	s := sealer(t)
	const format = `{"type":"kafka","valueFormat":{"type":"avro_stream","avroBytesDecoder":{"type":"schema_registry","capacity":12345678901234567890,
 "url":"https://u:canary-1@registry","urls":["http://plain","http://u:canary-2@b"],
 "config":{"specific.avro.reader":"USER_INFO","basic.auth.user.info":"u:canary-3","x":"password=canary-4",
  "druid.dynamic.config.provider":{"type":"mapString","config":{"a":"canary-5"}},
  "other":{"type":"environment","variables":{"password":"PASSWORD"}}},
 "headers":{"Authorization":"Bearer canary-6","X-Team":"edits"}},
 "flattenSpec":{"fields":[{"type":"path","name":"password","expr":"$.password"},"token: x"]}},"columns":["password=1"]}`
	out, found, err := s.SealFormat([]byte(format))
	if err != nil || !found || strings.Contains(string(out), "canary") {
		t.Fatalf("sealed %s, %v, %v", out, found, err)
	}
	for _, kept := range []string{`"http://plain"`, `"USER_INFO"`, `"edits"`, `"$.password"`, `"token: x"`, `"password=1"`, `12345678901234567890`, `{"password":"PASSWORD"}`} {
		if !strings.Contains(string(out), kept) {
			t.Errorf("what is no secret was sealed: %s is not in %s", kept, out)
		}
	}
	if twice, did, err := s.SealFormat(out); err != nil || did || string(twice) != string(out) {
		t.Errorf("sealed values were sealed again: %v, %v", did, err)
	}
	if got := SealedWith(out); !slices.Equal(got, []string{s.ID()}) {
		t.Errorf("sealed with %q", got)
	}
	opened, err := s.OpenFormat(out)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := decode([]byte(format))
	if got, err := decode(opened); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("opened %s, %v", opened, err)
	}
	if _, err := sealer(t).OpenFormat(out); err == nil || !strings.Contains(err.Error(), "sealed with key") {
		t.Errorf("another key: %v", err)
	}
	if same, found, err := s.SealFormat([]byte(`{"type":"json"}`)); err != nil || found || string(same) != `{"type":"json"}` {
		t.Errorf("a format without secrets became %s, %v, %v", same, found, err)
	}
}

func TestAnotherKeyAndChangedValuesAreRefusedByName(t *testing.T) {
	s := sealer(t)
	out, _ := s.SealProperties(map[string]any{"ssl.key.password": "canary"})
	if _, err := sealer(t).OpenProperties(out); err == nil || !strings.Contains(err.Error(), "ssl.key.password") {
		t.Errorf("another key: %v", err)
	}
	for _, v := range []string{"", "AAAA", "!", out["ssl.key.password"].(map[string]any)["value"].(string) + "AAAA"} {
		broken := map[string]any{"ssl.key.password": map[string]any{"type": sealedType, "key": s.id, "value": v}}
		if _, err := s.OpenProperties(broken); err == nil {
			t.Errorf("value %q was opened", v)
		}
	}
}

func TestTheKeyFileIsKeptAndForTheOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret.key")
	if _, err := FromFile(path); !errors.Is(err, ErrNoKey) {
		t.Fatalf("without a file: %v", err)
	}
	a, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path); err == nil {
		t.Error("a key was made over another one")
	}
	b, err := FromFile(path)
	if err != nil || a.id != b.id {
		t.Fatalf("the key is another one at the second start: %v", err)
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := FromFile(path); err == nil {
		t.Error("a broken key was taken")
	}
}

func TestEveryTextComesBack(t *testing.T) {
	s := sealer(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		got, err := s.open(s.seal(text))
		if err != nil || got != text {
			t.Fatalf("%q came back as %v, %v", text, got, err)
		}
	})
}
