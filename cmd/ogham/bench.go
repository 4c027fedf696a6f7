package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// bench measures one machine: what a task does beside a raw consumer of the same topic, what the log does beside a raw
// JetStream publisher and consumer, and what many supervisors cost at rest. Only the ratios of one run mean anything.
type bench struct {
	rows   int
	kafka  string
	druid  string
	events int
	rest   int
	only   string
	out    io.Writer
	errs   io.Writer
	dir    string
}

// runBench is `ogham bench`.
func runBench(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	b := &bench{out: stdout, errs: stderr}
	fs := flag.NewFlagSet("ogham bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&b.rows, "rows", 3_000_000, "rows of the topic")
	fs.StringVar(&b.kafka, "kafka", "", "bootstrap server of a broker to use (default: an embedded one in a process of its own)")
	fs.StringVar(&b.druid, "druid", "", "URL of a real Druid's overlord that reads the same broker: its task is measured too")
	fs.IntVar(&b.events, "events", 5000, "events of the log's measurement")
	fs.IntVar(&b.rest, "supervisors", 1000, "supervisors of the measurement at rest")
	fs.StringVar(&b.only, "only", "", "one part alone: tasks, log or supervisors")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if b.rows < 1000 || b.events < 100 || b.rest < 10 {
		return errors.New("ogham bench: want at least 1000 rows, 100 events and 10 supervisors")
	}
	dir, err := os.MkdirTemp("", "ogham-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.dir = dir
	parts := []struct {
		name    string
		measure func(context.Context) error
	}{{"tasks", b.tasks}, {"log", b.log}, {"supervisors", b.supervisors}}
	known := b.only == ""
	for _, p := range parts {
		if b.only != "" && b.only != p.name {
			continue
		}
		known = true
		if err := p.measure(ctx); err != nil {
			return err
		}
	}
	if !known {
		return fmt.Errorf("ogham bench: there is no part %q", b.only)
	}
	return nil
}

// tasks measures the raw consumer and one task of each kind on the same topic.
func (b *bench) tasks(ctx context.Context) error {
	bootstrap := b.kafka
	if bootstrap == "" {
		broker, err := startBenchBroker(ctx, b.errs)
		if err != nil {
			return err
		}
		defer broker.stop()
		bootstrap = broker.addr
	}
	topic := fmt.Sprintf("ogham_bench_%d", time.Now().UnixNano())
	fmt.Fprintf(b.out, "topic %s: %s rows of about 165 bytes, 2 partitions, lz4\n", topic, grouped(int64(b.rows)))
	bytes, err := produceBench(ctx, bootstrap, topic, b.rows)
	if err != nil {
		return fmt.Errorf("produce the rows: %w", err)
	}
	raw, err := consumeBench(ctx, bootstrap, topic, b.rows)
	if err != nil {
		return fmt.Errorf("consume the rows raw: %w", err)
	}
	rawRate := float64(b.rows) / raw.Seconds()
	fmt.Fprintf(b.out, "%-34s %12s rows/s   %s bytes in\n", "raw franz-go consumer", grouped(int64(rawRate)), grouped(bytes))
	for _, k := range []benchKind{
		{name: "task, no rollup, 9 columns", folder: "plain", spec: benchSpec},
		{name: "task, rollup to the hour, 4+4", folder: "rollup", spec: benchRollupSpec, rollup: true},
	} {
		rate, err := b.ours(ctx, k, bootstrap, topic, rawRate)
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		if b.druid == "" {
			continue
		}
		if err := b.theirs(ctx, k, bootstrap, topic, rate); err != nil {
			return fmt.Errorf("%s in Druid: %w", k.name, err)
		}
	}
	return nil
}

// benchKind is a kind of task that is measured.
type benchKind struct {
	name   string
	folder string // of its server's data
	rollup bool   // fewer rows are published than read
	spec   func(bootstrap, topic string) []byte
}

// ours measures a task of ours and returns its rows in a second.
func (b *bench) ours(ctx context.Context, k benchKind, bootstrap, topic string, rawRate float64) (float64, error) {
	r, err := b.task(ctx, filepath.Join(b.dir, k.folder), k.spec(bootstrap, topic))
	if err != nil {
		return 0, err
	}
	rate := float64(b.rows) / r.reading.Seconds()
	fmt.Fprintf(b.out, "%-34s %12s rows/s   %.2f of raw, first row after %s, published %s after the end of reading, %s segment bytes, peak memory %s MB\n",
		k.name, grouped(int64(rate)), rate/rawRate, r.first.Round(time.Millisecond), r.publish.Round(time.Millisecond),
		grouped(r.segmentBytes), grouped(r.peakKB/1024))
	if r.rows != int64(b.rows) && !k.rollup {
		return 0, fmt.Errorf("%d rows were published of %d", r.rows, b.rows)
	}
	return rate, nil
}

// theirs measures the same task of a real Druid.
func (b *bench) theirs(ctx context.Context, k benchKind, bootstrap, topic string, rate float64) error {
	r, err := b.peer(ctx, k.spec(bootstrap, topic))
	if err != nil {
		return err
	}
	peerRate := float64(b.rows) / r.reading.Seconds()
	fmt.Fprintf(b.out, "%-34s %12s rows/s   ours is %.1f times that; first row after %s, peak memory of the peon %s MB\n",
		"  the same in Druid", grouped(int64(peerRate)), rate/peerRate, r.first.Round(time.Millisecond), grouped(r.peakKB/1024))
	return nil
}
