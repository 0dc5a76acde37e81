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
	// maxAnswerFields is how many fields one operation may resolve, each counted for every object
	// that has it. A resolved field takes about 100 bytes until the answer is written, however
	// short its value is.
	maxAnswerFields = 100_000
	// errorOverhead is the size of an error in an answer without its message and the names in its
	// path.
	errorOverhead = 300
	// maxHeld is how many of the largest answers are in memory at once, being made or being read by
	// their clients.
	maxHeld = 16
	// heldStep is how many bytes are added to those in memory at a time, and written between two
	// looks at the time. Smaller answers are not counted, so slow clients do not keep them from
	// being sent.
	heldStep = 256 << 10
	// lookEveryFields is how many fields are resolved between two looks at the time.
	lookEveryFields = 64
)

// errEnded stops a field, or the writing of an answer, once the budget has ended. No client sees
// it.
var errEnded = errors.New("the budget of the answer has ended")

// budget limits the answer of one operation: its bytes, the fields that are resolved for it, and
// its time. Once a limit is passed, the resolvers that run are canceled, no further field is
// resolved, nothing more is written, and an error takes the place of the whole answer.
type budget struct {
	maxBytes int64
	// held is the size of all large answers in memory, and reserved the part of this one.
	held     *atomic.Int64
	reserved int64
	mutation bool
	// until is when the answer must be finished, zero for never.
	until time.Time
	// cancel ends what the resolvers that are running wait for.
	cancel context.CancelFunc
	fields atomic.Int64
	// errorBytes is the approximate size of the errors so far.
	errorBytes atomic.Int64
	// w takes the data, and written is its size so far. Only the goroutine that writes the answer
	// uses them.
	w       io.Writer
	written int64
	// ended is the error that replaces the answer, nil while no limit is passed.
	ended atomic.Pointer[gqlerror.Error]
}

// begin starts the budget of an operation, and sets it as the middleware of all its fields. An
// operation has a twentieth of its timeout to write its answer after the deadline of the context,
// so that a field that ran out of time does not take its neighbors with it. The caller must call
// release when the answer is sent.
func (b *budget) begin(ctx context.Context, opCtx *graphql.OperationContext, h *handler, cancel context.CancelFunc) {
	b.maxBytes, b.held, b.cancel = h.options.MaxAnswer, &h.held, cancel
	b.mutation = opCtx.Operation.Operation == ast.Mutation
	if deadline, set := ctx.Deadline(); set {
		b.until = deadline.Add(h.options.Timeout / 20)
	}
	opCtx.ResolverMiddleware, opCtx.RootResolverMiddleware = b.field, b.rootField
}

// release gives back the memory that the answer has reserved.
func (b *budget) release() { b.held.Add(-b.reserved) }

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
		if value := recover(); value != nil && value != any(errEnded) {
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
	if number := b.fields.Add(1); number > maxAnswerFields && b.ended.Load() == nil {
		b.end(codeResponseTooLarge, tooLargeAnswer)
	} else if number%lookEveryFields == 0 {
		b.lookAtTime()
	}
	if b.ended.Load() != nil {
		return nil, errEnded
	}
	return next(ctx)
}

func (b *budget) lookAtTime() {
	if !b.until.IsZero() && !time.Now().Before(b.until) {
		b.end(codeTimeout, tooSlow)
	}
}

// rootField is the middleware of each root field. gqlgen writes the answer on the goroutine that
// called run, after all fields are resolved, so the panic of take ends there.
func (b *budget) rootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	data := next(ctx)
	if data == graphql.Null || data == graphql.RequiredNull {
		return data // gqlgen compares these by identity
	}
	return graphql.WriterFunc(func(w io.Writer) {
		b.w = w
		data.MarshalGQL(b)
	})
}

// present turns the error of a field into the one in the answer, or into none if the answer is
// refused as a whole.
func (h *handler) present(ctx context.Context, err error) *gqlerror.Error {
	budget := &fromContext(ctx).budget
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

// Write writes a part of the answer.
func (b *budget) Write(p []byte) (int, error) {
	b.take(len(p))
	return b.w.Write(p)
}

// WriteString spares io.WriteString a copy.
func (b *budget) WriteString(s string) (int, error) {
	b.take(len(s))
	return io.WriteString(b.w, s)
}

// take takes the bytes of one write, and panics with errEnded when the budget has ended.
func (b *budget) take(size int) {
	b.written += int64(size)
	total := b.written + b.errorBytes.Load()
	if total > b.maxBytes {
		b.end(codeResponseTooLarge, tooLargeAnswer)
	}
	for total >= b.reserved+heldStep {
		b.reserved += heldStep
		b.lookAtTime()
		// What a mutation has done is told in any case.
		if b.held.Add(heldStep) > maxHeld*b.maxBytes && !b.mutation {
			b.end(codeOverloaded, tooManyLarge)
		}
	}
	if b.ended.Load() != nil {
		panic(errEnded)
	}
}
