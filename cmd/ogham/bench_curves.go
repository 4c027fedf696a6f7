package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// curve is how cost grows with one thing while all others stay as they are.
type curve struct {
	name   string // of -curve
	title  string
	grows  string // what its first column counts
	points []curvePoint
}

// curvePoint is one measurement: a topic, and the tasks that read it.
type curvePoint struct {
	label      string
	x          float64 // for the chart; 0 where the curve has no measure
	rows       int
	partitions int32
	row        rowMaker
	task       benchTask
}

// curves measures how cost grows. Each point has a broker and a server of its own, so that no point's memory is another's.
func (b *bench) curves(ctx context.Context) error {
	known := b.curve == ""
	for _, c := range allCurves(b.large) {
		if b.curve != "" && b.curve != c.name {
			continue
		}
		known = true
		if err := b.oneCurve(ctx, c); err != nil {
			return fmt.Errorf("curve %s: %w", c.name, err)
		}
	}
	if !known {
		return fmt.Errorf("ogham bench: there is no curve %q", b.curve)
	}
	return nil
}

func (b *bench) oneCurve(ctx context.Context, c curve) error {
	t := table{head: []string{c.grows, "rows", "bytes a row", "rows/s", "MB/s", "of raw", "first row after", "published after reading", "peak memory", "segment bytes a row"}}
	chart := chart{title: c.title, x: c.grows}
	for i, p := range c.points {
		b.progress("%s, %s", c.title, p.label)
		r, err := b.point(ctx, p, filepath.Join(b.dir, fmt.Sprintf("%s-%d", c.name, i)))
		if err != nil {
			return fmt.Errorf("%s: %w", p.label, err)
		}
		n, took := float64(p.rows), r.reading.Seconds()
		t.add(p.label, grouped(int64(p.rows)), grouped(r.bytes/int64(p.rows)), grouped(int64(n/took)), fmt.Sprintf("%.0f", float64(r.bytes)/took/1e6),
			fmt.Sprintf("%.2f", r.raw.Seconds()/took), seconds(r.first), seconds(r.publish), megabytes(r.peakKB), fmt.Sprintf("%.1f", float64(r.segmentBytes)/n))
		chart.add(p.label, p.x, float64(r.bytes)/took/1e6, float64(r.peakKB)/1024)
	}
	fmt.Fprintf(b.out, "%s\n\n", c.title)
	t.write(b.out)
	fmt.Fprintln(b.out)
	if b.charts == "" || len(chart.points) < 2 {
		return nil
	}
	if err := os.MkdirAll(b.charts, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.charts, c.name+".svg"), chart.svg(), 0o644)
}

type pointResult struct {
	*taskResult
	bytes int64         // of all rows
	raw   time.Duration // of the raw consumer
}

func (b *bench) point(ctx context.Context, p curvePoint, dir string) (*pointResult, error) {
	bootstrap := b.kafka
	if bootstrap == "" {
		broker, err := startBenchBroker(ctx, b.errs, 0)
		if err != nil {
			return nil, err
		}
		defer broker.stop()
		bootstrap = broker.addr
	}
	topic := fmt.Sprintf("ogham_curve_%d", time.Now().UnixNano())
	bytes, err := produceBench(ctx, bootstrap, topic, p.partitions, p.rows, p.row)
	if err != nil {
		return nil, fmt.Errorf("produce the rows: %w", err)
	}
	raw, err := consumeBench(ctx, bootstrap, topic, p.partitions, p.rows)
	if err != nil {
		return nil, fmt.Errorf("consume the rows raw: %w", err)
	}
	r, err := b.task(ctx, dir, p.task.spec(bootstrap, topic), int64(p.rows), int64(p.rows), fmt.Sprintf("-worker-capacity=%d", max(p.task.tasks, 4)))
	if err != nil {
		return nil, err
	}
	if b.kafka != "" {
		if err := deleteTopic(ctx, bootstrap, topic); err != nil {
			return nil, fmt.Errorf("delete the topic: %w", err)
		}
	}
	return &pointResult{taskResult: r, bytes: bytes, raw: raw}, os.RemoveAll(dir)
}

const noRollup = `{"segmentGranularity":"DAY","queryGranularity":"NONE","rollup":false}`

// plainTask stores strings, longs and doubles without rollup.
func plainTask(strs, longs, doubles []string) benchTask {
	var dims []string
	for _, d := range strs {
		dims = append(dims, fmt.Sprintf("%q", d))
	}
	for _, d := range longs {
		dims = append(dims, fmt.Sprintf(`{"type":"long","name":%q}`, d))
	}
	for _, d := range doubles {
		dims = append(dims, fmt.Sprintf(`{"type":"double","name":%q}`, d))
	}
	return benchTask{dimensions: "[" + strings.Join(dims, ",") + "]", metrics: "[]", granularity: noRollup, format: `{"type":"json"}`, tasks: 1}
}

// usualTask is that of the nine columns.
func usualTask() benchTask {
	return plainTask([]string{"page", "user", "country", "language", "isRobot"}, []string{"added", "deleted"}, []string{"delta"})
}
