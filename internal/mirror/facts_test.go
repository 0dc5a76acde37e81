package mirror

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// TestPostgresJudgesAsTheFunctions fills the tables with rows as close together as rows can be, so that every tie-break
// decides something, and has SQL and the functions say what each pair is.
func TestPostgresJudgesAsTheFunctions(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	random := rand.New(rand.NewPCG(700, 1))
	few := func() int64 { return []int64{0, 100, 200, 300}[random.IntN(4)] }
	const each = 12
	organizations, users := make([]string, each), make([]string, each)
	for i := range each {
		organizations[i], users[i] = fmt.Sprintf("org_%d", i), fmt.Sprintf("user_%d", i)
		f.exec(t, "INSERT INTO clerk.organizations (id, created_at, tomb_at) VALUES ($1, $2, $3)", organizations[i], few(), few())
		f.exec(t, "INSERT INTO clerk.users (id, created_at, tomb_at, auth_at, barred_at) VALUES ($1, $2, $3, $4, $5)", users[i], few(), few(), few(), few())
	}
	for i := range 5 * each {
		f.exec(t, `INSERT INTO clerk.roles (id, key, permissions, created_at, tomb_at, updated_at, auth_at)
			VALUES ($1::text, $2, ARRAY[$1], $3, $4, $5, $6)`, "role_"+mixed(random), fmt.Sprintf("org:%d", i%3), few(), few(), few(), few())
	}
	for range 300 {
		f.exec(t, `INSERT INTO clerk.memberships (id, organization_id, user_id, role, created_at, tomb_at, updated_at, auth_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, "orgmem_"+mixed(random), pick(random, organizations), pick(random, users),
			fmt.Sprintf("org:%d", random.IntN(4)), few(), few(), few(), few())
	}
	f.exec(t, "INSERT INTO clerk.revoked_sessions (id, revoked_at) VALUES ('sess_over', 1)")

	m, seen := f.load(t), map[MembershipState]int{}
	for _, organization := range organizations {
		for _, user := range users {
			for _, session := range []string{"sess_lives", "sess_over"} {
				got, err := f.Facts(t.Context(), organization, user, session, "")
				if err != nil {
					t.Fatal(err)
				}
				want := m.facts(organization, user)
				want.SessionRevoked = session == "sess_over"
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Errorf("%s in %s, %s (-functions +SQL)\n%s", user, organization, session, diff)
				}
				seen[got.Membership]++
			}
		}
	}
	if min(seen[MembershipUnknown], seen[MembershipLive], seen[MembershipEnded]) == 0 {
		t.Errorf("not every state of a membership came up: %v", seen)
	}
	f.sameDead(t, m)
}

// A standby server can be behind by any time, so that nothing is known there. In its place is a database in which the
// function that tells says yes.
func TestAStandbyKnowsNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	if _, err := f.Facts(t.Context(), "org_1", "user_1", "sess_1", ""); err != nil {
		t.Fatal(err)
	}
	f.exec(t, "CREATE SCHEMA standby; GRANT USAGE ON SCHEMA standby TO PUBLIC; "+
		"CREATE FUNCTION standby.pg_is_in_recovery() RETURNS boolean LANGUAGE sql RETURN true")
	f.exec(t, fmt.Sprintf("ALTER DATABASE %s SET search_path = standby, pg_catalog, public", f.value(t, "SELECT quote_ident(current_database())")))
	f.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	known, err := f.Facts(t.Context(), "org_1", "user_1", "sess_1", "")
	for try := 0; try < 5 && err != nil && !strings.Contains(err.Error(), "standby"); try++ { // a connection that was cut
		known, err = f.Facts(t.Context(), "org_1", "user_1", "sess_1", "")
	}
	if !errors.Is(err, models.ErrUnavailable) || !strings.Contains(err.Error(), "standby") {
		t.Errorf("%+v, %v", known, err)
	}
}

// mixed is an id that other collations than "C" put in another order.
func mixed(random *rand.Rand) string {
	return fmt.Sprintf("%c%c%06d", "aAbB"[random.IntN(4)], "aAbB"[random.IntN(4)], random.IntN(1e6))
}

// sameDead compares the generated columns with the function.
func (f *fixture) sameDead(t testing.TB, m *model) {
	t.Helper()
	compared := 0
	for table, of := range map[string]func(id string) store.MirrorRow{
		"organizations": func(id string) store.MirrorRow { return m.organizations[id].MirrorRow },
		"users":         func(id string) store.MirrorRow { return m.users[id].MirrorRow },
		"memberships":   func(id string) store.MirrorRow { return m.memberships[id].MirrorRow },
		"roles":         func(id string) store.MirrorRow { return m.roles[id].MirrorRow },
		"invitations":   func(id string) store.MirrorRow { return m.invitations[id].MirrorRow },
		"domains":       func(id string) store.MirrorRow { return m.domains[id].MirrorRow },
		"permissions":   func(id string) store.MirrorRow { return m.permissions[id].MirrorRow },
	} {
		for _, row := range rows[struct {
			ID   string
			Dead bool
		}](t, f, "SELECT id, dead FROM clerk."+table) {
			compared++
			if row.Dead != dead(of(row.ID)) {
				t.Errorf("%s of clerk.%s is dead: %t, by the function %t", row.ID, table, row.Dead, !row.Dead)
			}
		}
	}
	if compared == 0 {
		t.Error("nothing to compare")
	}
}
