package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// binary is the ogham that the tests run: OGHAM_BINARY, or one built for this run.
var binary string

// procs starts processes from one thread that lives as long as the test, since a child is told of the end of the thread
// that made it, not of the process.
var procs = make(chan func())

func TestMain(m *testing.M) {
	go func() {
		runtime.LockOSThread()
		for start := range procs {
			start()
		}
	}()
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	if binary = os.Getenv("OGHAM_BINARY"); binary != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "ogham-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the binary:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "ogham")
	args := []string{"build", "-trimpath", "-o", binary}
	if raceEnabled {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "ogham/cmd/ogham")...)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build ogham: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// startProcess starts a command that is killed when the test process dies, however it dies.
func startProcess(cmd *exec.Cmd) error {
	ready := make(chan error)
	dieWithParent(cmd)
	procs <- func() { ready <- cmd.Start() }
	return <-ready
}
