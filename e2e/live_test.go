//go:build integration

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// recordEnv, when it is set to anything, has Druid ingest the cases from the same Kafka, and keeps what it answers.
const recordEnv = "OGHAM_RECORD_DRUID"

// liveCase is a case that Ogham and Druid both ingest, each into a data source of its own.
type liveCase struct {
	ingestCase
	// twin is what Druid reads where it has no such format without an extension: the same rows as JSON.
	twin *ingestCase
	// as names the case that has the same rows; only the form of the segments differs, and Druid reads that one alone.
	as string
	// archives are the segments that Druid made, with their descriptors beside them, where those were recorded.
	archives []string
	// spread says that several tasks read, so that which row lies in which segment is not told.
	spread bool
	// apart are columns in which Ogham does what docs/compatibility.md says, and not what Druid does.
	apart []string
}

func (c *liveCase) ours() string { return "ogham_" + c.name }

// topicOfCase is the topic that Ogham reads: that of the recording, or one of the case's name.
func topicOfCase(c *ingestCase) string {
	if c.dir != "" {
		return c.topic()
	}
	return "ogham_" + c.name
}

// druids is what Druid reads; ok is false where it reads another case instead, or has read it long ago.
func (c *liveCase) druids() (in *ingestCase, ok bool) {
	if c.twin != nil {
		return c.twin, true
	}
	return &c.ingestCase, c.as == "" && len(c.archives) == 0
}

func (c *liveCase) theirs() string { return "druid_" + c.name }

// TestDruidAnswersOursAsItsOwn ingests every case, has a Druid cluster load the segments, and asks it in SQL, by native
// queries and about metadata: rows, groups, filters on every column. The answers must be those that it gave about the
// segments that it had made of the same records, which it made again when they are recorded.
func TestDruidAnswersOursAsItsOwn(t *testing.T) {
	again := os.Getenv(recordEnv) != ""
	cases := liveCases(t)
	l := newLab(t)
	// Processes that live for two minutes need no second compiler.
	l.env = append(l.env, "DRUID_HOME="+l.withSketches(), "DRUID_LOG_LEVEL=warn", "JDK_JAVA_OPTIONS=-XX:+UseSerialGC -XX:TieredStopAtLevel=1 "+
		"-Ddruid.indexer.runner.type=httpRemote -Ddruid.sql.planner.metadataRefreshPeriod=PT1S")
	began := time.Now()
	lap := func(what string) {
		t.Logf("%v: %s", time.Since(began).Round(100*time.Millisecond), what)
	}
	var starting sync.WaitGroup
	starting.Go(func() {
		l.druid()
		if l.overlord != "" && again {
			l.indexer(len(cases) + 8)
		}
		lap("Druid runs")
	})
	var b *broker
	if again {
		b = l.kafka()
	} else {
		b = newBroker(t)
	}
	told := ingestAll(t, b, cases)
	lap("Ogham has ingested")
	starting.Wait()
	if l.overlord == "" {
		t.Fatal("Druid did not start")
	}
	if again {
		l.druidIngests(b, cases, func() { l.load(segmentsOf(t, cases, told)) })
		lap("Druid has ingested")
	} else {
		l.load(segmentsOf(t, cases, told))
	}
	lap("Druid has loaded the segments")
	each(t, "compare", cases, func(t *testing.T, i int) {
		c := &cases[i]
		if len(told[i].segments) == 0 {
			return // it was told above
		}
		var want *recording
		if len(c.archives) > 0 {
			l.waitColumns(t, c, func() [][]any { return l.columnsOf(t, c.theirs()) })
			want = l.record(t, c)
		} else {
			want = readRecording(t, c)
		}
		l.compare(t, c, want)
	})
	lap("Druid has answered")
}

// ingestAll has one server ingest all cases.
func ingestAll(t *testing.T, b *broker, cases []liveCase) []ingested {
	t.Helper()
	var ours []ingestCase
	for _, c := range cases {
		ours = append(ours, c.ingestCase)
	}
	b.produce(ours, topicOfCase)
	s := newServer(t, "live", "-D", fmt.Sprintf("druid.worker.capacity=%d", 2*len(cases))).start()
	told := make([]ingested, len(cases))
	for i := range cases {
		s.submitCase(t, &cases[i].ingestCase, cases[i].ours(), topicOfCase(&cases[i].ingestCase), b.servers)
	}
	each(t, "Ogham reads", cases, func(t *testing.T, i int) { told[i] = s.suspendRead(t, &cases[i].ingestCase, cases[i].ours()) })
	each(t, "Ogham publishes", cases, func(t *testing.T, i int) {
		if told[i].task != "" {
			s.waitPublished(t, cases[i].ours(), &told[i])
		}
	})
	checkHistory(t, s.events(t))
	s.stop()
	return told
}

// each tests all cases, some at once.
func each(t *testing.T, what string, cases []liveCase, f func(t *testing.T, i int)) {
	t.Helper()
	t.Run(what, func(t *testing.T) {
		for i := range cases {
			t.Run(cases[i].name, func(t *testing.T) {
				t.Parallel()
				f(t, i)
			})
		}
	})
}

// segmentsOf are those that Ogham has published, and those that Druid had.
func segmentsOf(t *testing.T, cases []liveCase, told []ingested) (all []published) {
	t.Helper()
	for i, in := range told {
		if len(in.segments) == 0 {
			t.Errorf("Ogham has published nothing of %s", cases[i].name)
		}
		all = append(all, in.segments...)
		for _, archive := range cases[i].archives {
			all = append(all, cases[i].archived(t, archive))
		}
	}
	return all
}

// archived is a recorded segment under the name of the data source that it is compared by.
func (c *liveCase) archived(t *testing.T, archive string) published {
	t.Helper()
	var d map[string]any
	number := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(archive), "index"), ".zip")
	c.read(t, "segment"+number, &d)
	file, err := filepath.Abs(archive)
	if err != nil {
		t.Fatal(err)
	}
	d["dataSource"], d["loadSpec"] = c.theirs(), map[string]any{"type": "local", "path": file}
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return published{Descriptor: b}
}

// withSketches is a DRUID_HOME with Druid's extension for sketches on its class path, where it loads by itself; what the
// extension needs, Druid has.
func (l *lab) withSketches() string {
	l.t.Helper()
	home, dir := l.home("DRUID_HOME"), l.t.TempDir()
	jars, err := filepath.Glob(filepath.Join(home, "libs", "*.jar"))
	if err != nil || len(jars) == 0 {
		l.t.Fatalf("there are no jars in %s (%v): run setup.sh", home, err)
	}
	libs := filepath.Join(dir, "libs")
	if err := os.Mkdir(libs, 0o755); err != nil {
		l.t.Fatal(err)
	}
	for _, jar := range append(jars, filepath.Join(home, "libs", ".complete")) {
		if err := os.Symlink(jar, filepath.Join(libs, filepath.Base(jar))); err != nil {
			l.t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(l.t.Context(), "mvn", "-B", "-q", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy",
		"-Dartifact=org.apache.druid.extensions:druid-datasketches:"+druidVersion, "-DoutputDirectory="+libs)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("fetch Druid's sketches: %v\n%s", err, out)
	}
	return dir
}

const druidVersion = "33.0.0"
