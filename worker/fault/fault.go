package fault

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// The points of a task's life.
const (
	// AfterBatch is after rows of a batch entered the index.
	AfterBatch = "worker.after-batch"
	// MidPersist is when a persist has begun and not ended.
	MidPersist = "worker.mid-persist"
	// AfterAllocate is when segments have identities and are not pushed.
	AfterAllocate = "worker.after-allocate"
	// AfterPush is between push and commit.
	AfterPush = "worker.after-push"
	// AfterPublish is between commit and the task's success.
	AfterPublish = "worker.after-publish"
)

type plan struct {
	name string
	left atomic.Int64
	exit bool
}

var set atomic.Pointer[plan]

// Configure sets the fault of the process from its text form, NAME:N or NAME:N:exit: at the N-th hit of the point the
// process kills itself with SIGKILL, or exits with status 137. An empty text sets none.
func Configure(text string) error {
	if text == "" {
		set.Store(nil)
		return nil
	}
	parts := strings.Split(text, ":")
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" || (len(parts) == 3 && parts[2] != "exit" && parts[2] != "kill") {
		return fmt.Errorf("fault %q is not NAME:N or NAME:N:exit", text)
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || n < 1 {
		return fmt.Errorf("fault %q: %q is not a positive number of hits", text, parts[1])
	}
	p := &plan{name: parts[0], exit: len(parts) == 3 && parts[2] == "exit"}
	p.left.Store(n)
	set.Store(p)
	return nil
}

// Hit passes the named point, or does not return.
func Hit(name string) {
	p := set.Load()
	if p == nil || p.name != name || p.left.Add(-1) != 0 {
		return
	}
	if p.exit {
		os.Exit(137)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		os.Exit(137)
	}
	select {} // the signal comes
}
