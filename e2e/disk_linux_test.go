package e2e

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

func mountSmall(dir string, megabytes int) error {
	return os.NewSyscallError("mount", syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)))
}

func unmount(t *testing.T, dir string) {
	if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
		t.Errorf("unmount %s: %v", dir, err)
	}
}
