package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds each wait of a test. It is far above what is needed: only a test that fails waits so long.
const patience = 3 * time.Minute

// eventually polls until ok; it says what it last saw when that does not come.
func eventually(t *testing.T, what string, ok func() (bool, string)) {
	t.Helper()
	eventuallyIn(t, patience, what, ok)
}

func eventuallyIn(t *testing.T, limit time.Duration, what string, ok func() (bool, string)) {
	t.Helper()
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		done, seen := ok()
		if done {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it did not happen in %v: %s; last seen: %s", limit, what, seen)
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("the test ended while waiting: %s", what)
		}
	}
}

// server is an ogham process that can be stopped, killed and started again on the same folder.
type server struct {
	t    *testing.T
	name string
	dir  string
	args []string

	mu   sync.Mutex // guards what follows
	run  *process
	runs int
	logs []string
}

// process is one life of a server.
type process struct {
	cmd   *exec.Cmd
	out   *watchedLog
	ready chan struct{} // closed when it says that it is ready
	ended chan struct{} // closed when the process is gone
	err   error         // valid after ended
}

// watchedLog keeps what a process says in a file, and the URL that it is ready at.
type watchedLog struct {
	file  *os.File
	ready chan struct{}

	mu   sync.Mutex // guards what follows
	line bytes.Buffer
	url  string
}

var readyLine = regexp.MustCompile(`ogham is ready.* url=(\S+)`)

func (w *watchedLog) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line.Write(b)
	for {
		i := bytes.IndexByte(w.line.Bytes(), '\n')
		if i < 0 {
			return w.file.Write(b)
		}
		if m := readyLine.FindSubmatch(w.line.Next(i + 1)); m != nil && w.url == "" {
			w.url = strings.Trim(string(m[1]), `"`)
			close(w.ready)
		}
	}
}

func (w *watchedLog) address() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.url
}

// newServer describes a server on a folder of its own; start starts it.
func newServer(t *testing.T, name string, args ...string) *server {
	t.Helper()
	return serverIn(t, t.TempDir(), name, args...)
}

func serverIn(t *testing.T, dir, name string, args ...string) *server {
	t.Helper()
	if err := lookAtSources(); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, name: name, dir: dir, args: args}
	t.Cleanup(func() {
		s.kill()
		s.inspect()
	})
	return s
}

// inspect looks through what all runs said: a data race or a panic is a failure, whatever else went well.
func (s *server) inspect() {
	for _, file := range s.logs {
		b, err := os.ReadFile(file)
		if err != nil {
			s.t.Errorf("read the log of %s: %v", s.name, err)
			continue
		}
		for _, bad := range []string{"DATA RACE", "panic:", "fatal error:"} {
			if i := bytes.Index(b, []byte(bad)); i >= 0 {
				s.t.Errorf("%s in %s:\n%s", bad, s.name, b[i:min(len(b), i+6000)])
			}
		}
		if s.t.Failed() && file == s.logs[len(s.logs)-1] {
			var told bytes.Buffer
			for line := range bytes.Lines(b) {
				if !bytes.Contains(line, []byte("msg=http ")) {
					told.Write(line)
				}
			}
			s.t.Logf("the end of the log of %s:\n%s", s.name, told.Bytes()[max(0, told.Len()-8000):])
		}
	}
}

// launch starts the process and does not wait for it.
func (s *server) launch(env ...string) *process {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs++
	name := filepath.Join(logFolder(s.t), fmt.Sprintf("%s-%03d.log", s.name, s.runs))
	file, err := os.Create(name)
	if err != nil {
		s.t.Fatal(err)
	}
	s.logs = append(s.logs, name)
	args := append([]string{"server", "--listen", "127.0.0.1:0", "--data-dir", s.dir, "--node-id", s.name}, s.args...)
	p := &process{cmd: exec.Command(binary, args...), ready: make(chan struct{}), ended: make(chan struct{})}
	p.out = &watchedLog{file: file, ready: p.ready}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.Env = append(os.Environ(), env...)
	if err := startProcess(p.cmd); err != nil {
		s.t.Fatalf("start %s: %v", s.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		_ = file.Close()
		close(p.ended)
	}()
	s.run = p
	return p
}

var logFolders sync.Map

// logFolder is where the processes of a test write: below OGHAM_E2E_LOGS when it is set, so that they outlive the test.
func logFolder(t *testing.T) string {
	if dir, ok := logFolders.Load(t.Name()); ok {
		return dir.(string)
	}
	dir := os.Getenv("OGHAM_E2E_LOGS")
	if dir == "" {
		dir = t.TempDir()
	} else {
		dir = filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "_"))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	logFolders.Store(t.Name(), dir)
	return dir
}

// start starts the process and waits until it is healthy.
func (s *server) start(env ...string) *server {
	s.t.Helper()
	p := s.launch(env...)
	select {
	case <-p.ready:
	case <-p.ended:
		s.t.Fatalf("%s ended before it was ready: %v", s.name, p.err)
	case <-time.After(patience):
		s.t.Fatalf("%s did not say that it is ready", s.name)
	}
	eventually(s.t, s.name+" is healthy", func() (bool, string) {
		status, body, err := s.call("GET", "/status/health", nil)
		return err == nil && status == 200, fmt.Sprintf("%d %s %v", status, body, err)
	})
	return s
}

// as is the running server for a test within the test that started it.
func (s *server) as(t *testing.T) *server {
	return &server{t: t, name: s.name, dir: s.dir, args: s.args, run: s.current()}
}

func (s *server) current() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.run
}

// url is empty while no process of the server has said that it is ready.
func (s *server) url() string {
	if p := s.current(); p != nil {
		return p.out.address()
	}
	return ""
}

func (s *server) signal(sig syscall.Signal) {
	if p := s.current(); p != nil {
		if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			s.t.Errorf("signal %s: %v", s.name, err)
		}
	}
}

// kill ends the process at once and waits for its end.
func (s *server) kill() {
	p := s.current()
	if p == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stop ends the process in order, and wants it to end without an error.
func (s *server) stop() {
	s.t.Helper()
	p := s.current()
	s.signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		s.signal(syscall.SIGQUIT) // its stacks say what it waits for
		<-p.ended
		s.t.Fatalf("%s did not stop after SIGTERM", s.name)
	}
	if p.err != nil {
		s.t.Errorf("%s stopped with an error after SIGTERM: %v", s.name, p.err)
	}
}

// ogham runs another command of the binary and returns its output.
func ogham(t *testing.T, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Errorf("ogham %s: %v\n%s%s", strings.Join(args, " "), err, errs.Bytes(), clip(out.String()))
	}
	return out.Bytes()
}

func clip(s string) string {
	if len(s) > 2000 {
		return s[:2000] + "..."
	}
	return s
}
