package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
)

func TestATableOfMarkdownLinesUp(t *testing.T) {
	tab := table{head: []string{"what", "rows/s"}}
	tab.add("raw", "1,000")
	tab.add("a × b")
	var out strings.Builder
	tab.write(&out)
	const want = "| what  | rows/s |\n| ----- | -----: |\n| raw   |  1,000 |\n| a × b |        |\n"
	if out.String() != want {
		t.Errorf("the table is\n%s\nwant\n%s", out.String(), want)
	}
}

func TestEveryPointOfACurveHasASpecAndItsRows(t *testing.T) {
	for _, c := range allCurves(true) {
		for _, p := range c.points {
			sp, err := spec.Parse(p.task.spec("127.0.0.1:9092", "topic"))
			if err != nil {
				t.Errorf("%s at %s: %v", c.name, p.label, err)
				continue
			}
			if got := sp.IOConfig.TaskCount; got != p.task.tasks || int(p.partitions) < got {
				t.Errorf("%s at %s: %d tasks of %d partitions, want %d", c.name, p.label, got, p.partitions, p.task.tasks)
			}
			rnd := rand.New(rand.NewPCG(1, 1))
			for i := range 20 {
				row := p.row(nil, i, rnd)
				if c.name != "formats" && !json.Valid(row) {
					t.Errorf("%s at %s: row %d is no JSON: %.200s", c.name, p.label, i, row)
				}
				if c.name == "sizes" && len(row) != int(p.x) {
					t.Errorf("%s at %s: row %d has %d bytes", c.name, p.label, i, len(row))
				}
			}
		}
	}
}

func TestAChartIsWellFormed(t *testing.T) {
	c := chart{title: "a < b", x: "rows"}
	c.add("1", 1, 100, 50)
	c.add("10", 10, 120, 60)
	dec := xml.NewDecoder(bytes.NewReader(c.svg()))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the chart is not XML: %v\n%s", err, c.svg())
		}
	}
}

func TestAMadeUpHistoryCommitsEveryHourAndEndsSuspended(t *testing.T) {
	p, err := newPast(3, "127.0.0.1:9092")
	if err != nil {
		t.Fatal(err)
	}
	const hours = 5
	for p.round < hours || len(p.script) > 0 {
		if len(p.script) == 0 {
			p.script = p.hour()
		}
		if err := p.step(); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.state.Committed["0"]; got != hours*1_800_000 {
		t.Errorf("after %d hours partition 0 is committed up to %d, want %d", hours, got, hours*1_800_000)
	}
	if err := p.decide(supervisor.SuspendSupervisor{Spec: p.spec.WithSuspended(true).Canonical()}); err != nil || !p.state.Suspended {
		t.Errorf("it is suspended: %v, %v", p.state.Suspended, err)
	}
}

func TestTheMiddleRatioCountsAndNotTheBusyTurn(t *testing.T) {
	ours, theirs := &side{name: "ours"}, &side{name: "theirs"}
	for _, ms := range []int{10, 10, 1000, 10, 10} {
		ours.took = append(ours.took, milliseconds(ms))
		theirs.took = append(theirs.took, milliseconds(9))
	}
	var tab table
	compare(&tab, 100, ours, theirs)
	if got := tab.rows[0][4]; got != "0.90" {
		t.Errorf("the ratio is %s, want 0.90: %v", got, tab.rows)
	}
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
