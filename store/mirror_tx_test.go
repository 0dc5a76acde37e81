package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

func pointer[T any](v T) *T { return &v }

// TestMirrorRowsComeBackAsWritten goes through every column, filled and empty.
func TestMirrorRowsComeBackAsWritten(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	full := store.MirrorRow{
		CreatedAt: 1, TombAt: 2, NeedsRead: true,
		MirrorVersion: store.MirrorVersion{UpdatedAt: 3, AuthAt: 4, EnvTS: 5, Rank: 6, Digest: "d"},
	}
	organization := store.MirrorOrganization{ID: "org_1", MirrorRow: full, Name: "Acme ☂", Slug: pointer("acme"), ImageURL: pointer("i")}
	user := store.MirrorUser{
		ID: "user_1", MirrorRow: full, FirstName: pointer("f"), LastName: pointer("l"), Username: pointer("u"), ImageURL: pointer("i"), Email: pointer("e"),
		Banned: true, Deprovisioned: true, Locked: true, BarredAt: 7,
	}
	membership := store.MirrorMembership{
		ID: "orgmem_1", MirrorRow: full, OrganizationID: "org_1", UserID: "user_1", Role: "org:admin", FirstName: pointer("f"), LastName: pointer("l"),
		Username: pointer("u"), ImageURL: pointer("i"), Identifier: pointer("e"),
	}
	role := store.MirrorRole{ID: "role_1", MirrorRow: full, Key: "org:admin", Name: "Admin", Permissions: []string{"org:z:x", `or"g:,{}:\y`, "org:a:x"}}
	invitation := store.MirrorInvitation{
		ID: "orginv_1", MirrorRow: full, OrganizationID: "org_1", EmailAddress: pointer("e"), Role: "org:admin", Status: "pending",
		InviterID: "user_1", UserID: "user_2", ExpiresAt: 9,
	}
	domain := store.MirrorDomain{ID: "orgdmn_1", MirrorRow: full, OrganizationID: "org_1", Name: "n", EnrollmentMode: "m", Verified: true}
	permission := store.MirrorPermission{ID: "perm_1", MirrorRow: full, Key: "org:a:b", Name: "n", Description: pointer("d"), Type: "user"}
	mirror(t, s, func(tx *store.MirrorTx) error {
		if _, found, err := tx.Invitation("orginv_1"); found || err != nil {
			t.Errorf("an invitation before it was written: %t, %v", found, err)
		}
		bareInvitation, err1 := tx.LockInvitation("orginv_1")
		bareDomain, err2 := tx.LockDomain("orgdmn_1")
		barePermission, err3 := tx.LockPermission("perm_1")
		bare := cmp.Diff(store.MirrorInvitation{ID: "orginv_1"}, bareInvitation) + cmp.Diff(store.MirrorDomain{ID: "orgdmn_1"}, bareDomain) +
			cmp.Diff(store.MirrorPermission{ID: "perm_1"}, barePermission)
		if bare != "" {
			t.Errorf("bare rows (-want +got)\n%s", bare)
		}
		return errors.Join(err1, err2, err3, tx.WriteInvitation(invitation), tx.WriteDomain(domain), tx.WritePermission(permission))
	})
	mirror(t, s, func(tx *store.MirrorTx) error {
		gotInvitation, err1 := tx.LockInvitation("orginv_1")
		gotDomain, err2 := tx.LockDomain("orgdmn_1")
		gotPermission, err3 := tx.LockPermission("perm_1")
		seen, found, err4 := tx.Invitation("orginv_1")
		same := cmp.Diff(invitation, gotInvitation) + cmp.Diff(domain, gotDomain) + cmp.Diff(permission, gotPermission) + cmp.Diff(invitation, seen)
		if same != "" || !found {
			t.Errorf("rows (-written +read)\n%s", same)
		}
		return errors.Join(err1, err2, err3, err4)
	})
	mirror(t, s, func(tx *store.MirrorTx) error {
		if _, found, err := tx.Organization("org_1"); found || err != nil {
			t.Errorf("an organization before it was written: %t, %v", found, err)
		}
		bareOrganization, err1 := tx.LockOrganization("org_1")
		bareUser, err2 := tx.LockUser("user_1")
		bareMembership, err3 := tx.LockMembership("orgmem_1")
		bareRole, err4 := tx.LockRole("role_1")
		bare := cmp.Diff(store.MirrorOrganization{ID: "org_1"}, bareOrganization) + cmp.Diff(store.MirrorUser{ID: "user_1"}, bareUser) +
			cmp.Diff(store.MirrorMembership{ID: "orgmem_1"}, bareMembership) + cmp.Diff(store.MirrorRole{ID: "role_1", Permissions: []string{}}, bareRole)
		if bare != "" {
			t.Errorf("bare rows (-want +got)\n%s", bare)
		}
		return errors.Join(err1, err2, err3, err4, tx.WriteOrganization(organization), tx.WriteUser(user), tx.WriteMembership(membership), tx.WriteRole(role))
	})
	mirror(t, s, func(tx *store.MirrorTx) error {
		gotOrganization, err1 := tx.LockOrganization("org_1")
		gotUser, err2 := tx.LockUser("user_1")
		gotMembership, err3 := tx.LockMembership("orgmem_1")
		gotRole, err4 := tx.LockRole("role_1")
		seen, found, err5 := tx.Organization("org_1")
		ofPair, err6 := tx.Incarnations("org_1", "user_1")
		ofUser, err7 := tx.UserMemberships("user_1")
		same := cmp.Diff(organization, gotOrganization) + cmp.Diff(user, gotUser) + cmp.Diff(membership, gotMembership) + cmp.Diff(role, gotRole) +
			cmp.Diff(organization, seen) + cmp.Diff([]store.MirrorMembership{membership}, ofPair) + cmp.Diff([]store.MirrorMembership{membership}, ofUser)
		if same != "" || !found {
			t.Errorf("rows (-written +read)\n%s", same)
		}
		return errors.Join(err1, err2, err3, err4, err5, err6, err7)
	})
	mirror(t, s, func(tx *store.MirrorTx) error {
		for _, pair := range [][2]string{{"org_1", "user_2"}, {"org_2", "user_1"}, {"", ""}} {
			if found, err := tx.Incarnations(pair[0], pair[1]); len(found) > 0 || err != nil {
				t.Errorf("memberships of %v: %v, %v", pair, found, err)
			}
		}
		return nil
	})
}

func mirror(t *testing.T, s *store.Store, fn func(tx *store.MirrorTx) error) {
	t.Helper()
	if err := s.Mirror(t.Context(), fn); err != nil {
		t.Error(err)
	}
}

// TestMirrorRunsTheLoserAgain lets two transactions lock two rows in opposite order.
func TestMirrorRunsTheLoserAgain(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	var runs atomic.Int64
	var met, both sync.WaitGroup
	met.Add(2)
	for _, order := range [][]string{{"user_1", "user_2"}, {"user_2", "user_1"}} {
		both.Go(func() {
			var once sync.Once
			mirror(t, s, func(tx *store.MirrorTx) error {
				runs.Add(1)
				if _, err := tx.LockUser(order[0]); err != nil {
					return err
				}
				once.Do(func() { met.Done(); met.Wait() })
				_, err := tx.LockUser(order[1])
				return err
			})
		})
	}
	both.Wait()
	if runs.Load() < 3 {
		t.Errorf("%d runs: nobody lost", runs.Load())
	}
}

func TestMirrorSaysWhatCannotBeStored(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	err := s.Mirror(t.Context(), func(tx *store.MirrorTx) error {
		return tx.WriteUser(store.MirrorUser{ID: "user_1", FirstName: pointer("secret\x00")})
	})
	if !errors.Is(err, store.ErrUnstorable) || strings.Contains(err.Error(), "secret") {
		t.Errorf("a NUL byte: %v", err)
	}
	own := errors.New("own")
	err = s.Mirror(t.Context(), func(tx *store.MirrorTx) error {
		_, err := tx.LockUser("user_2")
		return errors.Join(err, own)
	})
	if !errors.Is(err, own) || errors.Is(err, store.ErrUnstorable) {
		t.Errorf("the caller's own error: %v", err)
	}
	mirror(t, s, func(tx *store.MirrorTx) error {
		if found, err := tx.UserMemberships("user_2"); len(found) > 0 || err != nil {
			t.Error(found, err)
		}
		return nil
	})
}

// TestProjectionIsWrittenOnlyWhereItChanges: an event that changes nothing visible leaves no trace.
func TestProjectionIsWrittenOnlyWhereItChanges(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	at := time.UnixMilli(1782900060007).UTC()
	organization := models.Organization{OrganizationID: acme, Name: "Acme", CreatedAt: at}
	member := models.Member{OrganizationID: acme, UserID: "user_1", ID: uuid.New(), Role: "org:admin", Name: pointer("Ada"), JoinedAt: at}
	write := func() {
		mirror(t, s, func(tx *store.MirrorTx) error {
			return errors.Join(tx.PutOrganization(acme, organization), tx.PutMember(acme, member))
		})
	}
	write()
	versions := `SELECT (SELECT ctid::text FROM public.organizations) || (SELECT ctid::text FROM public.members)`
	before := owner(t, config, versions)
	write()
	if after := owner(t, config, versions); after != before {
		t.Errorf("rows moved from %s to %s", before, after)
	}
	member.Name, member.LeftAt, organization.DeletedAt = nil, &at, &at
	write()
	got, err := s.Org(acme).MemberByUser(t.Context(), "user_1")
	if err != nil || got.Name != nil || got.LeftAt == nil || !got.LeftAt.Equal(at) || !got.JoinedAt.Equal(at) {
		t.Errorf("member: %+v, %v", got, err)
	}
	if o, err := s.Org(acme).Organization(t.Context()); err != nil || o.DeletedAt == nil || !o.DeletedAt.Equal(at) {
		t.Errorf("organization: %+v, %v", o, err)
	}
	if _, err := s.Org(globex).MemberByUser(t.Context(), "user_1"); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("the member as another organization sees it: %v", err)
	}
}

// TestPutNamesItsOrganizationForItselfOnly looks for the member that was just written, in the same transaction.
func TestPutNamesItsOrganizationForItselfOnly(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	member := models.Member{OrganizationID: acme, UserID: "user_1", ID: uuid.New(), Role: "org:admin", JoinedAt: time.Now()}
	seen := func(tx *store.MirrorTx) bool {
		pairs, err := tx.Pairs(acme, "", 10)
		if err != nil {
			t.Error(err)
		}
		return len(pairs) == 1 && pairs[0].Member != nil
	}
	for _, what := range []string{"inserts", "changes nothing", "updates"} {
		if what == "updates" {
			member.Role = "org:member"
		}
		mirror(t, s, func(tx *store.MirrorTx) error {
			err := tx.PutMember(acme, member)
			if seen(tx) {
				t.Errorf("a put that %s leaves its organization named", what)
			}
			inside := tx.InOrganization(acme, func() error {
				if !seen(tx) {
					t.Errorf("a put that %s: not seen inside the organization", what)
				}
				return nil
			})
			if seen(tx) {
				t.Errorf("after looking inside (a put that %s) the organization is still named", what)
			}
			return errors.Join(err, inside, tx.InOrganization(globex, func() error {
				if seen(tx) {
					t.Error("seen from another organization")
				}
				return nil
			}))
		})
	}
}

// owner asks as the login that owns everything.
func owner(t *testing.T, config store.Config, query string, args ...any) string {
	t.Helper()
	url := config.MigrateURL
	if url == "" {
		url = config.URL
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var lines []string
	rows, err := conn.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Trim(fmt.Sprint(values...), "[]"))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return strings.Join(lines, "\n")
}

// TestMembersPageIsOneIndexRange asks PostgreSQL how it would read the second page, as a request and as an order of rows.
func TestMembersPageIsOneIndexRange(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	dbtest.OpenWith(t, config)
	owner(t, config, `INSERT INTO members (organization_id, user_id, id, role, joined_at, left_at)
		SELECT 'org_' || n % 5, 'user_' || n, gen_random_uuid(), 'org:member', to_timestamp(n), CASE n % 3 WHEN 0 THEN to_timestamp(n + 1) END
		FROM generate_series(1, 10000) AS n`)
	owner(t, config, "ANALYZE members")
	role := owner(t, config, "SELECT quote_ident(request_role) FROM tenantry.instance")
	url := config.MigrateURL
	if url == "" {
		url = config.URL
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), "SET ROLE "+role+"; SET tenantry.organization = 'org_1'"); err != nil {
		t.Fatal(err)
	}
	for name, condition := range map[string]string{
		"forwards":  "(joined_at, id) > ('1970-01-01 01:00:00Z', '00000000-0000-0000-0000-000000000000') ORDER BY joined_at, id",
		"backwards": "(joined_at, id) < ('1970-01-01 01:00:00Z', '00000000-0000-0000-0000-000000000000') ORDER BY joined_at DESC, id DESC",
	} {
		rows, err := conn.Query(t.Context(), `EXPLAIN (COSTS OFF) SELECT * FROM members
			WHERE organization_id = 'org_1' AND left_at IS NULL AND NOT provisional AND `+condition+" LIMIT 26")
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		plan := strings.Join(lines, "\n")
		if !strings.Contains(plan, "using members_by_joining") || !strings.Contains(plan, "(ROW(joined_at, id)") || strings.Contains(plan, "Sort") {
			t.Errorf("%s:\n%s", name, plan)
		}
	}
}
