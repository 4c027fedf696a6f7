package main

import "testing"

func TestSpecsCannotReadOurOwnVariables(t *testing.T) {
	t.Setenv("OGHAM_SECRET_KEY", "canary")
	t.Setenv("KAFKA_PASSWORD", "p")
	if v, ok := environment("OGHAM_SECRET_KEY"); ok || v != "" {
		t.Errorf("a spec can read the secret key: %q", v)
	}
	if v, ok := environment("KAFKA_PASSWORD"); !ok || v != "p" {
		t.Errorf("a spec cannot read %q, %v", v, ok)
	}
}
