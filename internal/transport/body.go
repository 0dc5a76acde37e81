package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"github.com/tenantry/tenantry/internal/body"
)

const (
	// smallBody is the size up to which a body may be read while large ones take all the memory
	// that they may have.
	smallBody = 16 << 10
	// largeBodies is how many bytes of large bodies may be in memory at once.
	largeBodies = 32 << 20
	// maxAnonymousBody is what a caller without a token may send. All that is answered without one
	// is short, and so strangers cannot use up largeBodies.
	maxAnonymousBody = smallBody
)

// unread is the refusal of a request whose body was not read.
func (h *handler) unread(err error, limit int64) *refusal {
	switch {
	case errors.Is(err, body.ErrTooLarge):
		return h.tooLarge(limit)
	case errors.Is(err, body.ErrSlow):
		return errSlow
	case errors.Is(err, body.ErrNoRoom):
		return errNoRoom
	}
	return errUnread
}

// tooLarge is the refusal of a body over a limit.
func (h *handler) tooLarge(limit int64) *refusal {
	if limit < h.options.MaxBody {
		return errAnonymousTooLarge
	}
	return errTooLarge
}

// What decode says is wrong. It never repeats the body, which may hold what belongs in no log.
var (
	errJSON          = badRequest("The body must be one JSON object in UTF-8.")
	errBatch         = badRequest("The body must be one operation: arrays of operations are not answered.")
	errQuery         = badRequest("The parameter query must be a string that is not empty.")
	errOperationName = badRequest("The parameter operationName must be a string or null.")
	errVariables     = badRequest("The parameter variables must be an object or null.")
	errExtensions    = badRequest("The parameter extensions must be an object or null.")
)

// decode reads the parameters of a GraphQL request. The body belongs to the caller again when it returns.
//
// Parameters that are not GraphQL's are ignored, as the GraphQL-over-HTTP specification leaves room for them. Numbers
// keep their digits.
func decode(body []byte) (*graphql.RawParams, *refusal) {
	if !utf8.Valid(body) {
		return nil, errJSON
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil || len(bytes.Trim(body[decoder.InputOffset():], " \t\r\n")) > 0 {
		return nil, errJSON
	}
	// A map and no struct: encoding/json does not compare the names of a struct's fields exactly.
	object, ok := value.(map[string]any)
	if _, batch := value.([]any); batch {
		return nil, errBatch
	}
	if !ok {
		return nil, errJSON
	}
	params := &graphql.RawParams{}
	if params.Query, _ = object["query"].(string); params.Query == "" {
		if persisted(object) {
			return nil, errPersisted
		}
		return nil, errQuery
	}
	if params.OperationName, ok = optional[string](object["operationName"]); !ok {
		return nil, errOperationName
	}
	if params.Variables, ok = optional[map[string]any](object["variables"]); !ok {
		return nil, errVariables
	}
	if params.Extensions, ok = optional[map[string]any](object["extensions"]); !ok {
		return nil, errExtensions
	}
	return params, nil
}

// persisted reports whether a request names its query by a hash: as Apollo and urql do for automatic
// persisted queries, or as GraphQL over HTTP has it.
func persisted(object map[string]any) bool {
	extensions, _ := object["extensions"].(map[string]any)
	_, automatic := extensions["persistedQuery"].(map[string]any)
	_, document := object["documentId"].(string)
	return automatic || document
}

// optional returns a value of a type, its zero for null and for nothing.
func optional[T any](value any) (typed T, ok bool) {
	if value == nil {
		return typed, true
	}
	typed, ok = value.(T)
	return typed, ok
}
