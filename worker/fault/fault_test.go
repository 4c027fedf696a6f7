package fault

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

func TestConfigure(t *testing.T) {
	defer func() {
		if err := Configure(""); err != nil {
			t.Error(err)
		}
	}()
	for _, bad := range []string{"a", "a:", "a:0", "a:x", ":1", "a:1:boom", "a:1:exit:2"} {
		if Configure(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if err := Configure(AfterPush + ":1"); err != nil {
		t.Fatal(err)
	}
	Hit(AfterBatch) // another point
}

func TestHitKillsAtTheNthTime(t *testing.T) {
	if text := os.Getenv("FAULT_TEST"); text != "" {
		if err := Configure(text); err != nil {
			t.Fatal(err)
		}
		Hit("here")
		Hit("here")
		t.Fatal("alive")
	}
	for text, check := range map[string]func(*exec.ExitError) bool{
		"here:2": func(e *exec.ExitError) bool {
			s, _ := e.Sys().(syscall.WaitStatus)
			return s.Signal() == syscall.SIGKILL
		},
		"here:2:exit": func(e *exec.ExitError) bool { return e.ExitCode() == 137 },
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=TestHitKills")
		cmd.Env = append(os.Environ(), "FAULT_TEST="+text)
		var exit *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &exit) || !check(exit) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
