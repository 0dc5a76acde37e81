package transport

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheLogHasOneLine(t *testing.T) {
	t.Parallel()
	s := newServer(&fakeSchema{}, Options{
		CountStatements: func(ctx context.Context) (context.Context, func() int) { return ctx, func() int { return 3 } },
	})
	got := s.post(t, `{"query":"query Find($name: String) { fail again: fail hello(name: $name) x: hello(name: \"hunter2\") }",
		"variables":{"name":"hunter2"}}`, "Authorization: Bearer hunter2", "X-Request-Id: request-1")
	lines := s.lines(t)
	if len(lines) != 1 {
		t.Fatalf("got %d lines:\n%s", len(lines), s.logged)
	}
	if _, isNumber := lines[0]["duration_ms"].(float64); !isNumber {
		t.Errorf("duration_ms is %v", lines[0]["duration_ms"])
	}
	delete(lines[0], "time")
	delete(lines[0], "duration_ms")
	want := map[string]any{
		"level": "INFO", "msg": "request", "request_id": "request-1", "operation": "Find", "operation_type": "query",
		"status": 200.0, "codes": []any{"INTERNAL"}, "statements": 3.0, "bytes": float64(got.Body.Len()),
	}
	if diff := cmp.Diff(want, lines[0]); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	if strings.Contains(s.logged.String(), "hunter2") {
		t.Errorf("the log holds a secret:\n%s", s.logged)
	}
}

func TestOnlyNamesAreLoggedAsNames(t *testing.T) {
	t.Parallel()
	for name, logged := range map[string]any{
		"Find":                       "Find",
		"_1":                         "_1",
		"1a":                         nil,
		"hunter2 is the password":    nil,
		`a","level":"ERROR`:          nil,
		strings.Repeat("a", 100_000): strings.Repeat("a", maxOperation),
	} {
		s := newServer(&fakeSchema{}, Options{})
		quoted := strings.ReplaceAll(name, `"`, `\"`)
		s.post(t, `{"query":"query Other {hello}","operationName":"`+quoted+`"}`)
		if got := s.lines(t)[0]["operation"]; got != logged {
			t.Errorf("%.50q is logged as %.50v", name, got)
		}
	}
}
