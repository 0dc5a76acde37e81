package transport

import (
	"strings"
	"testing"
)

func TestRequestID(t *testing.T) {
	t.Parallel()
	s := newServer(&fakeSchema{}, Options{})
	for given, taken := range map[string]bool{
		"":                            false,
		"short":                       false,
		"eight_-8":                    true,
		strings.Repeat("a", 64):       true,
		strings.Repeat("a", 65):       false,
		"0199-ABCdef_0199":            true,
		"has space in it":             false,
		"line\nbreak12":               false,
		`quote"quote"`:                false,
		"ümlaut-ümlaut":               false,
		"<script>alert(1)</script>":   false,
		"../../../../etc/passwd-1234": false,
	} {
		var header []string
		if given != "" {
			header = []string{"X-Request-Id: " + given}
		}
		got := s.query(t, "{requestId fail}", header...)
		id := got.Header().Get("X-Request-Id")
		if (id == given) != taken || len(id) < 8 {
			t.Errorf("%q became %q", given, id)
		}
		if _, extensions := got.first(t); extensions["requestId"] != id {
			t.Errorf("the error has the id %v, the header %s", extensions["requestId"], id)
		}
		if data := got.body["data"].(map[string]any); data["requestId"] != id {
			t.Errorf("the context has the id %v, the header %s", data["requestId"], id)
		}
	}
	if id := RequestID(t.Context()); id != "" {
		t.Errorf("outside of a request there is the id %q", id)
	}
	if first, second := s.query(t, "{hello}"), s.query(t, "{hello}"); first.Header().Get("X-Request-Id") == second.Header().Get("X-Request-Id") {
		t.Error("two requests have the same id")
	}
}
