package mirror

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

const globex = "org_3AbXg1oBeX0oTherOrg"

// TestOtherOrganization applies each event that is about Acme and looks at what it did to Globex: nothing.
func TestOtherOrganization(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"organization.created", "organization.updated", "organization.deleted",
		"organizationMembership.created", "organizationMembership.updated", "organizationMembership.deleted",
		"organizationInvitation.created", "organizationInvitation.accepted", "organizationInvitation.revoked",
		"organizationDomain.created", "organizationDomain.updated", "organizationDomain.deleted",
		"role.created", "role.updated", "role.deleted",
		"permission.created", "permission.updated", "permission.deleted",
		"session.ended", "session.removed", "session.revoked",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, dbtest.Config(t)).ours()
			f.populate(t)
			before := f.rowsOf(t, globex)
			if strings.Count(before, "\n") < 10 {
				t.Fatalf("Globex has too little to lose:\n%s", before)
			}
			if got := f.receive(t, "msg_1", sample(t, name)).Result; got != Applied {
				t.Fatal(got)
			}
			if after := f.rowsOf(t, globex); after != before {
				t.Errorf("Globex was\n%s\nand is\n%s", before, after)
			}
		})
	}
}

// populate gives both people a membership in both organizations, and both organizations an invitation and a domain.
func (f *fixture) populate(t *testing.T) {
	t.Helper()
	ids := strings.NewReplacer(acme, globex, "orgmem_", "orgmem_globex", "orginv_", "orginv_globex", "orgdmn_", "orgdmn_globex")
	for i, name := range []string{
		"organizationMembership.created", "organizationMembership.created.invited-member", "organizationInvitation.created",
		"organizationDomain.created",
	} {
		body := string(sample(t, name))
		f.receive(t, fmt.Sprint("msg_acme", i), []byte(body))
		f.receive(t, fmt.Sprint("msg_globex", i), []byte(ids.Replace(body)))
	}
}

// rowsOf is everything that is kept of an organization, byte by byte.
func (f *fixture) rowsOf(t *testing.T, organizationID string) string {
	t.Helper()
	return f.value(t, `SELECT string_agg(line, E'\n' ORDER BY line) FROM (
		SELECT 'organization ' || o::text || o.xmin || o.ctid FROM clerk.organizations AS o WHERE id = $1
		UNION ALL SELECT 'membership ' || m::text || m.xmin || m.ctid FROM clerk.memberships AS m WHERE organization_id = $1
		UNION ALL SELECT 'public organization ' || o::text || o.xmin || o.ctid FROM public.organizations AS o WHERE organization_id = $1
		UNION ALL SELECT 'member ' || m::text || m.xmin || m.ctid FROM public.members AS m WHERE organization_id = $1
		UNION ALL SELECT 'provisional ' || p::text || p.xmin || p.ctid FROM clerk.provisional AS p WHERE organization_id = $1
		UNION ALL SELECT 'user ' || u::text || u.xmin || u.ctid FROM clerk.users AS u
		UNION ALL SELECT 'invitation ' || i::text || i.xmin || i.ctid FROM clerk.invitations AS i WHERE organization_id = $1
		UNION ALL SELECT 'public invitation ' || i::text || i.xmin || i.ctid FROM public.invitations AS i WHERE organization_id = $1
		UNION ALL SELECT 'domain ' || d::text || d.xmin || d.ctid FROM clerk.domains AS d WHERE organization_id = $1
		UNION ALL SELECT 'nothing ' || n FROM generate_series(1, 3) AS n
	) AS lines (line)`, organizationID) + "\n"
}

// TestUserChangesOwnRowsOnly: a user's event is about every organization that the user is in, and no other's
// members.
func TestUserChangesOwnRowsOnly(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"user.created", "user.updated", "user.deleted"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, dbtest.Config(t)).ours()
			f.populate(t)
			others := "SELECT string_agg(m::text || xmin || ctid, E'\\n' ORDER BY organization_id) FROM public.members AS m WHERE user_id = $1"
			before := f.value(t, others, bob)
			f.receive(t, "msg_1", []byte(strings.ReplaceAll(string(sample(t, name)), bob, ada)))
			if after := f.value(t, others, bob); after != before {
				t.Errorf("Bob's memberships were\n%s\nand are\n%s", before, after)
			}
			changed := f.value(t, "SELECT count(DISTINCT coalesce(name, '-') || coalesce(left_at::text, '')) || ' ' || count(*) FROM public.members WHERE user_id = $1", ada)
			if changed != "1 2" {
				t.Errorf("Ada's two memberships do not show the same: %s", changed)
			}
		})
	}
}

// TestProjectionIsFenced: the mirror's own role, too, reaches rows of no organization but the one it has named.
func TestProjectionIsFenced(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	f.populate(t)
	member := models.Member{OrganizationID: globex, UserID: ada, ID: uuid.New(), Role: "org:admin", JoinedAt: time.Now()}
	before := f.rowsOf(t, globex)
	for name, fn := range map[string]func(tx *store.MirrorTx) error{
		"no organization named": func(tx *store.MirrorTx) error { return tx.PutMember("", member) },
		"another one named":     func(tx *store.MirrorTx) error { return tx.PutMember(acme, member) },
		"named before": func(tx *store.MirrorTx) error {
			return errors.Join(tx.InOrganization(globex, func() error { return nil }), tx.PutMember(acme, member))
		},
		"named around": func(tx *store.MirrorTx) error {
			return tx.InOrganization(globex, func() error { return tx.PutMember(acme, member) })
		},
		"another's provisional member": func(tx *store.MirrorTx) error {
			return tx.PutProvisional(acme, member)
		},
		"SQL as a name": func(tx *store.MirrorTx) error { return tx.PutMember("'; RESET ROLE; --", member) },
		"another's invitation": func(tx *store.MirrorTx) error {
			return tx.PutInvitation(acme, models.Invitation{OrganizationID: globex, ID: "orginv_x", CreatedAt: time.Now()})
		},
		"an organization": func(tx *store.MirrorTx) error {
			return tx.PutOrganization(acme, models.Organization{OrganizationID: globex, Name: "x", CreatedAt: time.Now()})
		},
	} {
		if err := f.store.Mirror(t.Context(), fn); err == nil {
			t.Errorf("%s: the member was written", name)
		}
	}
	if after := f.rowsOf(t, globex); after != before {
		t.Errorf("Globex was\n%s\nand is\n%s", before, after)
	}
}

// TestRequestsCannotReachTheCopy asks as the role of requests.
func TestRequestsCannotReachTheCopy(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	f.populate(t)
	role := f.value(t, "SELECT quote_ident(request_role) FROM tenantry.instance")
	for _, statement := range []string{
		"SELECT FROM clerk.users", "SELECT FROM clerk.inbox", "SELECT FROM clerk.invitations",
		"DELETE FROM clerk.revoked_sessions", "INSERT INTO clerk.roles (id) VALUES ('role_1')",
		"UPDATE public.members SET role = 'org:admin'", "DELETE FROM public.members", "TRUNCATE public.members",
		"INSERT INTO public.organizations (organization_id, name, created_at) VALUES ('" + acme + "', 'x', now())",
		"UPDATE public.organizations SET name = 'x'", "UPDATE public.invitations SET role = 'org:admin'", "DELETE FROM public.invitations",
	} {
		tx, err := f.owner.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = tx.Exec(t.Context(), "SET LOCAL ROLE "+role+"; SET LOCAL tenantry.organization = '"+acme+"'; "+statement)
		if err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: %v, want it refused", statement, err)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
