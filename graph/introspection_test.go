package graph_test

import (
	"strings"
	"testing"
)

// A directive that the schema shows is one that can be used.
func TestIntrospectionShowsNoDefer(t *testing.T) {
	t.Parallel()
	got := newAPI(t).ask(nobody, `{ __schema { directives { name } } }`, nil)
	if strings.Contains(got.Body, `"defer"`) || !strings.Contains(got.Body, `"include"`) {
		t.Errorf("got %s", got)
	}
}
