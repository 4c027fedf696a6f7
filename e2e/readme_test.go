package e2e

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	readmeSpec = regexp.MustCompile(`(?s)<<'SPEC'\n(.*?)\nSPEC\n`)
	readmeCurl = regexp.MustCompile(`(?m)^curl -s (-XPOST )?(.*?)'?localhost:8090(/[^\s']+)`)
)

// TestReadme does what the README tells a new user to do with a Kafka of their own.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	spec := readmeSpec.FindSubmatch(text)
	if spec == nil {
		t.Fatal("there is no spec in the README")
	}
	b := newBroker(t)
	b.createTopic("edits", 2)
	p := b.producer("edits", 2)
	for range 100 {
		p.record(p.sent%2, []byte(`{"ts":"2026-03-01T10:00:00Z","page":"Ogham","user":"u","added":7}`))
		p.sent++
	}
	p.flush()
	s := newServer(t, "readme").start()
	body := bytes.ReplaceAll(spec[1], []byte("localhost:9092"), []byte(b.servers))
	tried := 0
	for _, c := range readmeCurl.FindAllStringSubmatch(string(text), -1) {
		method, path := "GET", c[3]
		if c[1] != "" {
			method = "POST"
		}
		var sent []byte
		if strings.Contains(c[2], "@edits.json") {
			sent = body
		}
		if strings.Contains(path, "/clicks/") {
			continue // the demo's
		}
		if strings.HasSuffix(path, "/suspend") { // what was read is published then
			s.waitState("edits", "RUNNING")
			waitRead(t, s, "edits", 100)
		}
		if code, answer, err := s.call(method, path, sent); err != nil || code != 200 {
			t.Errorf("%s %s: %d %s %v", method, path, code, clip(string(answer)), err)
		}
		tried++
	}
	if tried < 8 {
		t.Errorf("only %d commands were found", tried)
	}
	s.waitRows("edits", 100)
	help := ogham(t, "help")
	for _, command := range []string{"log tail", "log replay", "log verify", "segment dump", "server", "demo"} {
		if !bytes.Contains(help, []byte("ogham "+command)) {
			t.Errorf("the README speaks of ogham %s, the program does not", command)
		}
	}
	if out := ogham(t, "log", "replay", "-supervisor", "edits", "-url", s.url()); !bytes.Contains(out, []byte("SupervisorTerminated")) {
		t.Errorf("log replay: %s", clip(string(out)))
	}
}

// waitRead waits until the tasks of a supervisor have read so many records.
func waitRead(t *testing.T, s *server, id string, want int64) {
	t.Helper()
	eventually(t, "the tasks have read all records", func() (bool, string) {
		st, seen := s.statusOf(id)
		sum := int64(0)
		for _, x := range st.Payload.ActiveTasks {
			for _, offset := range x.CurrentOffsets {
				sum += offset
			}
		}
		return sum == want, seen
	})
}
