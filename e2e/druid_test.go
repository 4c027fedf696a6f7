//go:build integration

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lab is a real Kafka and a real Druid, of the test alone.
type lab struct {
	t     *testing.T
	tools string
	env   []string
	sql   string // URL of the broker's SQL

	broker, overlord, metadata string // of the cluster, once it runs
}

// newLab finds the scripts and gives the test's processes folders and ports of their own. Absent scripts are a failure.
func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, tools: os.Getenv("OGHAM_DRUID_TOOLS")}
	if l.tools == "" {
		l.tools = filepath.Join("..", "..", "shared", "tools", "druid")
	}
	if _, err := os.Stat(filepath.Join(l.tools, "kafka.sh")); err != nil {
		t.Fatalf("a real Kafka and Druid are needed here, set OGHAM_DRUID_TOOLS to the folder of their scripts: %v", err)
	}
	dir, base := t.TempDir(), freePorts(t, 1, 2, 50, 51, 81, 82, 83, 91)
	l.env = append(os.Environ(), "DRUID_RUN="+filepath.Join(dir, "druid"), "KAFKA_RUN="+filepath.Join(dir, "kafka"),
		fmt.Sprintf("DRUID_PORT_BASE=%d", base), fmt.Sprintf("KAFKA_PORT=%d", base+50))
	return l
}

// run runs a script and returns what it printed.
func (l *lab) run(script string, args ...string) []byte {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	out, err := l.command(ctx, script, args...)
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

func (l *lab) command(ctx context.Context, script string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "bash", append([]string{filepath.Join(l.tools, script)}, args...)...)
	cmd.Env = l.env
	var errs bytes.Buffer
	cmd.Stderr = &errs
	// The services that a script leaves behind have its output open: what matters is the end of the script.
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState != nil && cmd.ProcessState.Success() {
		err = nil
	}
	if err != nil {
		return out, fmt.Errorf("%s %s: %w\n%s%s", script, strings.Join(args, " "), err, out, errs.Bytes())
	}
	return out, nil
}

// setting finds NAME=value in what a script printed.
func setting(t *testing.T, out []byte, name string) string {
	t.Helper()
	for line := range bytes.Lines(out) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(string(line)), name+"="); ok {
			return value
		}
	}
	t.Fatalf("there is no %s in %s", name, out)
	return ""
}

func (l *lab) stop(script string) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if _, err := l.command(ctx, script, "stop"); err != nil {
		l.t.Error(err)
	}
}

// kafka starts the broker.
func (l *lab) kafka() *broker {
	l.t.Helper()
	l.t.Cleanup(func() { l.stop("kafka.sh") })
	return &broker{t: l.t, servers: setting(l.t, l.run("kafka.sh", "start"), "KAFKA")}
}

// druid starts what is needed to load and query segments; it may run beside the test.
func (l *lab) druid() {
	l.t.Cleanup(func() { l.stop("run-cluster.sh") })
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	out, err := l.command(ctx, "run-cluster.sh", "start", "zk", "coordinator-overlord", "historical", "broker")
	if err != nil {
		l.t.Error(err)
		return
	}
	l.broker, l.overlord, l.metadata = setting(l.t, out, "BROKER"), setting(l.t, out, "OVERLORD"), setting(l.t, out, "METADATA_URI")
	l.sql = l.broker + "/druid/v2/sql"
}

// dump has Druid's own reader print the rows of segments.
func (l *lab) dump(all []published) *tally {
	l.t.Helper()
	c := newTally()
	for _, p := range all {
		if err := c.add(bytes.NewReader(l.run("dump-segment.sh", p.place(l.t), "rows"))); err != nil {
			l.t.Errorf("%s: %v", p.place(l.t), err)
		}
	}
	return c
}

// load makes Druid load the segments by the descriptors that Ogham publishes, and waits until they can be queried.
func (l *lab) load(all []published) {
	l.t.Helper()
	var lines bytes.Buffer
	sources := map[string]bool{}
	for _, p := range all {
		if err := json.Compact(&lines, p.Descriptor); err != nil {
			l.t.Fatal(err)
		}
		lines.WriteByte('\n')
		sources[descriptorOf(l.t, p).DataSource] = true
	}
	file := filepath.Join(l.t.TempDir(), "descriptors.json")
	if err := os.WriteFile(file, lines.Bytes(), 0o600); err != nil {
		l.t.Fatal(err)
	}
	cmd := exec.CommandContext(l.t.Context(), l.java(), "-cp", filepath.Join(l.home("DRUID_HOME"), "libs", "*"),
		filepath.Join("testdata", "LoadSegments.java"), l.metadata, file)
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("insert descriptors: %v\n%s", err, out)
	}
	// A broker serves a segment before it has asked for its columns and its number of rows, and until then SQL may not
	// know the data source.
	eventually(l.t, "Druid loads the segments and knows their columns", func() (bool, string) {
		loaded, known, tables := int64(0), int64(0), 0
		counts, err := l.tryQuery(`SELECT datasource, COUNT(*), COUNT(*) FILTER (WHERE num_rows > 0) FROM sys.segments WHERE is_available = 1 GROUP BY 1`)
		if err != nil {
			return false, err.Error()
		}
		for _, row := range counts {
			if sources[row[0].(string)] {
				loaded += int64(number(l.t, row[1]))
				known += int64(number(l.t, row[2]))
			}
		}
		names, err := l.tryQuery(`SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'druid'`)
		if err != nil {
			return false, err.Error()
		}
		for _, row := range names {
			if sources[row[0].(string)] {
				tables++
			}
		}
		wanted := int64(len(all))
		return loaded == wanted && known == wanted && tables == len(sources),
			fmt.Sprintf("%d of %d, the rows of %d known, %d of %d tables", loaded, wanted, known, tables, len(sources))
	})
}

// java is the command that runs Java.
func (l *lab) java() string {
	if java := os.Getenv("JAVA"); java != "" {
		return java
	}
	return "java"
}

// home is a folder that the scripts know: DRUID_HOME or KAFKA_HOME, where the jars are, or DRUID_RUN.
func (l *lab) home(name string) string {
	l.t.Helper()
	cmd := exec.CommandContext(l.t.Context(), "bash", "-c", `. "$1/common.sh" && printf %s "${!2}"`, "home", l.tools, name)
	cmd.Env = l.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		l.t.Fatalf("find %s: %v: %s", name, err, out)
	}
	return string(out)
}

// query asks Druid in SQL; numbers come as json.Number.
func (l *lab) query(sql string) [][]any {
	l.t.Helper()
	rows, err := l.tryQuery(sql)
	if err != nil {
		l.t.Fatal(err)
	}
	return rows
}

// tryQuery asks what a cluster that has just started may not be able to answer.
func (l *lab) tryQuery(sql string) ([][]any, error) {
	body, err := json.Marshal(map[string]any{
		"query": sql, "resultFormat": "array", "context": map[string]any{"useApproximateCountDistinct": false, "useApproximateTopN": false},
	})
	if err != nil {
		return nil, err
	}
	res, err := http.Post(l.sql, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sql, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %d %s %v", sql, res.StatusCode, clip(string(b)), err)
	}
	var rows [][]any
	if err := decodeNumbers(b, &rows); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", sql, err, clip(string(b)))
	}
	return rows, nil
}
