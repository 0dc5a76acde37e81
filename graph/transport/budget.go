package transport

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const (
	// maxAnswerFields is how many fields one operation may resolve, each counted for every object that has it. A
	// resolved field takes about 100 bytes until the answer is written, however short its value is.
	maxAnswerFields = 100_000
	// errorOverhead is the size of an error in an answer without its message and the names in its path.
	errorOverhead = 300
	// maxHeld is how many of the largest answers are in memory at once, being made or being read by their clients.
	maxHeld = 16
	// heldStep is how many bytes are added to those in memory at a time. Most answers are smaller and are not counted.
	heldStep = 64 << 10
)

// errEnded stops a field, or the writing of an answer, once the budget has ended. No client sees it.
var errEnded = errors.New("the budget of the answer has ended")

// budget limits the answer of one operation: its bytes, the fields that are resolved for it, and its time. Once a limit
// is passed, the resolvers that run are canceled, no further field is resolved, nothing more is written, and an error
// takes the place of the whole answer.
type budget struct {
	maxBytes int64
	// held is the size of all large answers in memory, and reserved the part of this one.
	held     *atomic.Int64
	reserved int64
	mutation bool
	timer    *time.Timer
	// cancel ends what the resolvers that are running wait for.
	cancel context.CancelFunc
	fields atomic.Int64
	// errorBytes is the approximate size of the errors so far.
	errorBytes atomic.Int64
	// written is the size of the data so far. Only the goroutine that writes the answer uses it.
	written int64
	// ended is the error that replaces the answer, nil while no limit is passed.
	ended atomic.Pointer[gqlerror.Error]
}

// newBudget returns the budget of an operation, and sets it as the middleware of all its fields. An operation has a
// twentieth of its timeout to write its answer after the deadline of the context, so that a field that ran out of time
// does not take its neighbors with it. The caller must call stop when the answer is sent.
func (h *handler) newBudget(ctx context.Context, opCtx *graphql.OperationContext, cancel context.CancelFunc) *budget {
	b := &budget{maxBytes: h.options.MaxAnswer, held: &h.held, cancel: cancel, mutation: opCtx.Operation.Operation == ast.Mutation}
	if deadline, set := ctx.Deadline(); set {
		b.timer = time.AfterFunc(time.Until(deadline)+h.options.Timeout/20, func() { b.end(codeTimeout, tooSlow) })
	}
	opCtx.ResolverMiddleware, opCtx.RootResolverMiddleware = b.field, b.rootField
	return b
}

func (b *budget) stop() {
	if b.timer != nil {
		b.timer.Stop()
	}
	b.held.Add(-b.reserved)
}

// end passes a limit. The first call decides the error.
func (b *budget) end(code, message string) {
	if b.mutation {
		message += " Its changes may have been saved: check before you retry."
	}
	b.ended.CompareAndSwap(nil, failure(code, message))
	b.cancel()
}

// run executes the operation and returns its response, which has no data if the budget ended.
func (b *budget) run(ctx context.Context, next graphql.ResponseHandler) (response *graphql.Response) {
	defer func() {
		if value := recover(); value != nil && value != errEnded {
			panic(value)
		}
		if err := b.ended.Load(); err != nil {
			response = &graphql.Response{Errors: gqlerror.List{err}}
		}
	}()
	return next(ctx)
}

// field is the middleware of each field.
func (b *budget) field(ctx context.Context, next graphql.Resolver) (any, error) {
	if b.fields.Add(1) > maxAnswerFields && b.ended.Load() == nil {
		b.end(codeResponseTooLarge, tooLargeAnswer)
	}
	if b.ended.Load() != nil {
		return nil, errEnded
	}
	return next(ctx)
}

// rootField is the middleware of each root field. gqlgen writes the answer on the goroutine that called run, after all
// fields are resolved, so the panic of limitedWriter ends there.
func (b *budget) rootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	data := next(ctx)
	if data == graphql.Null || data == graphql.RequiredNull {
		return data // gqlgen compares these by identity
	}
	return graphql.WriterFunc(func(w io.Writer) { data.MarshalGQL(&limitedWriter{budget: b, w: w}) })
}

// present turns the error of a field into the one in the answer, or into none if the answer is refused as a whole.
func (h *handler) present(ctx context.Context, err error) *gqlerror.Error {
	budget := fromContext(ctx).budget
	if budget.ended.Load() != nil {
		return nil
	}
	shown := h.options.Present(ctx, err)
	if shown != nil {
		budget.countError(shown)
	}
	return shown
}

// countError adds an error to the size of the answer.
func (b *budget) countError(err *gqlerror.Error) {
	size := int64(errorOverhead + len(err.Message))
	for _, element := range err.Path {
		if name, ok := element.(ast.PathName); ok {
			size += int64(len(name))
		}
	}
	if b.errorBytes.Add(size) > b.maxBytes || codeOf(err) == codeResponseTooLarge {
		b.end(codeResponseTooLarge, tooLargeAnswer)
	}
}

// limitedWriter writes a part of the answer as long as the budget lasts, and panics with errEnded when it has ended.
type limitedWriter struct {
	budget *budget
	w      io.Writer
}

func (l *limitedWriter) Write(p []byte) (int, error) {
	l.budget.write(len(p))
	return l.w.Write(p)
}

// WriteString spares io.WriteString a copy.
func (l *limitedWriter) WriteString(s string) (int, error) {
	l.budget.write(len(s))
	return io.WriteString(l.w, s)
}

// write takes the bytes of one write from the budget.
func (b *budget) write(size int) {
	b.written += int64(size)
	total := b.written + b.errorBytes.Load()
	if total > b.maxBytes {
		b.end(codeResponseTooLarge, tooLargeAnswer)
	}
	for total >= b.reserved+heldStep {
		b.reserved += heldStep
		// What a mutation has done is told in any case.
		if b.held.Add(heldStep) > maxHeld*b.maxBytes && !b.mutation {
			b.end(codeOverloaded, tooManyLarge)
		}
	}
	if b.ended.Load() != nil {
		panic(errEnded)
	}
}
