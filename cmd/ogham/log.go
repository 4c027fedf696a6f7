package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ogham/adapters/natsserver"
	"ogham/eventstore"
)

// logQuery holds the flags of tail and replay, which are the query parameters of /ogham/v1/events.
type logQuery struct {
	server string
	text   bool
	params url.Values
}

func runLog(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return errors.New("ogham log: want tail, replay or verify")
	}
	switch args[0] {
	case "tail", "replay":
		q, err := parseLogQuery(args[0], args[1:], stderr)
		if err != nil {
			return err
		}
		if args[0] == "replay" {
			return q.replay(ctx, stdout)
		}
		return q.tail(ctx, stdout, stderr)
	case "verify":
		return verifyLog(ctx, args[1:], stdout, stderr)
	}
	return fmt.Errorf("ogham log %s: want tail, replay or verify", args[0])
}

func parseLogQuery(name string, args []string, stderr io.Writer) (*logQuery, error) {
	fs := flag.NewFlagSet("ogham log "+name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	q := &logQuery{params: url.Values{}}
	fs.StringVar(&q.server, "url", "http://127.0.0.1:8090", "the server's API")
	fs.BoolVar(&q.text, "text", false, "a line for people instead of JSON")
	for _, p := range []struct{ name, usage string }{
		{"supervisor", "only this supervisor and its tasks"},
		{"type", "only this event type"},
		{"to", "only events that reached this detailedState"},
		{"from", "from this log sequence on"},
		{"since", "from this time on (RFC 3339)"},
		{"until", "before this time (RFC 3339)"},
		{"limit", "so many events at most"},
	} {
		fs.Func(p.name, p.usage, func(v string) error { q.params.Set(p.name, v); return nil })
	}
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("ogham log %s: unexpected argument %q", name, fs.Arg(0))
	}
	return q, nil
}

func (q *logQuery) get(ctx context.Context, accept string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(q.server, "/")+"/ogham/v1/events?"+q.params.Encode(), nil)
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return nil, fmt.Errorf("%s answered %s: %s", q.server, resp.Status, strings.TrimSpace(string(body)))
	}
	return resp, nil
}

func (q *logQuery) replay(ctx context.Context, out io.Writer) error {
	resp, err := q.get(ctx, "application/x-ndjson", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return eachLine(resp.Body, func(line []byte) error { return q.print(out, line) })
}

// tail follows the log and goes on behind the last event it saw when the connection breaks.
func (q *logQuery) tail(ctx context.Context, out, stderr io.Writer) error {
	last := ""
	for {
		header := http.Header{}
		if last != "" {
			header.Set("Last-Event-ID", last)
		}
		resp, err := q.get(ctx, "text/event-stream", header)
		if err == nil {
			err = eachLine(resp.Body, func(line []byte) error {
				if id, ok := strings.CutPrefix(string(line), "id:"); ok {
					last = strings.TrimSpace(id)
				}
				if data, ok := strings.CutPrefix(string(line), "data:"); ok {
					return q.print(out, []byte(strings.TrimSpace(data)))
				}
				return nil
			})
			resp.Body.Close()
		} else if last == "" {
			return err // it never worked: say so instead of trying for ever
		}
		if ctx.Err() != nil {
			return nil
		}
		fmt.Fprintln(stderr, "connection lost, trying again:", err)
		if !pause(ctx, time.Second) {
			return nil
		}
	}
}

// maxLine bounds one event in JSON: the log's payload limit with room for the envelope.
const maxLine = 4 << 20

func eachLine(r io.Reader, fn func([]byte) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		if err := fn(lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (q *logQuery) print(out io.Writer, line []byte) error {
	if !q.text {
		_, err := fmt.Fprintf(out, "%s\n", line)
		return err
	}
	text, err := eventLine(line)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, text)
	return err
}

// eventLine is an event for people: when, which, whose, and how it moved what.
func eventLine(line []byte) (string, error) {
	var e struct {
		Sequence   json.Number `json:"sequence"`
		Time       time.Time   `json:"time"`
		Type       string      `json:"type"`
		Supervisor string      `json:"supervisor"`
		Task       string      `json:"task"`
		Data       struct {
			Transition *struct{ From, To, Trigger string } `json:"transition"`
		} `json:"data"`
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return "", fmt.Errorf("read an event: %w", err)
	}
	who := e.Supervisor
	if e.Task != "" {
		who = e.Task
	}
	text := fmt.Sprintf("%s %7s %-22s %s", e.Time.Local().Format("15:04:05.000"), e.Sequence, e.Type, who)
	if t := e.Data.Transition; t != nil {
		text += fmt.Sprintf("  %s → %s (%s)", t.From, t.To, t.Trigger)
	}
	return text, nil
}

// verifyLog checks a stopped server's log: nothing missing, every event's hash right, every chain whole.
func verifyLog(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("ogham log verify", flag.ContinueOnError)
	fs.SetOutput(stderr)
	dir := fs.String("data-dir", "./ogham-data", "the stopped server's data folder")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("ogham log verify: unexpected argument %q", fs.Arg(0))
	}
	quiet := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	folder := filepath.Join(*dir, "jetstream")
	if _, err := os.Stat(folder); err != nil {
		return fmt.Errorf("open the log: %w", err) // the server would make it
	}
	srv, err := natsserver.Start(natsserver.Config{StoreDir: folder, Logger: quiet})
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer srv.Shutdown()
	nc, err := srv.Connect()
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer nc.Close()
	store, err := eventstore.Open(ctx, nc, eventstore.Config{
		Upcasters: eventstore.DomainUpcasters(), CheckpointFile: filepath.Join(*dir, checkpointFile),
		SyncedServer: true, ReadOnly: true, Logger: quiet,
	})
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer func() { _ = store.Close() }()
	report, err := store.Verify(ctx)
	fmt.Fprintf(stdout, "%d events of %d aggregates, up to log sequence %d\n", report.Events, report.Aggregates, report.Last)
	if err != nil {
		return fmt.Errorf("verify the log: %w", err)
	}
	if d := store.Damage(); d != nil {
		return d
	}
	fmt.Fprintln(stdout, "every event is there and every chain of hashes is whole")
	return nil
}
