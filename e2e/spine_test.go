package e2e

import (
	"bytes"
	"encoding/json"
	"testing"
)

// TestTwoHundredThousandRows is the main job: rows go in while tasks hand over to one another several times, and the
// committed segments hold each of them once.
func TestTwoHundredThousandRows(t *testing.T) {
	t.Parallel()
	const rows, partitions = 200_000, 4
	b := newBroker(t)
	b.createTopic("edits", partitions)
	s := newServer(t, "spine").start()
	s.submit(specOf("edits", "edits", b.servers, nil))

	p := b.producer("edits", partitions)
	p.stream(t.Context().Done(), 1000, rows) // about ten seconds
	p.flush()
	s.waitRows("edits", rows)

	all := s.checkRows("edits", rows)
	events := s.events(t)
	checkHistory(t, events)
	if n := count(events, "TaskSucceeded"); n < 4 {
		t.Errorf("%d tasks succeeded: there was no hand-over", n)
	}
	if n := count(events, "TaskFailed"); n > 0 {
		t.Errorf("%d tasks failed", n)
	}
	checkDump(t, all[0])

	s.must("POST", pathOf("edits", "/terminate"), nil, nil)
	eventually(t, "the supervisor is gone", func() (bool, string) {
		code, body, err := s.call("GET", pathOf("edits", "/status"), nil)
		return err == nil && code == 404, string(body)
	})
	s.checkRows("edits", rows)
	s.stop()
	verify := ogham(t, "log", "verify", "--data-dir", s.dir)
	if !bytes.Contains(verify, []byte("every chain of hashes is whole")) {
		t.Errorf("log verify: %s", verify)
	}
}

// checkDump wants `ogham segment dump` to print the committed rows of a segment, in the order of time, and what it is.
func checkDump(t *testing.T, p published) {
	t.Helper()
	c := newTally()
	dump := ogham(t, "segment", "dump", p.place(t))
	if err := c.add(bytes.NewReader(dump)); err != nil {
		t.Fatal(err)
	}
	if int64(len(c.seen)) != p.Rows || len(c.wrong) > 0 {
		t.Errorf("segment dump printed %d rows, committed were %d; %v", len(c.seen), p.Rows, c.wrong)
	}
	last := int64(0)
	for line := range bytes.Lines(dump) {
		var r struct {
			Time int64 `json:"__time"`
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("segment dump: %v: %s", err, line)
		}
		if r.Time < last {
			t.Fatalf("segment dump: %d comes behind %d", r.Time, last)
		}
		last = r.Time
	}
	var meta map[string]any
	if err := json.Unmarshal(ogham(t, "segment", "dump", "-metadata", p.place(t)), &meta); err != nil {
		t.Errorf("segment dump -metadata: %v", err)
	}
}
