package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ogham/adapters/natsserver"
	"ogham/eventstore"
)

const (
	// lowDisk is the free space below which nothing is decided any more: a log that has met a really full disk answers
	// nothing until it is restarted.
	lowDisk = 64 << 20
	// lowShare bounds lowDisk on a small disk, as a part of the whole.
	lowShare  = 20
	diskEvery = time.Second
)

var errDiskLow = errors.New("the disk of the data folder is nearly full")

// diskWatch keeps the embedded log away from a full disk, and brings it back when there is space again.
type diskWatch struct {
	dir string
	srv *natsserver.Server
	log *slog.Logger
	low atomic.Bool // too little is free
	met atomic.Bool // the log itself said that it is full
}

// writable is asked before each decision.
func (d *diskWatch) writable() error {
	if d.low.Load() {
		return &eventstore.UnavailableError{Op: "append to the log", Full: true, Err: errDiskLow}
	}
	return nil
}

func (d *diskWatch) full() { d.met.Store(true) }

// run looks at the disk until ctx ends.
func (d *diskWatch) run(ctx context.Context) error {
	ticker := time.NewTicker(diskEvery)
	defer ticker.Stop()
	for {
		if err := d.look(); err != nil {
			d.log.Warn("watch the disk", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (d *diskWatch) look() error {
	var st unix.Statfs_t
	if err := unix.Statfs(d.dir, &st); err != nil {
		return fmt.Errorf("read the free space of %s: %w", d.dir, err)
	}
	free, whole := int64(st.Bavail)*int64(st.Bsize), int64(st.Blocks)*int64(st.Bsize)
	low := min(int64(lowDisk), whole/lowShare)
	switch {
	case free < low && !d.low.Swap(true):
		d.log.Error("the disk of the data folder is nearly full: nothing is decided until there is space", "free", free, "want", low)
	case free >= 2*low && (d.low.Load() || d.met.Load()):
		// A log that could not write does not always say so: its answers may just stay away. Whether it met the end of
		// the disk cannot be known, and a restart does no harm.
		d.met.Store(false)
		if err := d.srv.Restart(); err != nil {
			d.met.Store(true)
			return fmt.Errorf("bring the log back: %w", err)
		}
		d.low.Store(false)
		d.log.Info("the log takes events again", "free", free)
	}
	return nil
}
