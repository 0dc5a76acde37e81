package transport

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := map[string]graphql.RawParams{
		`{"query":"{a}"}`:            {Query: "{a}"},
		" \n{ \"query\" : \"x\" }\t": {Query: "x"},
		`{"query":"x","operationName":null,"variables":null,"extensions":null}`: {Query: "x"},
		`{"query":"x","operationName":"A","extensions":{"e":[true]},"variables":{"n":12345678901234567890,"s":"\u0000"}}`: {
			Query: "x", OperationName: "A", Extensions: map[string]any{"e": []any{true}},
			Variables: map[string]any{"n": json.Number("12345678901234567890"), "s": "\x00"},
		},
		`{"id":[{}],"variables":{},"query":"x","QUERY":"y"}`: {Query: "x", Variables: map[string]any{}},
	}
	for body, want := range tests {
		got, err := decode([]byte(body))
		if err != nil {
			t.Errorf("%s: %s", body, err.message)
		} else if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

// counter counts what is read.
type counter struct {
	io.Reader
	read int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += int64(n)
	return n, err
}

func TestABodyIsReadToItsLimitAndNoFurther(t *testing.T) {
	t.Parallel()
	const limit = 1000
	s := newServer(&fakeSchema{}, Options{MaxBody: limit})
	send := func(size int, length int64) (status int, read int64) {
		body := `{"query":"{hello}"}`
		source := &counter{Reader: strings.NewReader(body + strings.Repeat(" ", size-len(body)))}
		r := httptest.NewRequest(http.MethodPost, "/graphql", source)
		r.Header.Set("Content-Type", mediaJSON)
		r.ContentLength = length
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code, source.read
	}
	for _, test := range []struct {
		size         int
		length       int64
		status       int
		atMost       int64
		whatIsTested string
	}{
		{limit, limit, 200, limit, "the limit"},
		{limit + 1, -1, 413, limit + 1, "one more, of unknown length"},
		{100 * limit, -1, 413, limit + 1, "much more, of unknown length"},
		{100 * limit, 100 * limit, 413, 0, "much more, said before"},
	} {
		if status, read := send(test.size, test.length); status != test.status || read > test.atMost {
			t.Errorf("%s: status %d after %d bytes, want %d after %d", test.whatIsTested, status, read, test.status, test.atMost)
		}
	}
}

func TestABodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	body := io.MultiReader(strings.NewReader(`{"query":`), iotest.ErrReader(errors.New("hunter2")))
	got := newServer(&fakeSchema{}, Options{}).ask(t, http.MethodPost, body, "Content-Type: application/json")
	if got.Code != 400 || got.code(t) != codeBadRequest || strings.Contains(got.Body.String(), "hunter2") {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
}

func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{"query":"{a}"}`, `{"query":"{a}","variables":{"a":[1,2.5e3,"x"]},"operationName":"A","extensions":{}}`,
		`[{"query":"{a}"}]`, `{"query":"{a}",}`, `{"query":"{a}"}}`, `{"query":"a","query":"b"}`, "\xef\xbb\xbf{}", `{"query":1}`,
		`{"query" "a"}`, `{"query":"a""b"}`, `{,"query":"a"}`, `null`, ``, "{\"query\":\"a\"}\v", `{"a":` + strings.Repeat("[", 100),
		`{"extensions":{"persistedQuery":{}}}`, `{"documentId":"x"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := string(body)
		params, refused := decode(body)
		if string(body) != before {
			t.Fatal("the body was changed")
		}
		if refused != nil {
			if params != nil || refused != errPersisted && (refused.status != http.StatusBadRequest || refused.code != codeBadRequest) {
				t.Fatalf("refused as %+v", refused)
			}
			return
		}
		if !utf8.Valid(body) || !json.Valid(body) {
			t.Fatalf("what is not JSON was read as %+v", params)
		}
		var standard map[string]json.RawMessage
		if err := json.Unmarshal(body, &standard); err != nil {
			t.Fatalf("what is not an object was read as %+v", params)
		}
		var query string
		if err := json.Unmarshal(standard["query"], &query); err != nil || query != params.Query || query == "" {
			t.Fatalf("got the query %q, want %q (%v)", params.Query, query, err)
		}
	})
}
