package whip

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLogs lets pion write to our log, all at debug level: its warnings are about single packets and candidates, which
// any stranger can cause.
type pionLogs struct{ log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (l pionLogs) NewLogger(scope string) logging.LeveledLogger {
	return pionLog{l.log.With("scope", scope)}
}

type pionLog struct{ log *slog.Logger }

func (l pionLog) Trace(string)          {}
func (l pionLog) Tracef(string, ...any) {}
func (l pionLog) Debug(string)          {}
func (l pionLog) Debugf(string, ...any) {}
func (l pionLog) Info(string)           {}
func (l pionLog) Infof(string, ...any)  {}

func (l pionLog) Warn(msg string)                   { l.write(msg) }
func (l pionLog) Warnf(format string, args ...any)  { l.write(format, args...) }
func (l pionLog) Error(msg string)                  { l.write(msg) }
func (l pionLog) Errorf(format string, args ...any) { l.write(format, args...) }

func (l pionLog) write(format string, args ...any) {
	if !l.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	l.log.Debug("webrtc", "message", format)
}
