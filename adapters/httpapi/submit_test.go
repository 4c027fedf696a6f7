package httpapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// warning is an entry of the header Ogham-Warnings.
type warning struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

const plainSpec = `{"type":"kafka","spec":{"dataSchema":{"dataSource":"edits","timestampSpec":{"column":"ts"},"dimensionsSpec":{}},` +
	`"ioConfig":{"topic":"t","inputFormat":{"type":"json"},"consumerProperties":{"bootstrap.servers":"h:1"}}}}`

func TestSubmitWarns(t *testing.T) {
	s := serve(t)
	body := strings.Replace(plainSpec, `"topic":"t"`, `"topic":"t","frobnicäte":1`, 1)
	got := s.ask(t, http.MethodPost, supervisors, body, "Content-Type", "application/json")
	if got.status != 200 || got.text != `{"id":"edits"}` {
		t.Fatalf("submit: %d %s", got.status, got.text)
	}
	var warnings []warning
	if err := json.Unmarshal([]byte(got.header.Get("Ogham-Warnings")), &warnings); err != nil {
		t.Fatalf("the header Ogham-Warnings is no JSON: %v: %q", err, got.header.Get("Ogham-Warnings"))
	}
	if want := (warning{`$.spec.ioConfig["frobnicäte"]`, "unknown field, ignored"}); len(warnings) != 1 || warnings[0] != want {
		t.Errorf("warnings are %q, want %q", warnings, want)
	}
	got = s.ask(t, http.MethodPost, supervisors, plainSpec, "Content-Type", "application/json")
	if values := got.header.Values("Ogham-Warnings"); got.status != 200 || len(values) > 0 {
		t.Errorf("submit of a spec without faults: %d with %q", got.status, values)
	}
}

// TestParametersOfNewerClientsAreHarmless sends what Druid 37 and 38 know, and what nobody does.
func TestParametersOfNewerClientsAreHarmless(t *testing.T) {
	s := serve(t)
	const more = "backfillTaskCount=2&terminateUnknown=true&nobody=knows"
	if got := s.ask(t, http.MethodPost, supervisors+"?skipRestartIfUnmodified=true&"+more, plainSpec, "Content-Type", "application/json"); got.status != 200 || got.text != `{"id":"edits"}` {
		t.Fatalf("submit: %d %s", got.status, got.text)
	}
	for _, path := range []string{"", "/edits", "/edits/history", "/edits/health", "/edits/stats", "/edits/parseErrors", "/history"} {
		plain, with := s.get(t, supervisors+path), s.get(t, supervisors+path+"?"+more)
		if with.status != plain.status || with.text != plain.text {
			t.Errorf("%s: %d %s with parameters, %d %s without", path, with.status, with.text, plain.status, plain.text)
		}
	}
	for _, command := range []string{"/edits/suspend", "/edits/resume", "/edits/reset", "/edits/terminate"} {
		if got := s.ask(t, http.MethodPost, supervisors+command+"?"+more, ""); got.status != 200 {
			t.Errorf("%s: %d %s", command, got.status, got.text)
		}
	}
}
