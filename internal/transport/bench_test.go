package transport

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/99designs/gqlgen/graphql"
)

// nowhere is a ResponseWriter, and the log, that keeps nothing.
type nowhere struct{ header http.Header }

func (w nowhere) Header() http.Header         { return w.header }
func (w nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (w nowhere) WriteHeader(int)             {}

// BenchmarkRequest is what the transport and gqlgen's executor cost around an operation that costs nothing.
func BenchmarkRequest(b *testing.B) {
	data := []byte(`{"hello":"you"}`)
	h := New(&fakeSchema{exec: func(context.Context) graphql.ResponseHandler {
		return graphql.OneShot(&graphql.Response{Data: data})
	}}, Options{Logger: slog.New(slog.NewJSONHandler(nowhere{}, nil))})
	body := []byte(`{"query":"query Hello($name: String) { hello(name: $name) }","operationName":"Hello","variables":{"name":"you"}}`)
	r, err := http.NewRequest(http.MethodPost, "/graphql", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", mediaJSON)
	reader := bytes.NewReader(body)
	r.Body = io.NopCloser(reader)
	r.ContentLength = int64(len(body))
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		h.ServeHTTP(nowhere{header: make(http.Header, 8)}, r)
	}
}

// BenchmarkNewQuery is the same for a query that was never seen: parsed, measured and validated.
func BenchmarkNewQuery(b *testing.B) {
	d := newDocuments(testSchema, false)
	b.ReportAllocs()
	for b.Loop() {
		if _, errs := d.prepare("query Hello($name: String) { hello(name: $name) self { self { hello } } }"); errs != nil {
			b.Fatal(errs)
		}
		d.kept.Purge()
	}
}
