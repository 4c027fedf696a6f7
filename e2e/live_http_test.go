//go:build integration

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"testing"
)

// startScript starts a bash script with its output in a file.
func startScript(file string, env []string, script string, args ...string) (*process, error) {
	out, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command("bash", append([]string{"-c", script, "script"}, args...)...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Env = out, out, env
	if err := startProcess(p.cmd); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		_ = out.Close()
		close(p.ended)
	}()
	return p, nil
}

// get decodes an answer of 200; a raw message takes it as it is.
func (l *lab) get(url string, v any) error {
	res, err := client.Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%d %s", res.StatusCode, clip(string(b)))
	}
	return json.Unmarshal(b, v)
}

func (l *lab) post(url string, body []byte) error {
	_, err := send(url, body)
	return err
}

func send(url string, body []byte) ([]byte, error) {
	res, err := client.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%d %s", res.StatusCode, clip(string(b)))
	}
	return b, err
}

// ask asks the broker something that has to be answered, natively or in SQL; numbers come as json.Number.
func (l *lab) ask(t *testing.T, path string, question map[string]any, v any) {
	t.Helper()
	body, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	b, err := send(l.broker+path, body)
	if err == nil {
		err = decodeNumbers(b, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
}

// sqlRows asks in SQL.
func (l *lab) sqlRows(t *testing.T, sql string) (rows [][]any) {
	t.Helper()
	l.ask(t, "/druid/v2/sql", map[string]any{"query": sql, "resultFormat": "array"}, &rows)
	return rows
}
