package transport

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

const (
	// maxCauses different causes of a request's errors are logged, each with at most maxCause bytes.
	maxCauses = 3
	maxCause  = 500
	// maxStack is how much of a panic's stack is logged.
	maxStack = 8 << 10
)

// record is what a request's log line gets while the request is answered. Fields are resolved at the
// same time, so it has a lock.
type record struct {
	mu         sync.Mutex
	attributes []slog.Attr
	// failures is how many errors have a cause. causes has the first ones that differ, with the
	// path of the first field that each befell.
	failures int
	causes   []cause
	// panics is how many there were. The text and the stack are those of the first.
	panics           int
	panicText, stack string
}

type cause struct{ path, text string }

// Annotate adds attributes to the log line of the request that a context belongs to. They must be
// harmless in a log.
func Annotate(ctx context.Context, attributes ...slog.Attr) {
	if x := fromContext(ctx); x != nil {
		x.record.mu.Lock()
		defer x.record.mu.Unlock()
		x.record.attributes = append(x.record.attributes, attributes...)
	}
}

// failed notes the cause of an error, if it has one that the client is not told.
func (r *record) failed(err *gqlerror.Error) {
	if err.Err == nil {
		return
	}
	text := shorten(withoutPath(err.Err).Error(), maxCause)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures++
	for _, known := range r.causes {
		if known.text == text {
			return
		}
	}
	if len(r.causes) < maxCauses {
		r.causes = append(r.causes, cause{shorten(err.Path.String(), maxMessage), text})
	}
}

// withoutPath returns the error that gqlgen has put into one with the field's path.
func withoutPath(err error) error {
	for {
		placed, ok := err.(*gqlerror.Error)
		if !ok || placed.Err == nil {
			return err
		}
		err = placed.Err
	}
}

// panicked notes a panic. It is called where the panic is recovered from.
func (r *record) panicked(value any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.panics++; r.panics == 1 {
		r.panicText, r.stack = shorten(fmt.Sprint(value), maxCause), shorten(string(debug.Stack()), maxStack)
	}
}

// appendTo adds what was noted to a log line. It also returns the line's level.
func (r *record) appendTo(line []slog.Attr) (slog.Level, []slog.Attr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	level := slog.LevelInfo
	line = append(line, r.attributes...)
	if r.failures > 0 {
		level = slog.LevelError
		texts := make([]string, len(r.causes))
		for i, cause := range r.causes {
			texts[i] = strings.TrimPrefix(cause.path+": ", ": ") + cause.text
		}
		line = append(line, slog.Int("failures", r.failures), slog.Any("causes", texts))
	}
	if r.panics > 0 {
		level = slog.LevelError
		line = append(line, slog.Int("panics", r.panics), slog.String("panic", r.panicText), slog.String("stack", r.stack))
	}
	return level, line
}
