package mirror

import (
	"net/http/httptest"
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/local/clerk"
	"github.com/tenantry/tenantry/store"
)

// The local Clerk is read as any other: through NewBackend, with its budget.
func TestSweepOfTheLocalClerk(t *testing.T) {
	t.Parallel()
	local, err := clerk.Open(clerk.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := local.Populate(clerk.Population{Organizations: 30, Users: 40, MembersEach: 20}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(local.Handler())
	t.Cleanup(server.Close)
	f := newFixture(t, store.Config{URL: dbtest.New(t)})
	f.config.InstanceID = local.InstanceID
	f.config.Backend = NewBackend(BackendConfig{URL: server.URL + "/__clerk/backend/v1", SecretKey: local.SecretKey(), Logger: quiet})
	report := f.sweep(t, SweepOptions{})
	for kind, k := range report.Kinds {
		if k.Unreadable+k.Extra+k.Differing > 0 || k.Listed != k.Missing || k.Changed != k.Missing {
			t.Errorf("%s: %+v", kind, *k)
		}
	}
	if m := report.Kinds["memberships"]; m.Listed < 600 {
		t.Errorf("memberships: %+v", *m)
	}
	if found := f.verify(t); found.Drift() != 0 {
		t.Errorf("verify finds\n%s", describe(found))
	}
	if admin := f.value(t, "SELECT role FROM public.members WHERE organization_id = $1 AND user_id = $2",
		clerk.SeededAcme, clerk.SeededAda); admin != "org:admin" {
		t.Errorf("ada is %s of acme", admin)
	}
}
