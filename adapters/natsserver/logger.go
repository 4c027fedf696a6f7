package natsserver

import (
	"fmt"
	"log/slog"
	"sync"
)

// slogLogger hands the server's messages to slog. The server ends the process
// on a fatal message where its own logger is in place; ours keeps the text, so
// that Start can answer it as an error.
type slogLogger struct {
	log *slog.Logger

	mu    sync.Mutex
	fatal string // first fatal message; guarded by mu
}

// Noticef logs at debug level: a notice is chatter to the operator of Ogham.
func (l *slogLogger) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }

// Warnf logs a warning.
func (l *slogLogger) Warnf(format string, v ...any) { l.log.Warn(fmt.Sprintf(format, v...)) }

// Errorf logs an error.
func (l *slogLogger) Errorf(format string, v ...any) { l.log.Error(fmt.Sprintf(format, v...)) }

// Debugf logs at debug level.
func (l *slogLogger) Debugf(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }

// Tracef is never enabled.
func (l *slogLogger) Tracef(string, ...any) {}

// Fatalf logs an error and keeps the first one.
func (l *slogLogger) Fatalf(format string, v ...any) {
	msg := fmt.Sprintf(format, v...)
	l.log.Error(msg)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal == "" {
		l.fatal = msg
	}
}

func (l *slogLogger) fatalMessage() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal
}
