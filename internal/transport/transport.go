// Package transport carries GraphQL over HTTP: it reads a request within limits, asks who is there, lets gqlgen run the
// operation and writes the answer. It knows no noun of the schema and no kind of token.
package transport

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"

	"github.com/tenantry/tenantry/internal/body"
)

const (
	defaultMaxBody = 256 << 10
	defaultTimeout = 10 * time.Second
	// defaultMaxAnswer is far more than a page of documents needs: a hundred of 32,768 letters are 3.2 MiB.
	defaultMaxAnswer = 8 << 20
)

// Options say what the transport cannot know. The zero value serves everybody, without introspection.
type Options struct {
	// Authenticate judges the values of the Authorization header before the body is read, and so
	// without the database. It returns what finds out about the caller once the body is there. The
	// errors of both end the request; they are logged, so they hold no token. Defaults to nil, with
	// which the context stays as it is.
	Authenticate func(ctx context.Context, authorization []string) (Identify, error)
	// Unauthenticated reports which of these errors are the caller's fault and answered with 401.
	// All others are answered with 503 UNAVAILABLE.
	Unauthenticated func(error) bool

	// Introspection lets clients ask for the schema, and lets validation suggest names.
	Introspection bool
	// MaxBody is the largest body in bytes, 256 KiB if zero.
	MaxBody int64
	// Timeout is the time an operation has from the moment its body is read, 10 s if zero. The body
	// has 10 s of its own to arrive.
	Timeout time.Duration
	// MaxAnswer is the largest answer in bytes. An operation that exceeds it is refused as a whole with
	// RESPONSE_TOO_LARGE. Defaults to 8 MiB.
	MaxAnswer int64
	// MaxInFlight is how many operations may run at once. Others are refused with 503 OVERLOADED. Defaults to no limit.
	MaxInFlight int

	// NewRequestID makes an id of 8 to 64 letters, digits, _ or - for a request that brings none; UUIDv7 if nil.
	NewRequestID func() string

	// Logger gets one line for each request. slog.Default() if nil.
	Logger *slog.Logger
	// CountStatements starts a count of SQL statements under a context, for the log line.
	CountStatements func(ctx context.Context) (context.Context, func() int)

	// Present turns an error of a field into what the client reads, with a code in extensions. The request id is
	// added to what it returns, and its Err is logged. Without it every error is INTERNAL, except that of a context,
	// TIMEOUT or UNAVAILABLE.
	Present graphql.ErrorPresenterFunc
	// Recover turns a panic into the error that Present gets. The panic and its stack are logged.
	Recover graphql.RecoverFunc
}

// Identify puts who is asking into the context. It may use the database.
type Identify func(ctx context.Context) (context.Context, error)

// New returns the handler of POST requests for one schema. Each body is one operation; the answer is
// application/graphql-response+json where the client asks for it and application/json otherwise, with the statuses of
// the GraphQL-over-HTTP specification.
func New(schema graphql.ExecutableSchema, options Options) http.Handler {
	if options.MaxBody == 0 {
		options.MaxBody = defaultMaxBody
	}
	if options.Timeout == 0 {
		options.Timeout = defaultTimeout
	}
	if options.MaxAnswer == 0 {
		options.MaxAnswer = defaultMaxAnswer
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	if options.NewRequestID == nil {
		options.NewRequestID = newRequestID
	}
	if options.Present == nil {
		options.Present = presentNothing
	}
	h := &handler{
		options:   options,
		documents: newDocuments(schema.Schema(), options.Introspection),
		executor:  executor.New(schema),
		bodies:    body.NewReader(smallBody, largeBodies),
	}
	if options.MaxInFlight > 0 {
		h.inFlight = make(chan struct{}, options.MaxInFlight)
	}
	h.executor.SetQueryCache(prepared{})
	h.executor.SetErrorPresenter(h.present)
	h.executor.SetRecoverFunc(h.recovered)
	return h
}
