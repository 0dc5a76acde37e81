package transport

import (
	"context"
	"net/http"

	"github.com/google/uuid"
)

const requestIDHeader = "X-Request-Id"

type contextKey struct{}

func newContext(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, contextKey{}, x)
}

func fromContext(ctx context.Context) *exchange {
	x, _ := ctx.Value(contextKey{}).(*exchange)
	return x
}

// RequestID returns the id of the request that a context belongs to, "" outside of one. It is in every error's
// extensions, in the X-Request-Id header of the answer and in the log.
func RequestID(ctx context.Context) string {
	if x := fromContext(ctx); x != nil {
		return x.id
	}
	return ""
}

// requestID takes the caller's id if it is harmless in a log, or else a new one.
func requestID(header http.Header, newID func() string) string {
	if id := header.Get(requestIDHeader); isRequestID(id) {
		return id
	}
	return newID()
}

func newRequestID() string { return uuid.Must(uuid.NewV7()).String() }

// isRequestID reports whether id matches ^[A-Za-z0-9_-]{8,64}$.
func isRequestID(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		if !isWord(c) && c != '-' {
			return false
		}
	}
	return true
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}
