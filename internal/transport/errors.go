package transport

import (
	"context"
	"errors"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The codes of requests that never reach a field, and those that any field may have.
const (
	codeBadRequest       = "BAD_REQUEST"
	codeTooLarge         = "PAYLOAD_TOO_LARGE"
	codeMediaType        = "UNSUPPORTED_MEDIA_TYPE"
	codeUnauthenticated  = "UNAUTHENTICATED"
	codeParse            = "GRAPHQL_PARSE_FAILED"
	codeValidation       = "GRAPHQL_VALIDATION_FAILED"
	codeTooDeep          = "QUERY_TOO_DEEP"
	codeTooComplex       = "QUERY_TOO_COMPLEX"
	codeResponseTooLarge = "RESPONSE_TOO_LARGE"
	codePersisted        = "PERSISTED_QUERY_NOT_SUPPORTED"
	codeUnavailable      = "UNAVAILABLE"
	codeTimeout          = "TIMEOUT"
	codeOverloaded       = "OVERLOADED"
	codeInternal         = "INTERNAL"
)

// refusal ends a request before GraphQL begins. Its status is the same for both media types of the answer.
type refusal struct {
	status        int
	code, message string
	header        map[string]string
}

var (
	errMethod = &refusal{
		http.StatusMethodNotAllowed, codeBadRequest, "GraphQL is asked with POST.",
		map[string]string{"Allow": http.MethodPost},
	}
	errMediaType = &refusal{
		http.StatusUnsupportedMediaType, codeMediaType,
		"The body must be application/json in UTF-8, without a content encoding.",
		map[string]string{"Accept-Post": mediaJSON},
	}
	errTooLarge          = &refusal{http.StatusRequestEntityTooLarge, codeTooLarge, "The body is too large.", nil}
	errAnonymousTooLarge = &refusal{
		http.StatusRequestEntityTooLarge, codeTooLarge,
		"The body is too large for a request without a token. Sign in and send one.", nil,
	}
	// Apollo's link and urql's exchange look for this message, or the code, in an ordinary response,
	// and send the whole query then.
	errPersisted = &refusal{http.StatusOK, codePersisted, "PersistedQueryNotSupported", nil}

	errUnread = badRequest("The body could not be read to its end.")
	errSlow   = &refusal{http.StatusRequestTimeout, codeBadRequest, "The body took too long to arrive.", nil}
	errNoRoom = &refusal{
		http.StatusServiceUnavailable, codeOverloaded, "Too many large requests are being read. Try again.",
		map[string]string{"Retry-After": "1"},
	}
	errUnauthenticated = &refusal{
		http.StatusUnauthorized, codeUnauthenticated, "The token is not valid, or no longer.",
		map[string]string{"WWW-Authenticate": `Bearer realm="tenantry", error="invalid_token"`},
	}
	errUnavailable = &refusal{
		http.StatusServiceUnavailable, codeUnavailable, "The service is unavailable for the moment. Try again.",
		map[string]string{"Retry-After": "1"},
	}
	errBusy = &refusal{
		http.StatusServiceUnavailable, codeOverloaded,
		"Too many operations are running. Nothing was done. Try again after the time in Retry-After.",
		map[string]string{"Retry-After": "1"},
	}
	errInternal = &refusal{http.StatusInternalServerError, codeInternal, internalMessage, nil}
)

const (
	tooSlow        = "The operation took too long. Ask for less."
	tooManyLarge   = "Too many large answers are being sent. Try again later, or ask for less."
	tooLargeAnswer = "The answer is larger than this server sends. Ask for smaller pages or fewer fields."
)

const internalMessage = "Something went wrong. The request id helps to find out what."

func badRequest(message string) *refusal {
	return &refusal{http.StatusBadRequest, codeBadRequest, message, nil}
}

// failure is an error of the whole request that GraphQL's own rules give.
func failure(code, message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}}
}

// presentNothing tells the client that something failed and not what.
func presentNothing(ctx context.Context, err error) *gqlerror.Error {
	shown := failure(codeInternal, internalMessage)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		shown = failure(codeTimeout, "The operation took too long.")
	case errors.Is(err, context.Canceled):
		shown = failure(codeUnavailable, "The operation was given up.")
	}
	shown.Path = graphql.GetPath(ctx)
	if known, ok := errors.AsType[*gqlerror.Error](err); ok && known.Path != nil {
		shown.Path = known.Path
	}
	return shown
}

// codeOf returns the code of an error, "" if it has none.
func codeOf(err *gqlerror.Error) string {
	code, _ := err.Extensions["code"].(string)
	return code
}

// status is that of an answer without data: what the first error that is not the client's fault asks for, else 400.
func status(errs gqlerror.List) int {
	for _, err := range errs {
		switch codeOf(err) {
		case codeInternal:
			return http.StatusInternalServerError
		case codeUnavailable, codeTimeout, codeOverloaded:
			return http.StatusServiceUnavailable
		}
	}
	return http.StatusBadRequest
}
