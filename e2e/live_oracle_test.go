//go:build integration

package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// druidIngests has Druid's supervisors ingest the cases from the same Kafka, and keeps what it answers about them.
func (l *lab) druidIngests(b *broker, cases []liveCase, meanwhile func()) {
	l.t.Helper()
	var twins []ingestCase
	for _, c := range cases {
		if c.twin != nil {
			twins = append(twins, *c.twin)
		}
	}
	b.produce(twins, func(c *ingestCase) string { return "druid_" + c.name })
	o := &oracle{l: l}
	for i := range cases {
		c := &cases[i]
		if in, ok := c.druids(); ok {
			topic := topicOfCase(in)
			if c.twin != nil {
				topic = c.theirs()
			}
			o.submit(in, c.theirs(), topic, b.servers)
		}
	}
	meanwhile()
	o.finish()
	l.settle()
	each(l.t, "record", cases, func(t *testing.T, i int) {
		c := &cases[i]
		if _, ok := c.druids(); !ok {
			return
		}
		l.record(t, c).write(t, c)
	})
}

// settle waits until the columns that the broker knows stay the same while it asks for them again some times.
func (l *lab) settle() {
	l.t.Helper()
	tick := time.NewTicker(3 * time.Second)
	defer tick.Stop()
	for last, same := "", 0; same < 3; <-tick.C {
		now := fmt.Sprint(l.query(`SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = 'druid' ORDER BY 1, 2`))
		if same++; now != last {
			same = 0
		}
		last = now
	}
}

// indexer starts Druid's Indexer, which runs tasks as threads: a process for each would need minutes.
func (l *lab) indexer(slots int) {
	l.t.Helper()
	run, home := l.home("DRUID_RUN"), l.home("DRUID_HOME")
	l.t.Cleanup(func() { l.stop("run-cluster.sh") }) // before the process below is killed
	script := `. "$1/common.sh" && exec "$JAVA" -server -Xms256m -Xmx1536m -XX:MaxDirectMemorySize=2g "${JAVA_OPENS[@]}" \
		"-Djava.io.tmpdir=$DRUID_RUN/tmp" "-Dlog4j.configurationFile=$DRUID_RUN/conf/log4j2.xml" \
		-Ddruid.service=druid/indexer "-Ddruid.plaintextPort=$MIDDLEMANAGER_PORT" "-Ddruid.worker.capacity=$2" \
		"-Ddruid.worker.baseTaskDirs=[\"$DRUID_RUN/task\"]" -Ddruid.server.http.numThreads=80 \
		-cp "$DRUID_RUN/conf:$DRUID_HOME/libs/*" org.apache.druid.cli.Main server indexer`
	p := l.background("indexer", script, fmt.Sprint(slots))
	eventually(l.t, "Druid's Indexer takes tasks", func() (bool, string) {
		select {
		case <-p.ended:
			l.t.Fatalf("Druid's Indexer ended: %v; see %s and %s", p.err, run, home)
		default:
		}
		var workers []json.RawMessage
		err := l.get(l.overlord+"/druid/indexer/v1/workers", &workers)
		return err == nil && len(workers) == 1, fmt.Sprint(err)
	})
}

// oracle is Druid's own ingestion.
type oracle struct {
	l    *lab
	runs []*oracleRun
}

// oracleRun is a supervisor of Druid's.
type oracleRun struct {
	c     *ingestCase
	id    string
	stage int // 0: it reads, 1: it publishes, 2: it is done
	seen  string
}

func (o *oracle) submit(c *ingestCase, id, topic, brokers string) {
	o.l.t.Helper()
	spec := c.specFor(o.l.t, id, topic, brokers, map[string]any{"startDelay": "PT1S", "period": "PT2S"})
	if err := o.l.post(o.l.overlord+supervisorPath, spec); err != nil {
		o.l.t.Fatalf("submit %s to Druid: %v", id, err)
	}
	o.runs = append(o.runs, &oracleRun{c: c, id: id})
}

// finish waits until every supervisor has read its records and published them.
func (o *oracle) finish() {
	o.l.t.Helper()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * patience); ; <-tick.C {
		var open []string
		for _, r := range o.runs {
			if o.advance(r); r.stage < 2 {
				open = append(open, r.id+": "+clip(r.seen))
			}
		}
		if len(open) == 0 {
			return
		}
		if time.Now().After(deadline) {
			o.l.t.Errorf("Druid has not ingested\n%s", strings.Join(open, "\n"))
			return
		}
	}
}

// advance looks how far a supervisor is, and suspends it when it has read everything. A task that has not told its
// start would be killed by that.
func (o *oracle) advance(r *oracleRun) {
	base := o.l.overlord + pathOf(r.id, "")
	switch r.stage {
	case 0:
		var raw json.RawMessage
		var st struct {
			Payload struct {
				ActiveTasks []struct {
					StartTime        *string
					RemainingSeconds *int64
					CurrentOffsets   map[string]int64
				}
			}
		}
		if err := o.l.get(base+"/status", &raw); err != nil || json.Unmarshal(raw, &st) != nil {
			r.seen = fmt.Sprint(err)
			return
		}
		r.seen = string(raw)
		if strings.Contains(r.seen, `"UNHEALTHY_TASKS"`) {
			o.l.t.Errorf("Druid cannot ingest %s: %s", r.id, clip(r.seen))
			r.stage = 2
			return
		}
		read := map[string]int64{}
		for _, task := range st.Payload.ActiveTasks {
			if task.StartTime == nil || task.RemainingSeconds == nil {
				return
			}
			for p, at := range task.CurrentOffsets {
				read[p] = at
			}
		}
		for p, end := range r.c.ends() {
			if read[p] != end {
				return
			}
		}
		if err := o.l.post(base+"/suspend", nil); err != nil {
			o.l.t.Errorf("suspend %s: %v", r.id, err)
		}
		r.stage = 1
	case 1:
		var all []taskEntry
		if err := o.l.get(o.l.overlord+"/druid/indexer/v1/tasks?datasource="+r.id, &all); err != nil {
			r.seen = err.Error()
			return
		}
		r.seen = fmt.Sprint(all)
		for _, task := range all {
			if task.StatusCode == "FAILED" {
				o.l.t.Errorf("Druid's task %s failed", task.ID)
			}
			if task.StatusCode == "RUNNING" {
				return
			}
		}
		r.stage = 2
	}
}

// background starts a script that lives as long as the test.
func (l *lab) background(name, script string, args ...string) *process {
	l.t.Helper()
	p, err := startScript(filepath.Join(logFolder(l.t), name+".log"), l.env, script, append([]string{l.tools}, args...)...)
	if err != nil {
		l.t.Fatalf("start %s: %v", name, err)
	}
	l.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	return p
}
