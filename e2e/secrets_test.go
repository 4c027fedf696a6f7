package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// warned is what an answer or a status says that is not followed.
type warned []struct{ Path, Message string }

func (w warned) paths() []string {
	var out []string
	for _, x := range w {
		out = append(out, x.Path)
	}
	return out
}

// submitWarned posts a spec that has to be accepted, and returns the header of warnings.
func (s *server) submitWarned(spec []byte) (out warned) {
	s.t.Helper()
	res, err := client.Post(s.url()+supervisorPath, "application/json", bytes.NewReader(spec))
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text := res.Header.Get("Ogham-Warnings")
	if res.StatusCode != http.StatusOK {
		s.t.Fatalf("the spec was answered with %d", res.StatusCode)
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			s.t.Fatalf("the header Ogham-Warnings is %q: %v", text, err)
		}
	}
	return out
}

// standing are the warnings of a status, and whether it has the member.
func (s *server) standing(id string) (warned, bool) {
	s.t.Helper()
	var answer struct{ Payload map[string]json.RawMessage }
	s.must("GET", pathOf(id, "/status"), nil, &answer)
	text, ok := answer.Payload["warnings"]
	var out warned
	if ok {
		if err := json.Unmarshal(text, &out); err != nil {
			s.t.Fatalf("the warnings of %s are %s: %v", id, text, err)
		}
	}
	return out, ok
}

// TestConsumerPropertiesThatAreNotFollowedAreNamed wants them in the answer to the spec and in the status, without values.
func TestConsumerPropertiesThatAreNotFollowedAreNamed(t *testing.T) {
	t.Parallel()
	dead := newDeadPort(t)
	s := newServer(t, "warned").start()
	with := func(id string, more map[string]any) []byte {
		return specOf(id, "topic", dead.addr, func(x sections) {
			props := x.io["consumerProperties"].(map[string]any)
			for name, v := range more {
				props[name] = v
			}
		})
	}
	const place = "$.spec.ioConfig.consumerProperties"
	want := []string{place + `["interceptor.classes"]`, place + `["ssl.engine.factory.class"]`, place + `["vault.token"]`}
	got := s.submitWarned(with("warned", map[string]any{
		"interceptor.classes": "com.example.Canary", "ssl.engine.factory.class": "com.example.Canary", "vault.token": "canary",
		"group.id": "g", "max.poll.records": 500,
	}))
	if !slices.Equal(got.paths(), want) {
		t.Errorf("the answer warns of %v, want %q", got, want)
	}
	standing, _ := s.standing("warned")
	if !slices.Equal(standing.paths(), want) {
		t.Errorf("the status warns of %v, want %q", standing, want)
	}
	for _, w := range append(got, standing...) {
		if strings.Contains(strings.ToLower(w.Message), "canary") {
			t.Errorf("a warning quotes a value: %v", w)
		}
	}
	if got := s.submitWarned(with("plain", map[string]any{"group.id": "g"})); len(got) > 0 {
		t.Errorf("a spec that is followed wholly has the warnings %v", got)
	}
	if got, ok := s.standing("plain"); ok {
		t.Errorf("its status has the warnings %v", got)
	}
	if got := s.submitWarned(with("kerberos", map[string]any{"security.protocol": "SASL_SSL"})); !slices.Equal(got.paths(), []string{place + `["sasl.mechanism"]`}) {
		t.Errorf("Kerberos is answered with %v", got)
	}
	s.noCanary("warned", "canary-none")
}

// noCanary wants a secret nowhere: not in an answer, not in the events, not in what the server says, not in its files.
func (s *server) noCanary(id string, canaries ...string) {
	s.t.Helper()
	look := func(where string, b []byte) {
		for _, c := range canaries {
			if i := bytes.Index(b, []byte(c)); i >= 0 {
				s.t.Errorf("%s has the secret %s: ...%s", where, c, b[max(0, i-200):min(len(b), i+len(c)+20)])
			}
		}
	}
	for _, path := range []string{
		pathOf(id, ""), pathOf(id, "/status"), pathOf(id, "/history"), supervisorPath + "?full", supervisorPath + "?system", supervisorPath + "/history",
		"/ogham/v1/events", "/druid/indexer/v1/tasks",
	} {
		_, b, err := s.call("GET", path, nil)
		if err != nil {
			s.t.Errorf("GET %s: %v", path, err)
		}
		look("GET "+path, b)
	}
	for _, file := range s.logs {
		b, err := os.ReadFile(file)
		if err != nil {
			s.t.Error(err)
		}
		look("what the server says", b)
	}
	err := filepath.WalkDir(s.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // files come and go while the server runs
		}
		if b, err := os.ReadFile(path); err == nil {
			look(path, b)
		}
		return nil
	})
	if err != nil {
		s.t.Error(err)
	}
}

// TestALostSecretKeyIsNoticed takes the key away from a server whose log has sealed secrets: it does not start with
// another one in silence, and once the operator gives it one, it says which supervisor has to be posted again.
func TestALostSecretKeyIsNoticed(t *testing.T) {
	t.Parallel()
	dead := newDeadPort(t)
	s := newServer(t, "lostkey").start()
	login := func(x sections) {
		impatient(x)
		props := x.io["consumerProperties"].(map[string]any)
		props["security.protocol"], props["sasl.mechanism"] = "SASL_PLAINTEXT", "PLAIN"
		props["sasl.jaas.config"] = `org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="canary-1";`
		props["some.proxy"] = "http://user:canary-2@proxy:3128"
	}
	s.submit(specOf("sealed", "topic", dead.addr, login))
	s.submit(specOf("open", "topic", dead.addr, impatient))
	s.waitState("sealed", "UNABLE_TO_CONNECT_TO_STREAM")
	s.noCanary("sealed", "canary-1", "canary-2")
	s.stop()
	key := filepath.Join(s.dir, "secret.key")
	kept, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	run := s.launch()
	select {
	case <-run.ended:
	case <-time.After(patience):
		t.Fatal("the server runs without its key")
	}
	said, err := os.ReadFile(s.logs[len(s.logs)-1])
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"secret.key does not exist", "of the supervisors sealed:", "OGHAM_SECRET_KEY"} {
		if !strings.Contains(string(said), part) {
			t.Errorf("the server does not say %q: %s", part, said)
		}
	}
	if _, err := os.Stat(key); err == nil {
		t.Error("another key was made")
	}

	// The key is lost for good.
	if err := os.WriteFile(key, []byte(strings.Repeat("0123456789abcdef", 4)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	standing, _ := s.standing("sealed")
	if len(standing) != 1 || !strings.Contains(standing[0].Message, "sealed with key") {
		t.Errorf("the status of a supervisor whose secrets cannot be opened warns of %v", standing)
	}
	if got, ok := s.standing("open"); ok {
		t.Errorf("the status of one without secrets warns of %v", got)
	}
	eventually(t, "the runs say why they fail", func() (bool, string) {
		st, seen := s.statusOf("sealed")
		for _, e := range st.Payload.RecentErrors {
			if strings.Contains(e.Message, "sealed with key") {
				return true, ""
			}
		}
		return false, seen
	})
	s.submit(specOf("sealed", "topic", dead.addr, login))
	if got, _ := s.standing("sealed"); slices.ContainsFunc(got, func(w struct{ Path, Message string }) bool { return strings.Contains(w.Message, "sealed") }) {
		t.Errorf("posted again, it warns of %v", got)
	}
	s.stop()

	// The key is found again: the secrets of the last spec are sealed with the new one.
	if err := os.WriteFile(key, kept, 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	if got, _ := s.standing("sealed"); !slices.ContainsFunc(got, func(w struct{ Path, Message string }) bool { return strings.Contains(w.Message, "sealed with key") }) {
		t.Errorf("under the old key it warns of %v", got)
	}
}
