package httpapi_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"ogham/adapters/httpapi"
	"ogham/eventstore"
)

func TestADamagedLogIsStillShownAndTakesNoCommands(t *testing.T) {
	s := serve(t, func(c *httpapi.Config) {
		c.ReadOnly = func() error { return &eventstore.ReadOnlyError{Err: errors.New("event 7 is gone")} }
	})
	s.follows = true
	if got := s.get(t, supervisors); got.status != http.StatusOK || got.text != "[]" {
		t.Errorf("list over a damaged log: %d %s", got.status, got.text)
	}
	got := s.ask(t, http.MethodPost, supervisors+"/edits/suspend", "")
	if got.status != http.StatusServiceUnavailable || !strings.Contains(got.text, "event 7 is gone") || got.header.Get("Retry-After") == "" {
		t.Errorf("suspend over a damaged log: %d %s %v", got.status, got.text, got.header)
	}
	s.leader = "http://leader:8090"
	if got := s.get(t, supervisors); got.status != http.StatusTemporaryRedirect {
		t.Errorf("list where another node leads: %d", got.status)
	}
}

func TestABodyThatDoesNotComeIsTheClientsFault(t *testing.T) {
	s := serve(t, func(c *httpapi.Config) { c.BodyTimeout = 20 * time.Millisecond })
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", supervisors); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestTimeout {
		t.Errorf("half a body: %s, want 408", res.Status)
	}
}
