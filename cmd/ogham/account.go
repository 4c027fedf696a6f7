package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// accountEvery is how often the demo prints its line of figures.
const accountEvery = 5 * time.Second

// account tells in the terminal what happens: each transition of the supervisor and its tasks as it comes, the segments
// as they are published, and a line of figures now and then.
type account struct {
	url      string
	out      io.Writer
	produced *atomic.Int64

	mu       sync.Mutex // guards out and what follows
	segments int
	rows     int64
}

func (a *account) run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wg.Go(func() { a.figures(ctx) })
	q := &logQuery{server: a.url, params: url.Values{"supervisor": {"clicks"}}}
	return q.tail(ctx, lineWriter(a.event), io.Discard)
}

// lineWriter calls a function with each line that is written; tail writes whole lines.
type lineWriter func([]byte)

func (w lineWriter) Write(p []byte) (int, error) {
	w(p)
	return len(p), nil
}

// event prints one event where it says something to a person. Events of an earlier start are counted, not printed.
func (a *account) event(line []byte) {
	var e struct {
		Time time.Time `json:"time"`
		Type string    `json:"type"`
		Task string    `json:"task"`
		Data struct {
			Transition *struct{ From, To, Trigger string } `json:"transition"`
			Segments   []struct {
				Rows int64 `json:"rows"`
			} `json:"segments"`
			SequenceName string                              `json:"sequenceName"`
			Tasks        []struct{ TaskID, From, To string } `json:"tasks"`
			ErrorMsg     string                              `json:"errorMsg"`
			Reason       string                              `json:"reason"`
		} `json:"data"`
	}
	if json.Unmarshal(line, &e) != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	rows := int64(0)
	for _, s := range e.Data.Segments {
		rows += s.Rows
	}
	published := e.Type == "SegmentsPublished"
	if published {
		a.segments += len(e.Data.Segments)
		a.rows += rows
	}
	if time.Since(e.Time) > time.Minute {
		return
	}
	at := e.Time.Local().Format("15:04:05.000")
	switch t := e.Data.Transition; {
	case published:
		fmt.Fprintf(a.out, "%s  published   %d segments, %s rows, of %s\n", at, len(e.Data.Segments), grouped(rows), short(e.Data.SequenceName))
	case e.Type == "PublishingStarted":
		for _, t := range e.Data.Tasks {
			fmt.Fprintf(a.out, "%s  task        %s  %s → %s\n", at, short(t.TaskID), t.From, t.To)
		}
	case t != nil && e.Task != "":
		why := e.Data.ErrorMsg + e.Data.Reason
		if why != "" {
			why = "  (" + why + ")"
		}
		fmt.Fprintf(a.out, "%s  task        %s  %s → %s%s\n", at, short(e.Task), t.From, t.To, why)
	case t != nil:
		fmt.Fprintf(a.out, "%s  supervisor  %s → %s  (%s)\n", at, t.From, t.To, t.Trigger)
	}
}

// short drops the part of a task's or sequence's name that is the same for all.
func short(name string) string { return strings.TrimPrefix(name, "index_kafka_clicks_") }

func (a *account) figures(ctx context.Context) {
	ticker := time.NewTicker(accountEvery)
	defer ticker.Stop()
	last, lastAt := a.produced.Load(), time.Now()
	var lastRead int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		st, err := a.statusOf(ctx, "clicks")
		if err != nil {
			continue // the next tick asks again
		}
		now := time.Now()
		seconds := now.Sub(lastAt).Seconds()
		made := a.produced.Load()
		read := st.read()
		a.mu.Lock()
		fmt.Fprintf(a.out, "%s  %-10s  in %s rows/s, read %s rows/s, lag %s, tasks %d reading %d publishing, %s rows in %d segments\n",
			now.Format("15:04:05.000"), st.Payload.DetailedState, grouped(int64(float64(made-last)/seconds)),
			grouped(max(int64(float64(read-lastRead)/seconds), 0)), grouped(st.Payload.AggregateLag),
			len(st.Payload.ActiveTasks), len(st.Payload.PublishingTasks), grouped(a.rows), a.segments)
		a.mu.Unlock()
		last, lastAt, lastRead = made, now, read
	}
}

type demoStatus struct {
	Payload struct {
		DetailedState   string
		AggregateLag    int64
		ActiveTasks     []demoTask
		PublishingTasks []demoTask
	}
}

type demoTask struct {
	CurrentOffsets map[string]int64
	StartTime      time.Time
}

// read is how far the tasks have come, over all partitions.
func (s *demoStatus) read() int64 {
	at := map[string]int64{}
	for _, tasks := range [][]demoTask{s.Payload.PublishingTasks, s.Payload.ActiveTasks} {
		for _, t := range tasks {
			for p, o := range t.CurrentOffsets {
				at[p] = max(at[p], o)
			}
		}
	}
	n := int64(0)
	for _, o := range at {
		n += o
	}
	return n
}

func (a *account) statusOf(ctx context.Context, id string) (*demoStatus, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+"/druid/indexer/v1/supervisor/"+id+"/status", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status: %s", resp.Status)
	}
	var st demoStatus
	return &st, json.NewDecoder(resp.Body).Decode(&st)
}

// submitOnce posts a spec, and leaves a supervisor alone that runs with the same one.
func submitOnce(ctx context.Context, server string, spec []byte) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost,
			server+"/druid/indexer/v1/supervisor?skipRestartIfUnmodified=true", bytes.NewReader(spec))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
		if resp.StatusCode != http.StatusServiceUnavailable {
			return fmt.Errorf("submit the spec: %s: %s", resp.Status, bytes.TrimSpace(body))
		}
		if !pause(ctx, 200*time.Millisecond) { // the leader is not elected yet
			return ctx.Err()
		}
	}
}

// grouped writes a number with commas.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
