package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// client does not follow redirects: who answers is part of what is tested.
var client = &http.Client{
	Timeout:       patience,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

var errNotUp = errors.New("the server is not up")

// call sends one request and returns the answer as it is.
func (s *server) call(method, path string, body []byte) (int, []byte, error) {
	base := s.url()
	if base == "" {
		return 0, nil, errNotUp
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, b, err
}

// must sends a request that has to succeed, and decodes the answer into v, unless v is nil.
func (s *server) must(method, path string, body []byte, v any) {
	s.t.Helper()
	status, b, err := s.call(method, path, body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	if status != http.StatusOK {
		s.t.Fatalf("%s %s: status %d: %s", method, path, status, clip(string(b)))
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal(b, v); err != nil {
		s.t.Fatalf("%s %s: %v: %s", method, path, err, clip(string(b)))
	}
}

const supervisorPath = "/druid/indexer/v1/supervisor"

func pathOf(id, what string) string { return supervisorPath + "/" + url.PathEscape(id) + what }

// submit posts a spec, which has to be accepted.
func (s *server) submit(spec []byte) {
	s.t.Helper()
	s.must("POST", supervisorPath, spec, nil)
}

// status is what the tests look at in Druid's status report.
type status struct {
	Payload struct {
		State         string `json:"state"`
		DetailedState string `json:"detailedState"`
		Healthy       bool   `json:"healthy"`
		Suspended     bool   `json:"suspended"`
		ActiveTasks   []struct {
			CurrentOffsets map[string]int64 `json:"currentOffsets"`
		} `json:"activeTasks"`
		AggregateLag *int64 `json:"aggregateLag"`
		RecentErrors []struct {
			Timestamp      string `json:"timestamp"`
			ExceptionClass string `json:"exceptionClass"`
			Message        string `json:"message"`
			StreamError    bool   `json:"streamException"`
		} `json:"recentErrors"`
	} `json:"payload"`
}

// statusOf asks once; the second result is for messages.
func (s *server) statusOf(id string) (status, string) {
	code, b, err := s.call("GET", pathOf(id, "/status"), nil)
	var st status
	if err == nil && code == http.StatusOK {
		err = json.Unmarshal(b, &st)
	}
	return st, fmt.Sprintf("%d %v %s", code, err, clip(string(b)))
}

// waitState waits for a detailedState.
func (s *server) waitState(id, detailed string) status {
	s.t.Helper()
	var st status
	eventually(s.t, id+" is "+detailed, func() (bool, string) {
		var seen string
		st, seen = s.statusOf(id)
		return st.Payload.DetailedState == detailed, seen
	})
	return st
}

// event is a line of the feed.
type event struct {
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	Time       time.Time `json:"time"`
	Sequence   uint64    `json:"sequence"`
	Epoch      uint64    `json:"epoch"`
	Actor      string    `json:"actor"`
	Supervisor string    `json:"supervisor"`
	Task       string    `json:"task"`
	Data       struct {
		Transition *transition     `json:"transition"`
		Spec       json.RawMessage `json:"spec"`
		TaskID     string          `json:"taskId"`
		Group      string          `json:"group"`
		WorkerID   string          `json:"workerId"`
		ErrorMsg   string          `json:"errorMsg"`
		Reason     string          `json:"reason"`
		Tasks      []struct {
			TaskID string `json:"taskId"`
			transition
		} `json:"tasks"`
	} `json:"data"`
}

type transition struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Trigger string `json:"trigger"`
}

// lines reads an answer of one JSON value per line.
func lines[T any](s *server, path string) ([]T, error) {
	status, b, err := s.call("GET", path, nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("GET %s: status %d: %s", path, status, clip(string(b)))
	}
	var all []T
	scan := bufio.NewScanner(bytes.NewReader(b))
	scan.Buffer(nil, 8<<20)
	for scan.Scan() {
		var v T
		if err := json.Unmarshal(scan.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("GET %s: %w: %s", path, err, clip(scan.Text()))
		}
		all = append(all, v)
	}
	return all, scan.Err()
}

// events replays the whole log.
func (s *server) events(t *testing.T) []event {
	t.Helper()
	all, err := lines[event](s, "/ogham/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// published is a line of the list of committed segments.
type published struct {
	Descriptor json.RawMessage `json:"descriptor"`
	Rows       int64           `json:"rows"`
	Sequence   uint64          `json:"sequence"`
}

// place is the folder where a segment lies.
func (p published) place(t *testing.T) string {
	t.Helper()
	var d struct {
		LoadSpec struct{ Type, Path string } `json:"loadSpec"`
	}
	if err := json.Unmarshal(p.Descriptor, &d); err != nil || d.LoadSpec.Type != "local" {
		t.Fatalf("descriptor %s: %v", p.Descriptor, err)
	}
	return d.LoadSpec.Path
}

func (s *server) segments(id string) ([]published, error) {
	return lines[published](s, "/ogham/v1/segments?supervisor="+url.QueryEscape(id))
}

// waitRows waits until so many rows are committed. More of them is a failure at once.
func (s *server) waitRows(id string, want int64) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%d rows of %s are committed", want, id), func() (bool, string) {
		all, err := s.segments(id)
		sum := int64(0)
		for _, p := range all {
			sum += p.Rows
		}
		if sum > want {
			s.t.Fatalf("%s has %d committed rows, want %d", id, sum, want)
		}
		if err == nil && sum == want {
			return true, ""
		}
		_, seen := s.statusOf(id)
		return false, fmt.Sprintf("%d rows in %d segments, %v; status %s", sum, len(all), err, seen)
	})
}
