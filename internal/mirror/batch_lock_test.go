package mirror

import (
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// A batch waits for who holds one of its rows, and then sees what was written: the newer version stays. Another
// organization, user and membership in the same batch are merged all the same.
func TestBatchWaitsForOtherWriters(t *testing.T) {
	t.Parallel()
	const at = int64(1_782_900_000_000)
	of := func(id string, updated int64) statement {
		return authoritative(live(id, at, updated, 0, rankRead, "of "+id), updated)
	}
	first := "once"
	for _, test := range []struct {
		kind  kind
		table string
		make  func(suffix string, updated int64) change
		hold  func(tx *store.MirrorTx) error
	}{
		{mirrored[0], "organizations", func(suffix string, updated int64) change {
			return organizationChange{statement: of("org_"+suffix, updated), name: "One"}
		}, func(tx *store.MirrorTx) error { _, err := tx.LockOrganization("org_1"); return err }},
		{usersKind, "users", func(suffix string, updated int64) change {
			return userChange{of("user_"+suffix, updated), userProfile{firstName: &first}}
		}, func(tx *store.MirrorTx) error { _, err := tx.LockUser("user_1"); return err }},
		{mirrored[3], "memberships", func(suffix string, updated int64) change {
			return membershipChange{statement: of("orgmem_"+suffix, updated), organizationID: "org_" + suffix, userID: "user_" + suffix, role: "org:admin"}
		}, func(tx *store.MirrorTx) error { _, err := tx.LockUser("user_1"); return err }},
	} {
		t.Run(test.table, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, dbtest.Config(t))
			if err := f.applyOne(t.Context(), test.make("1", at+1)); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			var started bool
			err := f.store.Mirror(t.Context(), func(tx *store.MirrorTx) error {
				if err := test.hold(tx); err != nil {
					return err
				}
				if !started {
					started = true
					go func() {
						var part []reading
						for _, suffix := range []string{"2", "1"} {
							c := test.make(suffix, at+50)
							part = append(part, reading{of(prefixOf(test.table)+suffix, at+50), c})
						}
						done <- f.applyBatch(t.Context(), test.kind, part)
					}()
				}
				f.eventually(t, "SELECT EXISTS (SELECT FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) "+
					"WHERE NOT l.granted AND a.datname = current_database())")
				return test.make("1", at+100).apply(tx)
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			for suffix, want := range map[string]string{"1": "1782900000100", "2": "1782900000050"} {
				if got := f.value(t, "SELECT updated_at FROM clerk."+test.table+" WHERE id = $1", prefixOf(test.table)+suffix); got != want {
					t.Errorf("%s%s is of %s, want %s", prefixOf(test.table), suffix, got, want)
				}
			}
		})
	}
}

func prefixOf(table string) string {
	return map[string]string{"organizations": "org_", "users": "user_", "memberships": "orgmem_"}[table]
}
