package transport

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// maxOperation is how much of an operation's name is logged.
const maxOperation = 100

// log writes the one line of a request. It holds no token, no query and no variable.
func (h *handler) log(ctx context.Context, x *exchange) {
	attributes := []slog.Attr{
		slog.String("request_id", x.id),
		slog.Int("status", x.status),
		slog.Float64("duration_ms", float64(time.Since(x.start).Microseconds())/1000),
		slog.Int("bytes", x.bytes),
	}
	if isName(x.operation) {
		attributes = append(attributes, slog.String("operation", x.operation[:min(len(x.operation), maxOperation)]))
	}
	if x.operationType != "" {
		attributes = append(attributes, slog.String("operation_type", string(x.operationType)))
	}
	if len(x.codes) > 0 {
		attributes = append(attributes, slog.Any("codes", x.codes))
	}
	if x.statements != nil {
		attributes = append(attributes, slog.Int("statements", x.statements()))
	}
	if x.cause != nil {
		attributes = append(attributes, slog.String("cause", x.cause.Error()))
	}
	if ctx.Err() != nil {
		attributes = append(attributes, slog.Bool("client_gone", true))
	}
	level, attributes := x.record.appendTo(attributes)
	h.options.Logger.LogAttrs(ctx, level, "request", attributes...)
}

// note remembers a code for the log, each once.
func (x *exchange) note(code string) {
	if !slices.Contains(x.codes, code) {
		x.codes = append(x.codes, code)
	}
}

// isName reports whether a client's text is a GraphQL name, and so harmless in a log.
func isName(name string) bool {
	if name == "" || '0' <= name[0] && name[0] <= '9' {
		return false
	}
	for _, c := range []byte(name) {
		if !isWord(c) {
			return false
		}
	}
	return true
}

// errPanicked is what the presenter gets for a panic where Options.Recover is not set.
var errPanicked = errors.New("a resolver panicked")

// recovered is gqlgen's hook for a panic under a field.
func (h *handler) recovered(ctx context.Context, value any) error {
	if x := fromContext(ctx); x != nil {
		x.record.panicked(value)
	}
	if h.options.Recover == nil {
		return errPanicked
	}
	return h.options.Recover(ctx, value)
}

// recoverExchange answers for a panic outside of every field. It is deferred.
func (h *handler) recoverExchange(x *exchange) {
	value := recover()
	if value == nil {
		return
	}
	if value == http.ErrAbortHandler {
		panic(value)
	}
	x.record.panicked(value)
	if !x.answered {
		x.refuse(errInternal)
	}
}
