package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
)

// read takes the parameters out of a request, reading at most one byte more than the body may have.
func (h *handler) read(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, *refusal) {
	if r.Method != http.MethodPost {
		return nil, errMethod
	}
	if !speaksJSON(r.Header.Get("Content-Type")) || r.Header.Get("Content-Encoding") != "" {
		return nil, errMediaType
	}
	if r.ContentLength > h.options.MaxBody {
		return nil, errTooLarge
	}
	buffer := newBuffer()
	defer freeBuffer(buffer)
	if _, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, h.options.MaxBody)); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, errTooLarge
		}
		return nil, errUnread
	}
	return decode(buffer.Bytes())
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

// optional returns a value of a type, its zero for null and for nothing.
func optional[T any](value any) (typed T, ok bool) {
	if value == nil {
		return typed, true
	}
	typed, ok = value.(T)
	return typed, ok
}
