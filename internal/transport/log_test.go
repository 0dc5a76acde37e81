package transport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/gqlerror"
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

// However many fields fail, the log has one line of a bounded size, with the causes.
func TestTheLogHasOneLineWhateverFails(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 10_000)
	s := newServer(&fakeSchema{}, Options{Present: func(ctx context.Context, err error) *gqlerror.Error {
		shown := &gqlerror.Error{Message: "no", Path: graphql.GetPath(ctx), Err: err}
		if strings.HasPrefix(shown.Path.String(), "long") {
			shown.Err = errors.New(long)
		}
		return shown
	}})
	got := s.query(t, "query($x: String) {"+aliases(29, "fail")+"long: fail "+named("p", 30, "panic")+strings.Repeat("b", 5_000)+":hello(name: $x)}")
	lines := s.lines(t)
	if len(lines) != 1 || lines[0]["level"] != "ERROR" {
		t.Fatalf("got %d lines:\n%.2000s", len(lines), s.logged)
	}
	causes := fmt.Sprint(lines[0]["causes"])
	if lines[0]["failures"] != 60.0 || lines[0]["panics"] != 30.0 || lines[0]["panic"] != "a resolver's secret" {
		t.Errorf("the line counts %v failures and %v panics, the first %v", lines[0]["failures"], lines[0]["panics"], lines[0]["panic"])
	}
	for _, cause := range []string{": " + errSecret.Error(), ": " + errPanicked.Error(), "long: éé"} {
		if strings.Count(causes, cause) != 1 {
			t.Errorf("%q is not once in %s", cause, causes)
		}
	}
	if size := len(s.logged.String()); size > maxStack+maxCauses*(maxCause+maxMessage)+4_000 {
		t.Errorf("the line has %d bytes", size)
	}
	if strings.Contains(got.Body.String(), "hunter2") || strings.Contains(got.Body.String(), "secret") {
		t.Errorf("the answer tells a cause: %.500s", got.Body)
	}
}

func TestTheLogSaysWhoAsked(t *testing.T) {
	t.Parallel()
	s := newServer(&fakeSchema{}, Options{Authenticate: func(context.Context, []string) (Identify, error) {
		return func(ctx context.Context) (context.Context, error) {
			Annotate(ctx, slog.String("who", "ada"))
			return ctx, nil
		}, nil
	}})
	s.query(t, "{hello}")
	if line := s.lines(t)[0]; line["who"] != "ada" || line["level"] != "INFO" {
		t.Errorf("the log has %v", line)
	}
	Annotate(t.Context(), slog.String("who", "nobody")) // outside of a request
}

// named is a field under n aliases that begin with a prefix.
func named(prefix string, n int, field string) string {
	var fields strings.Builder
	for i := range n {
		fmt.Fprintf(&fields, "%s%d:%s ", prefix, i, field)
	}
	return fields.String()
}
