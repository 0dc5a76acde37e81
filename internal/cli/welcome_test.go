package cli

import (
	"bytes"
	"context"
	"testing"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// A command that brings organizations into the copy has them welcomed as the server would: each once.
func TestBackfillWelcomes(t *testing.T) {
	t.Parallel()
	own := newOwnClerk(t)
	var welcomed []string
	backfill := func() {
		t.Helper()
		var stdout, stderr bytes.Buffer
		code := Main(t.Context(), []string{"mirror", "backfill"}, &stdout, &stderr, own.env.lookup, nil, Roles{},
			func(_ context.Context, _ store.Org, o models.Organization) error {
				welcomed = append(welcomed, o.Name)
				return nil
			}, nil)
		if code != 0 {
			t.Fatalf("exit %d, %s", code, stderr.String())
		}
	}
	backfill()
	if len(welcomed) != 2 {
		t.Errorf("welcomed were %q", welcomed)
	}
	backfill()
	if len(welcomed) != 2 {
		t.Errorf("after the second: %q", welcomed)
	}
}
