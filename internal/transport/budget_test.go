package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// writing is a schema that answers every operation with one root field, as generated code does.
func writing(resolve graphql.RootResolver) *fakeSchema {
	return &fakeSchema{exec: func(ctx context.Context) graphql.ResponseHandler {
		opCtx := graphql.GetOperationContext(ctx)
		return func(ctx context.Context) *graphql.Response {
			data := opCtx.RootResolverMiddleware(ctx, resolve)
			var buffer bytes.Buffer
			data.MarshalGQL(&buffer)
			return &graphql.Response{Data: buffer.Bytes()}
		}
	}}
}

// wantRefused checks that an answer is a refusal of the whole request: one error and nothing else.
func wantRefused(t *testing.T, got answer, status int, code string) {
	t.Helper()
	keys := slices.Sorted(maps.Keys(got.body))
	errs, _ := got.body["errors"].([]any)
	if got.Code != status || len(errs) != 1 || got.code(t) != code || !slices.Equal(keys, []string{"errors"}) {
		t.Errorf("got %d %.300s, want only the error %s with status %d", got.Code, got.Body, code, status)
	}
}

func TestAnAnswerMayHaveMaxAnswerBytes(t *testing.T) {
	t.Parallel()
	const limit = 200 << 10 // more than is copied
	for size, refused := range map[int]bool{100: false, limit: false, limit + 1: true} {
		text := strings.Repeat("x", size-2)
		s := newServer(writing(func(context.Context) graphql.Marshaler { return graphql.MarshalString(text) }), Options{MaxAnswer: limit})
		got := s.query(t, "{hello}")
		if refused {
			wantRefused(t, got, http.StatusOK, codeResponseTooLarge)
			wantRefused(t, s.query(t, "{hello}", "Accept: "+mediaResponse), http.StatusBadRequest, codeResponseTooLarge)
			continue
		}
		if got.Code != http.StatusOK || got.Body.String() != `{"data":"`+text+`"}` {
			t.Errorf("%d bytes: got %d %.300s", size, got.Code, got.Body)
		}
		if length := got.Header().Get("Content-Length"); length != fmt.Sprint(got.Body.Len()) {
			t.Errorf("%d bytes: the length is given as %s", size, length)
		}
	}
}

func TestALargeAnswerHasItsErrorsAndExtensions(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", maxPooledBuffer)
	s := newServer(writing(func(ctx context.Context) graphql.Marshaler {
		graphql.AddError(ctx, errSecret)
		graphql.RegisterExtension(ctx, "cost", 1)
		return graphql.MarshalString(text)
	}), Options{})
	got := s.query(t, "{hello}")
	if got.code(t) != codeInternal || got.body["data"] != text || got.body["extensions"].(map[string]any)["cost"] != 1.0 {
		t.Errorf("got %.300s", got.Body)
	}
	if line := s.lines(t)[0]; line["bytes"] != float64(got.Body.Len()) {
		t.Errorf("the log has %v bytes of %d", line["bytes"], got.Body.Len())
	}
}

// Writing stops at the limit: this value would never end.
func TestBytesAreCountedWhileTheyAreWritten(t *testing.T) {
	t.Parallel()
	written := 0
	endless := graphql.WriterFunc(func(w io.Writer) {
		for {
			_, _ = io.WriteString(w, "xxxxxxxx")
			_, _ = w.Write([]byte("xxxxxxxx"))
			written += 16
		}
	})
	s := newServer(writing(func(context.Context) graphql.Marshaler { return endless }), Options{MaxAnswer: 1 << 20})
	wantRefused(t, s.query(t, "{hello}"), http.StatusOK, codeResponseTooLarge)
	if written > 1<<20 {
		t.Errorf("%d bytes were written", written)
	}
	if lines := s.lines(t); len(lines) != 1 {
		t.Errorf("the log has %v", lines)
	}
}

func TestTheDeadlineEndsTheWritingOfAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		part := strings.Repeat("x", 4<<10)
		slow := graphql.WriterFunc(func(w io.Writer) {
			for {
				_, _ = io.WriteString(w, part)
				time.Sleep(10 * time.Millisecond)
			}
		})
		s := newServer(writing(func(context.Context) graphql.Marshaler { return slow }), Options{})
		start := time.Now()
		wantRefused(t, s.query(t, "mutation {hello}"), http.StatusServiceUnavailable, codeTimeout)
		if took := time.Since(start); took < defaultTimeout || took > defaultTimeout+time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestTheDeadlineEndsTheResolvingOfFields(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(writing(func(ctx context.Context) graphql.Marshaler {
			field := graphql.GetOperationContext(ctx).ResolverMiddleware
			for {
				_, err := field(ctx, func(context.Context) (any, error) { time.Sleep(10 * time.Millisecond); return 1, nil })
				if err != nil {
					graphql.AddError(ctx, err)
					return graphql.Null
				}
			}
		}), Options{})
		start := time.Now()
		wantRefused(t, s.query(t, "{hello}"), http.StatusServiceUnavailable, codeTimeout)
		if took := time.Since(start); took > defaultTimeout+time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAnOperationMayResolveMaxAnswerFields(t *testing.T) {
	t.Parallel()
	for count, refused := range map[int]bool{maxAnswerFields: false, maxAnswerFields + 1: true} {
		s := newServer(writing(func(ctx context.Context) graphql.Marshaler {
			resolved := 0
			for range count + 1000 {
				_, err := graphql.GetOperationContext(ctx).ResolverMiddleware(ctx, func(context.Context) (any, error) { resolved++; return 1, nil })
				if resolved == count && !refused {
					break
				}
				if err != nil {
					graphql.AddError(ctx, err)
				}
			}
			if resolved != maxAnswerFields {
				t.Errorf("%d fields were resolved", resolved)
			}
			return graphql.MarshalInt(resolved)
		}), Options{})
		if got := s.query(t, "{hello}"); refused {
			wantRefused(t, got, http.StatusOK, codeResponseTooLarge)
		} else if got.Code != http.StatusOK || got.body["errors"] != nil {
			t.Errorf("got %d %.300s", got.Code, got.Body)
		}
	}
}

// Errors are a part of the answer, and so are the aliases in their paths.
func TestErrorsCount(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		count int
		alias string
	}{
		"many":              {30_000, "hello"},
		"some with a large": {100, strings.Repeat("x", 100<<10)},
	} {
		var presented atomic.Int64
		s := newServer(writing(func(ctx context.Context) graphql.Marshaler {
			var fields sync.WaitGroup
			for i := range test.count {
				fields.Go(func() {
					graphql.AddError(graphql.WithPathContext(ctx, graphql.NewPathWithField(test.alias)), fmt.Errorf("%d", i))
				})
			}
			fields.Wait()
			return graphql.Null
		}), Options{Present: func(ctx context.Context, _ error) *gqlerror.Error {
			return &gqlerror.Error{Message: "no", Path: ast.Path{ast.PathName(test.alias), ast.PathIndex(presented.Add(1))}}
		}})
		got := s.query(t, "{hello}")
		wantRefused(t, got, http.StatusOK, codeResponseTooLarge)
		if count := presented.Load(); count >= int64(test.count) {
			t.Errorf("%s: %d errors were presented", name, count)
		}
	}
}

// The store refuses to read more than one request may; the answer that lacks it is no answer.
func TestAResolverMayFindTheResponseTooLarge(t *testing.T) {
	t.Parallel()
	errTooMuch := errors.New("too many bytes were read")
	began := 0
	s := newServer(writing(func(ctx context.Context) graphql.Marshaler {
		var waiting sync.WaitGroup
		defer waiting.Wait() // for a resolver beside them, which the first one ends
		waiting.Go(func() {
			if <-ctx.Done(); ctx.Err() != context.Canceled {
				t.Errorf("the resolver beside them ended with %v", ctx.Err())
			}
		})
		for range 3 {
			_, err := graphql.GetOperationContext(ctx).ResolverMiddleware(ctx, func(context.Context) (any, error) { began++; return nil, errTooMuch })
			graphql.AddError(ctx, err)
		}
		return graphql.MarshalString("a part")
	}), Options{Present: func(_ context.Context, err error) *gqlerror.Error {
		if errors.Is(err, errTooMuch) {
			return failure(codeResponseTooLarge, "too large")
		}
		return failure(codeInternal, "no")
	}})
	wantRefused(t, s.query(t, "{hello}"), http.StatusOK, codeResponseTooLarge)
	if began != 1 {
		t.Errorf("%d resolvers began", began)
	}
	message, _ := s.query(t, "mutation {hello}").first(t)
	if !strings.HasSuffix(message, "Its changes may have been saved: check before you retry.") {
		t.Errorf("of a mutation: %q", message)
	}
}
