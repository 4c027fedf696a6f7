package eventstore_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ogham/adapters/natsserver"
	"ogham/eventstore"
	"ogham/eventstore/storetest"
)

// victimEnv names the folder of a process that appends until it is killed.
const victimEnv = "OGHAM_TEST_VICTIM_DIR"

func victimConfig(dir string) eventstore.Config {
	return eventstore.Config{
		SyncedServer: true, SoleProcess: true, Logger: quiet, CheckpointFile: filepath.Join(dir, "checkpoint"),
	}
}

// victim appends single events and batches in turn, and prints the last
// sequence of each append once it is acknowledged.
func victim(dir string) error {
	srv, err := natsserver.Start(natsserver.Config{StoreDir: filepath.Join(dir, "store"), Logger: quiet})
	if err != nil {
		return err
	}
	nc, err := srv.Connect()
	if err != nil {
		return err
	}
	ctx := context.Background()
	s, err := eventstore.Open(ctx, nc, victimConfig(dir))
	if err != nil {
		return err
	}
	if d := s.Damage(); d != nil {
		return d
	}
	a := s.Aggregate("x")
	last, err := a.LastSequence(ctx)
	if err != nil {
		return err
	}
	for round := 0; ; round++ {
		events := make([]eventstore.NewEvent, 1+round%3)
		for i := range events {
			events[i] = storetest.NewEvent("A", "")
			events[i].ID = fmt.Sprintf("after-%d-%d", last, i)
		}
		if last, err = a.Append(ctx, last, events); err != nil {
			return err
		}
		fmt.Println(last)
	}
}

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	var acked uint64
	for kill := range 5 {
		cmd := exec.CommandContext(storetest.Context(t), os.Args[0])
		cmd.Env = append(os.Environ(), victimEnv+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		n := 0
		for lines.Scan() {
			if _, err := fmt.Sscan(lines.Text(), &acked); err != nil {
				t.Fatalf("the victim printed %q", lines.Text())
			}
			if n++; n == 20+7*kill {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil || n < 20+7*kill {
			t.Fatalf("the victim ended by itself after %d appends: %v", n, err)
		}
	}
	srv, err := natsserver.Start(natsserver.Config{StoreDir: filepath.Join(dir, "store"), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Shutdown)
	nc, err := srv.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	s := storetest.Open(t, nc, victimConfig(dir))
	if d := s.Damage(); d != nil {
		t.Fatal(d)
	}
	r, err := s.Verify(storetest.Context(t))
	if err != nil || r.Last < acked {
		t.Errorf("Verify = %+v, %v: %d was acknowledged", r, err, acked)
	}
}
