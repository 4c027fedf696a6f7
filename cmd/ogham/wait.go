package main

import (
	"context"
	"time"
)

// waitFor polls a condition that nobody announces, for at most d.
func waitFor(ctx context.Context, d time.Duration, ok func() bool) {
	pollEvery(ctx, 5*time.Millisecond, d, ok)
}

// pollEvery is waitFor for what costs something to ask.
func pollEvery(ctx context.Context, every, d time.Duration, ok func() bool) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// pause waits without work, and reports false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
