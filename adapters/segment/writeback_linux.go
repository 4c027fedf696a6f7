package segment

import (
	"os"

	"golang.org/x/sys/unix"
)

// startWriteback asks the kernel to begin to write a part of a file; it waits for nothing. That it cannot, on some file
// systems, only makes the sync at the end longer.
func startWriteback(f *os.File, at, n int64) {
	_ = unix.SyncFileRange(int(f.Fd()), at, n, unix.SYNC_FILE_RANGE_WRITE)
}
