package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// retryable decides whether asking again can help. Answers that name the user's mistake (a bad name, no permission, bad
// credentials or certificates) do not get better within the minute; anything else may: brokers restart, leaders move.
func retryable(err error) bool {
	var known *StreamError
	var code *kerr.Error
	switch {
	case errors.As(err, &known), isTLS(err), errors.Is(err, kgo.ErrClientClosed), errors.Is(err, ErrClosed):
		return false
	case errors.As(err, &code):
		return code.Retriable || code.Code == kerr.UnknownServerError.Code
	}
	return true
}

// wait pauses, and reports false when the context ended first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// clampOverhead keeps request.timeout.ms within what the client accepts.
func clampOverhead(d time.Duration) time.Duration {
	return min(max(d, 100*time.Millisecond), 15*time.Minute)
}
