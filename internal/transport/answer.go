package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// exchange is one request and its answer, written once, and what the log says about both.
type exchange struct {
	w     http.ResponseWriter
	id    string
	start time.Time
	// wantsResponse is set if the answer is application/graphql-response+json.
	wantsResponse bool
	document      *document
	// place is the channel that holds the place among the running operations, nil without a place.
	place chan struct{}
	// cancel ends the context of the operation.
	cancel context.CancelFunc
	// budget limits the answer of the operation.
	budget budget

	operation     string
	operationType ast.Operation
	statements    func() int
	record        record
	// cause is why Authenticate refused.
	cause    error
	answered bool
	status   int
	codes    []string
	bytes    int
}

func newExchange(w http.ResponseWriter, r *http.Request, newID func() string) *exchange {
	x := &exchange{w: w, id: requestID(r.Header, newID), start: time.Now(), wantsResponse: wantsResponse(r.Header)}
	header := w.Header()
	header[requestIDHeader] = []string{x.id}
	header["Cache-Control"] = []string{"no-store"}
	header["X-Content-Type-Options"] = []string{"nosniff"}
	header.Add("Vary", "Accept")
	return x
}

// refuse answers a request that GraphQL never saw.
func (x *exchange) refuse(refused *refusal) {
	for name, value := range refused.header {
		x.w.Header().Set(name, value)
	}
	x.write(refused.status, &graphql.Response{Errors: gqlerror.List{failure(refused.code, refused.message)}})
}

// reject answers an operation that was not run. A well-formed request has status 200 in application/json, and 400
// without the key data in application/graphql-response+json.
func (x *exchange) reject(errs gqlerror.List) {
	code := status(errs)
	if code == http.StatusBadRequest && !x.wantsResponse {
		code = http.StatusOK
	}
	if len(errs) > 0 && codeOf(errs[0]) == codeOverloaded {
		x.w.Header().Set("Retry-After", "1")
	}
	x.write(code, &graphql.Response{Errors: errs})
}

// answer gives what an operation has returned.
func (x *exchange) answer(response *graphql.Response) {
	if response.Data == nil {
		x.reject(response.Errors)
		return
	}
	x.write(http.StatusOK, response)
}

func (x *exchange) write(status int, response *graphql.Response) {
	x.sign(response.Errors)
	buffer := newBuffer()
	defer freeBuffer(buffer)
	dataAt, err := encode(buffer, response)
	if err != nil {
		// An extension that JSON cannot hold. Nothing is written yet: the panic's answer takes its place.
		panic(err)
	}
	x.answered, x.status, x.bytes = true, status, buffer.Len()
	if dataAt >= 0 {
		x.bytes += len(response.Data)
	}
	x.leave() // a client that reads slowly keeps nobody else from being answered
	header := x.w.Header()
	header["Content-Type"] = []string{x.contentType()}
	header["Content-Length"] = []string{strconv.Itoa(x.bytes)}
	x.w.WriteHeader(status)
	// A client that has gone cannot be told.
	if dataAt >= 0 {
		_, _ = x.w.Write(buffer.Next(dataAt))
		_, _ = x.w.Write(response.Data)
	}
	_, _ = x.w.Write(buffer.Bytes())
}

// leave gives back the place among the running operations, once.
func (x *exchange) leave() {
	if x.place != nil {
		<-x.place
		x.place = nil
	}
}

func (x *exchange) contentType() string {
	if x.wantsResponse {
		return mediaResponse + "; charset=utf-8"
	}
	return mediaJSON + "; charset=utf-8"
}

// sign puts the request id into every error and notes the codes. The extensions are copied: a presenter may return the
// same ones twice.
func (x *exchange) sign(errs gqlerror.List) {
	x.codes = nil
	for _, err := range errs {
		extensions := make(map[string]any, len(err.Extensions)+2)
		extensions["code"] = codeInternal
		maps.Copy(extensions, err.Extensions)
		extensions["requestId"] = x.id
		err.Extensions = extensions
		x.note(codeOf(err))
		x.record.failed(err)
	}
}

// encode writes a response. The data is gqlgen's own JSON. Where there is much of it, it is not copied: encode
// then returns the place in the buffer where it belongs, and otherwise -1.
func encode(buffer *bytes.Buffer, response *graphql.Response) (dataAt int, err error) {
	dataAt = -1
	buffer.WriteByte('{')
	if len(response.Errors) > 0 {
		if err := member(buffer, "errors", response.Errors); err != nil {
			return dataAt, err
		}
	}
	if response.Data != nil {
		separate(buffer)
		buffer.WriteString(`"data":`)
		if len(response.Data) > maxPooledBuffer {
			dataAt = buffer.Len()
		} else {
			buffer.Write(response.Data)
		}
	}
	if len(response.Extensions) > 0 {
		separate(buffer)
		if err := member(buffer, "extensions", response.Extensions); err != nil {
			return dataAt, err
		}
	}
	buffer.WriteByte('}')
	return dataAt, nil
}

func member(buffer *bytes.Buffer, name string, value any) error {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err
	}
	buffer.WriteString(`"` + name + `":`)
	buffer.Write(encoded)
	return nil
}

func separate(buffer *bytes.Buffer) {
	if buffer.Len() > 1 {
		buffer.WriteByte(',')
	}
}
