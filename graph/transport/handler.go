package transport

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

type handler struct {
	options   Options
	documents *documents
	executor  *executor.Executor
	// inFlight has room for as many operations as may run at once; nil is no limit.
	inFlight chan struct{}
	// held is the size of the large answers in memory.
	held atomic.Int64
}

// ServeHTTP answers one request: read, authenticate, prepare the document, run it.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := newExchange(w, r, h.options.NewRequestID)
	defer h.log(r.Context(), x)
	defer h.recoverExchange(x)

	params, refused := h.read(w, r)
	if refused != nil {
		x.refuse(refused)
		return
	}
	if !h.enter(x) {
		x.refuse(errBusy)
		return
	}
	defer x.leave()

	ctx, cancel := context.WithTimeout(newContext(r.Context(), x), h.options.Timeout)
	defer cancel()
	x.cancel = cancel
	if h.options.CountStatements != nil {
		ctx, x.statements = h.options.CountStatements(ctx)
	}
	if ctx, refused = h.authenticate(ctx, x, r.Header["Authorization"]); refused != nil {
		x.refuse(refused)
		return
	}
	h.run(graphql.StartOperationTrace(ctx), x, params)
}

// authenticate returns the context that Authenticate makes.
func (h *handler) authenticate(ctx context.Context, x *exchange, authorization []string) (context.Context, *refusal) {
	if h.options.Authenticate == nil {
		return ctx, nil
	}
	known, err := h.options.Authenticate(ctx, authorization)
	if err == nil {
		return known, nil
	}
	x.cause = err
	if h.options.Unauthenticated != nil && h.options.Unauthenticated(err) {
		return nil, errUnauthenticated
	}
	return nil, errUnavailable
}

// run prepares and executes the operation and writes its answer.
func (h *handler) run(ctx context.Context, x *exchange, params *graphql.RawParams) {
	x.operation = params.OperationName
	document, errs := h.documents.prepare(params.Query)
	if errs != nil {
		x.reject(errs)
		return
	}
	operation, err := choose(document.doc, params.OperationName)
	if err != nil {
		x.reject(gqlerror.List{err})
		return
	}
	x.operation, x.operationType = operation.Name, operation.Operation
	x.document = document

	opCtx, errs := h.executor.CreateOperationContext(ctx, params)
	if errs == nil {
		errs = document.checkConditions(opCtx.Variables)
	}
	if errs != nil {
		x.reject(forVariables(errs))
		return
	}
	opCtx.DisableIntrospection = !h.options.Introspection

	x.budget.begin(ctx, opCtx, h, x.cancel)
	defer x.budget.release()

	next, ctx := h.executor.DispatchOperation(ctx, opCtx)
	response := x.budget.run(ctx, next)
	if response == nil {
		// gqlgen does not start what has no time left.
		ctx = graphql.WithOperationContext(ctx, opCtx)
		response = h.executor.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(ctx.Err())})
	}
	x.answer(response)
}

// choose finds the operation to run: the one of that name, or the only one.
func choose(doc *ast.QueryDocument, name string) (*ast.OperationDefinition, *gqlerror.Error) {
	operation := doc.Operations.ForName(name)
	switch {
	case operation == nil && name == "":
		return nil, failure(codeValidation, "The document has several operations: operationName must choose one.")
	case operation == nil:
		return nil, failure(codeValidation, "The document has no operation of the name in operationName.")
	case operation.Operation == ast.Subscription:
		return nil, failure(codeValidation, "Subscriptions are not answered over POST.")
	}
	return operation, nil
}

// enter takes a place among the running operations, and reports whether one was free.
func (h *handler) enter(x *exchange) bool {
	if h.inFlight == nil {
		return true
	}
	select {
	case h.inFlight <- struct{}{}:
		x.place = h.inFlight
		return true
	default:
		return false
	}
}
