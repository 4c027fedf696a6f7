package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// logMost bounds a task's log in bytes: a spec that logs every bad row may write without end.
	logMost = 64 << 20
	// logReserve is left beyond that for errors, so that the log still tells why the task failed.
	logReserve = 1 << 20
)

// taskLog is a task's own log. What goes there goes to the worker's log too.
type taskLog struct {
	node *slog.Logger // the worker's
	own  *slog.Logger // the file's, nil where there is none

	mu     sync.Mutex // guards what follows
	file   io.WriteCloser
	size   int64
	full   bool
	failed bool
}

// newTaskLog opens the log of a task. A log that cannot be opened does not stop the task.
func newTaskLog(w *Worker, taskID string) (*taskLog, *slog.Logger) {
	l := &taskLog{node: w.cfg.Logger.With("task", taskID)}
	if w.cfg.Logs == nil {
		return l, l.node
	}
	file, err := w.cfg.Logs.Create(taskID)
	if err != nil {
		l.node.Warn("task has no log of its own", "error", err)
		return l, l.node
	}
	l.file = file
	level := slog.LevelInfo
	if l.node.Enabled(context.Background(), slog.LevelDebug) {
		level = slog.LevelDebug
	}
	own := slog.NewTextHandler(l, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr { return masked(w.cfg.Mask, a) }})
	l.own = slog.New(own)
	return l, slog.New(&tee{node: l.node.Handler(), own: own, log: l})
}

// tell writes into the task's own log alone.
func (l *taskLog) tell(msg string, args ...any) {
	if l.own != nil && l.takes(slog.LevelInfo) {
		l.own.Info(msg, args...)
	}
}

// masked hides secrets in an attribute, the message among them, and shows times as Druid does.
func masked(mask func(string) string, a slog.Attr) slog.Attr {
	switch v := a.Value; v.Kind() {
	case slog.KindTime:
		a.Value = slog.StringValue(v.Time().UTC().Format("2006-01-02T15:04:05.000Z"))
	case slog.KindString:
		a.Value = slog.StringValue(mask(v.String()))
	case slog.KindAny:
		if _, level := v.Any().(slog.Level); !level {
			a.Value = slog.StringValue(mask(fmt.Sprint(v.Any())))
		}
	}
	return a
}

// Write implements io.Writer for one record. A disk that takes no more is told of once, and tried again.
func (l *taskLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return 0, io.ErrClosedPipe
	}
	if !l.full && l.size+int64(len(b)) > logMost {
		l.full = true
		b = fmt.Appendf(nil, "time=%s level=WARN msg=\"this log is full: from here on it holds errors only\"\n", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	if l.size+int64(len(b)) > logMost+logReserve {
		return len(b), nil
	}
	n, err := l.file.Write(b)
	l.size += int64(n)
	if err != nil && !l.failed {
		l.failed = true
		l.node.Warn("task's log takes no more", "error", err)
	}
	return len(b), nil
}

// takes reports whether the log still takes records of a level.
func (l *taskLog) takes(level slog.Level) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file != nil && (!l.full || level >= slog.LevelError)
}

// close ends the log and hands it over.
func (l *taskLog) close(w *Worker, taskID string) {
	l.mu.Lock()
	file := l.file
	l.file = nil
	l.mu.Unlock()
	if file == nil {
		return
	}
	if err := errors.Join(file.Close(), w.cfg.Logs.Keep(taskID)); err != nil {
		l.node.Warn("task's log is left behind, the next start of this worker hands it over", "error", err)
	}
}

// tee hands records to the worker's log and to the task's own.
type tee struct {
	node, own slog.Handler
	log       *taskLog
}

// Enabled implements slog.Handler.
func (t *tee) Enabled(ctx context.Context, level slog.Level) bool {
	return t.node.Enabled(ctx, level) || t.own.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (t *tee) Handle(ctx context.Context, r slog.Record) error {
	var errs []error
	if t.node.Enabled(ctx, r.Level) {
		errs = append(errs, t.node.Handle(ctx, r))
	}
	if t.own.Enabled(ctx, r.Level) && t.log.takes(r.Level) {
		errs = append(errs, t.own.Handle(ctx, r))
	}
	return errors.Join(errs...)
}

// WithAttrs implements slog.Handler.
func (t *tee) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &tee{node: t.node.WithAttrs(attrs), own: t.own.WithAttrs(attrs), log: t.log}
}

// WithGroup implements slog.Handler.
func (t *tee) WithGroup(name string) slog.Handler {
	return &tee{node: t.node.WithGroup(name), own: t.own.WithGroup(name), log: t.log}
}
