package mirror_test

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/tenantry/tenantry/internal/mirror"
	"github.com/tenantry/tenantry/webhooks"
)

// endpoint is what the server puts in front of a mirror.
func endpoint(t testing.TB, m *mirror.Mirror, secret string) http.Handler {
	t.Helper()
	handler, err := webhooks.New(m, webhooks.Config{Secrets: []string{secret}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func TestHistoriesThroughTheEndpoint(t *testing.T) {
	t.Parallel()
	mirror.ProveHistories(t, endpoint)
}

func TestMalformedEventsThroughTheEndpoint(t *testing.T) {
	t.Parallel()
	mirror.ProveMalformed(t, endpoint)
}
