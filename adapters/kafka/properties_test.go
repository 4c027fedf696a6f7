package kafka

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestPropertiesDefaults(t *testing.T) {
	p, err := ParseProperties(map[string]any{"bootstrap.servers": "a:9092, PLAINTEXT://b:9093 ,"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(p.Servers, " ") != "a:9092 b:9093" || p.ReadUncommitted || !p.AutoCreateTopics ||
		p.APITimeout != time.Minute || p.RequestTimeout != 30*time.Second || p.Security.TLS || len(p.Warnings) != 0 {
		t.Errorf("%+v", p)
	}
}

func TestPropertiesMapped(t *testing.T) {
	p, err := ParseProperties(map[string]any{
		"bootstrap.servers": "a:9092", "isolation.level": "read_uncommitted", "allow.auto.create.topics": false,
		"fetch.min.bytes": json.Number("10"), "fetch.max.wait.ms": "70", "default.api.timeout.ms": json.Number("3000"),
		"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512",
		"sasl.jaas.config":        `org.apache.kafka.common.security.scram.ScramLoginModule required username="al\"i" password='p w;' ;`,
		"ssl.truststore.password": map[string]any{"type": "environment", "variable": "TRUST"}, "ssl.truststore.location": "t.jks",
		"value.deserializer": "com.example.Mine", "interceptor.classes": "x", "group.id": "mine",
	}, func(name string) (string, bool) { return "secret", name == "TRUST" })
	if err != nil {
		t.Fatal(err)
	}
	s := p.Security
	if !p.ReadUncommitted || p.AutoCreateTopics || p.FetchMinBytes != 10 || p.FetchMaxWait != 70*time.Millisecond || p.APITimeout != 3*time.Second ||
		!s.TLS || s.Mechanism != "SCRAM-SHA-512" || s.User != `al"i` || s.Password != "p w;" {
		t.Errorf("%+v", p)
	}
	if len(p.Warnings) != 2 || !strings.Contains(p.Warnings[0].Property, "interceptor.classes") || !strings.Contains(p.Warnings[1].Property, "value.deserializer") {
		t.Errorf("warnings %v", p.Warnings)
	}
}

func TestPropertiesDynamicConfig(t *testing.T) {
	env := func(name string) (string, bool) { return "from-env:9092", name == "SERVERS" }
	for name, provider := range map[string]any{
		"environment": map[string]any{"type": "environment", "variables": map[string]any{"bootstrap.servers": "SERVERS"}},
		"mapString":   map[string]any{"type": "mapString", "config": map[string]any{"bootstrap.servers": "from-env:9092"}},
	} {
		p, err := ParseProperties(map[string]any{"bootstrap.servers": "plain:9092", dynamicConfig: provider}, env)
		if err != nil || p.Servers[0] != "from-env:9092" {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestPropertiesRefused(t *testing.T) {
	for name, raw := range map[string]map[string]any{
		"no servers":         {},
		"not a number":       {"bootstrap.servers": "a:1", "fetch.min.bytes": "many"},
		"negative":           {"bootstrap.servers": "a:1", "fetch.max.wait.ms": -1},
		"isolation":          {"bootstrap.servers": "a:1", "isolation.level": "none"},
		"protocol":           {"bootstrap.servers": "a:1", "security.protocol": "CARRIER_PIGEON"},
		"gssapi":             {"bootstrap.servers": "a:1", "security.protocol": "SASL_PLAINTEXT"},
		"no user":            {"bootstrap.servers": "a:1", "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"},
		"bcfks":              {"bootstrap.servers": "a:1", "security.protocol": "SSL", "ssl.truststore.type": "BCFKS"},
		"unknown provider":   {"bootstrap.servers": "a:1", dynamicConfig: map[string]any{"type": "vault"}},
		"provider no object": {"bootstrap.servers": "a:1", dynamicConfig: "x"},
		"unset variable":     {"bootstrap.servers": "a:1", dynamicConfig: map[string]any{"type": "environment", "variables": map[string]any{"a": "B"}}},
		"object value":       {"bootstrap.servers": map[string]any{"a": "b"}},
	} {
		_, err := ParseProperties(raw, func(string) (string, bool) { return "", false })
		var s *StreamError
		if !errors.As(err, &s) || s.ExceptionClass != classConfig {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzProperties wants an answer in Druid's words, whatever is given, and warnings that quote no secret.
func FuzzProperties(f *testing.F) {
	for _, text := range []string{
		`{"bootstrap.servers":"a:1,SSL://b:2","fetch.min.bytes":1e3,"check.crcs":"no"}`,
		`{"bootstrap.servers":["a:1",{}],"druid.dynamic.config.provider":{"type":"environment","variables":{"x":"Y"}}}`,
		`{"bootstrap.servers":"a:1","security.protocol":"SASL_SSL","sasl.mechanism":"OAUTHBEARER","sasl.jaas.config":"a required clientId=x clientSecret=y;","sasl.oauthbearer.token.endpoint.url":"https://[::1"}`,
		`{"bootstrap.servers":"a:1","security.protocol":"SSL","ssl.cipher.suites":",","ssl.enabled.protocols":"TLSv1.3,,","ssl.keystore.type":"PEM","ssl.key.password":{"type":"default","password":1}}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var raw map[string]any
		if json.Unmarshal([]byte(text), &raw) != nil {
			return
		}
		env := func(name string) (string, bool) { return name, name != "" }
		p, err := ParseProperties(raw, env)
		var s *StreamError
		if err != nil && (p != nil || !errors.As(err, &s) || s.ExceptionClass != classConfig) {
			t.Errorf("%s: %v", text, err)
		}
		if err == nil && len(p.Servers) == 0 {
			t.Errorf("%s: no servers", text)
		}
		if err == nil {
			p.fingerprint()
			if _, err := p.saslMechanism(); err != nil && p.Security.OAuth.TLS == nil {
				t.Errorf("%s: %v", text, err)
			}
		}
		for _, w := range Warnings(raw, env) {
			if w.Reason == "" {
				t.Errorf("%s: a warning for %q says nothing", text, w.Property)
			}
		}
	})
}
