package natsserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

const lockFile = "ogham.lock"

// LockedError is returned by Start when another process holds the store folder.
type LockedError struct {
	// Dir is the store folder.
	Dir string
	// Holder is the process id that the lock file names, or empty.
	Holder string
}

// Error says who holds what.
func (e *LockedError) Error() string {
	if e.Holder == "" {
		return fmt.Sprintf("store folder %s is in use by another process", e.Dir)
	}
	return fmt.Sprintf("store folder %s is in use by process %s", e.Dir, e.Holder)
}

// lockDir takes the folder for this process. The kernel drops the lock with the
// process, so a killed one leaves nothing stale behind.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("create store folder: %w", err)
	}
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open lock of store folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder := make([]byte, 32)
		n, _ := f.Read(holder)
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &LockedError{Dir: dir, Holder: string(holder[:n])}
		}
		return nil, fmt.Errorf("lock store folder %s: %w", dir, err)
	}
	// The pid is for people; the lock does not depend on it.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	}
	return f, nil
}

// storeLimit returns the most bytes the store may hold: what it has now, plus
// what is free, less the reserve. JetStream compares its limit with all that
// its streams hold, the old part included.
func storeLimit(dir string, configured, reserve int64) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("read free space of %s: %w", dir, err)
	}
	used, err := usedBytes(dir)
	if err != nil {
		return 0, err
	}
	free := int64(st.Bavail) * int64(st.Bsize)
	limit := used + free - min(reserve, free/2)
	if configured > 0 && configured < limit {
		limit = configured
	}
	// Zero would mean "choose for me" to the server.
	return max(limit, 1), nil
}

func usedBytes(dir string) (int64, error) {
	var used int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		used += info.Size()
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("measure store folder %s: %w", dir, err)
	}
	return used, nil
}
