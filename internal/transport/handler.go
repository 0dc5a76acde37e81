package transport

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/tenantry/tenantry/internal/body"
)

type handler struct {
	options   Options
	documents *documents
	executor  *executor.Executor
	bodies    *body.Reader
	// inFlight has room for as many operations as may run at once; nil is no limit.
	inFlight chan struct{}
	// held is the size of the large answers in memory.
	held atomic.Int64
}

// ServeHTTP answers one request: check the headers and the token, read the body, find out about the
// caller, prepare the document, run it. Strangers are refused before their body is read, and a slow
// body takes no place among the operations that may run at once.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := newExchange(w, r, h.options.NewRequestID)
	defer h.log(r.Context(), x)
	defer h.recoverExchange(x)

	ctx := newContext(r.Context(), x)
	limit, refused := h.checkHeaders(r)
	var identify Identify
	if refused == nil {
		identify, refused = h.authenticate(ctx, x, r.Header["Authorization"])
	}
	if refused != nil {
		h.bodies.Leave(w, r)
		x.refuse(refused)
		return
	}
	content, err := h.bodies.Read(w, r, limit)
	if err != nil {
		x.refuse(h.unread(err, limit))
		return
	}
	if !h.enter(x) {
		content.Free()
		x.refuse(errBusy)
		return
	}
	defer x.leave()
	params, refused := decode(content.Bytes())
	content.Free()
	if refused != nil {
		x.refuse(refused)
		return
	}

	ctx, cancel := context.WithTimeout(ctx, h.options.Timeout)
	defer cancel()
	x.cancel = cancel
	if h.options.CountStatements != nil {
		ctx, x.statements = h.options.CountStatements(ctx)
	}
	known, err := identify(ctx)
	if err != nil {
		x.refuse(h.unidentified(x, err))
		return
	}
	h.run(graphql.StartOperationTrace(known), x, params)
}

// checkHeaders returns how large the body may be, or why the request is refused whatever is in it.
func (h *handler) checkHeaders(r *http.Request) (limit int64, refused *refusal) {
	if r.Method != http.MethodPost {
		return 0, errMethod
	}
	if !speaksJSON(r.Header.Get("Content-Type")) || r.Header.Get("Content-Encoding") != "" {
		return 0, errMediaType
	}
	limit = h.options.MaxBody
	if h.options.Authenticate != nil && len(r.Header["Authorization"]) == 0 {
		limit = min(limit, maxAnonymousBody)
	}
	if r.ContentLength > limit {
		return 0, h.tooLarge(limit)
	}
	return limit, nil
}

// authenticate judges the caller's token. It returns what finds out about the caller later.
func (h *handler) authenticate(ctx context.Context, x *exchange, authorization []string) (Identify, *refusal) {
	if h.options.Authenticate == nil {
		return func(ctx context.Context) (context.Context, error) { return ctx, nil }, nil
	}
	identify, err := h.options.Authenticate(ctx, authorization)
	if err != nil {
		return nil, h.unidentified(x, err)
	}
	return identify, nil
}

// unidentified is the refusal of a caller of whom it is not known who they are.
func (h *handler) unidentified(x *exchange, err error) *refusal {
	x.cause = err
	if h.options.Unauthenticated != nil && h.options.Unauthenticated(err) {
		return errUnauthenticated
	}
	return errUnavailable
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
