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
	rows    int
	kafka   string
	druid   string
	events  int
	rest    int
	only    string
	large   bool
	curve   string
	charts  string
	history int
	past    string
	out     io.Writer
	errs    io.Writer
	dir     string
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
	fs.StringVar(&b.only, "only", "", "one part alone: tasks, log, start, supervisors, or curves (which is asked for by name only)")
	fs.IntVar(&b.history, "history", 1_000_000, "start: events of the log that a server is started over")
	fs.StringVar(&b.past, "past", "", "start: a folder that keeps the log for the next time, which then need not write it")
	fs.StringVar(&b.curve, "curve", "", "one of the curves alone: rows, values, columns, tasks, sizes or formats")
	fs.BoolVar(&b.large, "large", false, "curves: go on to 30 and 100 million rows, which takes minutes and gigabytes")
	fs.StringVar(&b.charts, "charts", "", "curves: a folder for a chart of each (SVG)")
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
	}{{"tasks", b.tasks}, {"log", b.log}, {"start", b.start}, {"supervisors", b.supervisors}, {"curves", b.curves}}
	known := b.only == ""
	for _, p := range parts {
		if b.only != p.name && (b.only != "" || p.name == "curves") {
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

// tasks measures the raw consumer and one task of each kind on the same topic, and a real Druid's where one is named.
func (b *bench) tasks(ctx context.Context) error {
	bootstrap := b.kafka
	if bootstrap == "" {
		broker, err := startBenchBroker(ctx, b.errs, 0)
		if err != nil {
			return err
		}
		defer broker.stop()
		bootstrap = broker.addr
	}
	topic := fmt.Sprintf("ogham_bench_%d", time.Now().UnixNano())
	bytes, err := produceBench(ctx, bootstrap, topic, benchPartitions, b.rows, benchRow)
	if err != nil {
		return fmt.Errorf("produce the rows: %w", err)
	}
	fmt.Fprintf(b.out, "Tasks: a topic of %s rows of JSON, %d bytes each, %d partitions, lz4.\n\n", grouped(int64(b.rows)), bytes/int64(b.rows), benchPartitions)
	raw, err := consumeBench(ctx, bootstrap, topic, benchPartitions, b.rows)
	if err != nil {
		return fmt.Errorf("consume the rows raw: %w", err)
	}
	t := taskTable{rows: b.rows, raw: float64(b.rows) / raw.Seconds(), peer: b.druid != ""}
	t.head()
	for _, k := range benchKinds {
		b.progress("%s: our task", k.name)
		published := int64(b.rows)
		if k.rollup {
			published = 1
		}
		ours, err := b.task(ctx, filepath.Join(b.dir, k.folder), k.spec(bootstrap, topic), int64(b.rows), published)
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		var theirs *taskResult
		if b.druid != "" {
			b.progress("%s: Druid's task", k.name)
			if theirs, err = b.peer(ctx, k.spec(bootstrap, topic)); err != nil {
				return fmt.Errorf("%s in Druid: %w", k.name, err)
			}
		}
		t.add(k.name, ours, theirs)
	}
	t.write(b.out)
	fmt.Fprintln(b.out)
	return nil
}

// progress tells whoever waits at a terminal what is being measured; it is no part of the answer.
func (b *bench) progress(format string, a ...any) { fmt.Fprintf(b.errs, "  "+format+" ...\n", a...) }

// benchKind is a kind of task that is measured.
type benchKind struct {
	name   string
	folder string // of its server's data
	rollup bool   // fewer rows are published than read
	spec   func(bootstrap, topic string) []byte
}

var benchKinds = []benchKind{
	{name: "no rollup, 9 columns", folder: "plain", spec: benchSpec},
	{name: "rollup to the hour, 4+4", folder: "rollup", spec: benchRollupSpec, rollup: true},
}

// taskTable has a line for each task.
type taskTable struct {
	table
	rows int
	raw  float64 // rows a second of the raw consumer
	peer bool    // Druid stands beside us
}

func (t *taskTable) head() {
	t.table.head = []string{"", "rows/s", "of raw", "of Druid", "first row after", "published after reading", "peak memory", "segments", "a row", "on disk"}
	t.table.add("raw franz-go consumer", grouped(int64(t.raw)), "1.00")
}

func (t *taskTable) add(name string, ours, theirs *taskResult) {
	rate := t.rate(ours)
	of := ""
	if theirs != nil {
		of = fmt.Sprintf("%.1f ×", rate/t.rate(theirs))
	}
	t.line("Ogham, "+name, ours, of)
	if theirs != nil {
		t.line("Druid, "+name, theirs, "1.0 ×")
	}
}

func (t *taskTable) rate(r *taskResult) float64 { return float64(t.rows) / r.reading.Seconds() }

func (t *taskTable) line(name string, r *taskResult, ofDruid string) {
	disk := "not here"
	if r.diskBytes > 0 {
		disk = grouped(r.diskBytes) + " B"
	}
	t.table.add(name, grouped(int64(t.rate(r))), fmt.Sprintf("%.2f", t.rate(r)/t.raw), ofDruid, seconds(r.first), seconds(r.publish),
		megabytes(r.peakKB), grouped(r.segmentBytes)+" B", fmt.Sprintf("%.1f B", float64(r.segmentBytes)/float64(t.rows)), disk)
}
