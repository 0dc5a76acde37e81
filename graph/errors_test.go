package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/graph"
	"github.com/tenantry/tenantry/models"
)

// What the client is not told goes to the log, and nothing else does.
func TestOnlyHiddenCausesAreForTheLog(t *testing.T) {
	t.Parallel()
	secret := errors.New("hunter2")
	for _, test := range []struct {
		err    error
		code   graph.Code
		logged bool
	}{
		{secret, graph.CodeInternal, true},
		{errors.Join(models.ErrUnavailable, secret), graph.CodeUnavailable, true},
		{errors.Join(models.ErrUnknownOutcome, secret), graph.CodeUnknownOutcome, true},
		{errors.Join(context.DeadlineExceeded, secret), graph.CodeTimeout, false},
		{errors.Join(models.ErrNotFound, secret), graph.CodeNotFound, false},
		{errors.Join(models.ErrNoViewer, secret), graph.CodeUnauthenticated, false},
	} {
		shown := graph.Present(t.Context(), test.err)
		if shown.Extensions["code"] != string(test.code) || errors.Is(shown.Err, secret) != test.logged {
			t.Errorf("%s: code %v, for the log %v", test.code, shown.Extensions["code"], shown.Err)
		}
		if text, err := json.Marshal(shown); err != nil || strings.Contains(string(text), "hunter2") {
			t.Errorf("%s: the client is told %s (%v)", test.code, text, err)
		}
	}
}
