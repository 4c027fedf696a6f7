package kafka

import (
	"slices"
	"strings"
	"testing"
)

func TestEveryKnownPropertyIsThereOnceAndHasAnEffect(t *testing.T) {
	for i, p := range KnownProperties {
		if i > 0 && KnownProperties[i-1].Name >= p.Name {
			t.Errorf("%s is there twice", p.Name)
		}
		switch p.Effect {
		case Mapped:
		case NoEffect, NotPossible:
			if p.Note == "" {
				t.Errorf("%s is %s, and nothing says why", p.Name, p.Effect)
			}
		default:
			t.Errorf("%s has the effect %q", p.Name, p.Effect)
		}
		if len(p.Harmless) > 0 && p.Effect != NotPossible {
			t.Errorf("%s: the harmless values %q can never count", p.Name, p.Harmless)
		}
	}
}

func TestWarningsNameWhatIsNotFollowed(t *testing.T) {
	raw := map[string]any{
		"bootstrap.servers": "a:1", "acks": "all", "interceptor.classes": "a.B", "client.dns.lookup": "use_all_dns_ips",
		"value.deserializer": "org.apache.kafka.common.serialization.ByteArrayDeserializer", "key.deserializer": "a.B",
		"metric.reporters": "org.apache.kafka.common.metrics.JmxReporter,a.B", "group.id": "g", "auto.offset.reset": "latest",
		dynamicConfig: map[string]any{"type": "environment", "variables": map[string]any{"security.providers": "X", "sasl.jaas.config": "Y"}},
	}
	names := func(env Lookup) []string {
		var out []string
		for _, w := range Warnings(raw, env) {
			out = append(out, w.Property)
		}
		return out
	}
	if got, want := names(nil), []string{"acks", "interceptor.classes", "key.deserializer", "metric.reporters"}; !slices.Equal(got, want) {
		t.Errorf("warnings for %q, want %q", got, want)
	}
	env := func(string) (string, bool) { return "canary", true }
	if got, want := names(env), []string{"acks", "interceptor.classes", "key.deserializer", "metric.reporters", "security.providers"}; !slices.Equal(got, want) {
		t.Errorf("with the environment, warnings for %q, want %q", got, want)
	}
	for _, w := range Warnings(raw, env) {
		if strings.Contains(w.Reason, "canary") || strings.Contains(w.Reason, "a.B") {
			t.Errorf("the warning for %s quotes a value: %s", w.Property, w.Reason)
		}
	}
	delete(raw, "bootstrap.servers")
	raw["fetch.min.bytes"] = "many"
	if got := Warnings(raw, env); !slices.ContainsFunc(got, func(w Warning) bool { return w.Property == "fetch.min.bytes" }) ||
		!slices.ContainsFunc(got, func(w Warning) bool { return w.Property == "acks" }) {
		t.Errorf("of properties that cannot be used: %v", got)
	}
}
