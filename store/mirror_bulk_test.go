package store_test

import (
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// TestManyRowsComeBackAsWritten goes through every column, filled and empty, and leaves what was not written alone.
func TestManyRowsComeBackAsWritten(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	full := store.MirrorRow{
		CreatedAt: 1, TombAt: 2, NeedsRead: true,
		MirrorVersion: store.MirrorVersion{UpdatedAt: 3, AuthAt: 4, EnvTS: 5, Rank: 6, Digest: "d"},
	}
	organizations := map[string]store.MirrorOrganization{
		"org_1": {ID: "org_1", MirrorRow: full, Name: `Ac"me ☂`, Slug: pointer("acme"), ImageURL: pointer("i")},
		"org_2": {ID: "org_2", Name: "Two"},
		"org_3": {ID: "org_3"},
	}
	users := map[string]store.MirrorUser{
		"user_1": {
			ID: "user_1", MirrorRow: full, FirstName: pointer("f"), LastName: pointer("l"), Username: pointer("u"), ImageURL: pointer("i"),
			Email: pointer(`e\`), Banned: true, Deprovisioned: true, Locked: true, BarredAt: 7,
		},
		"user_2": {ID: "user_2", FirstName: pointer("two")},
		"user_3": {ID: "user_3"},
	}
	memberships := map[string]store.MirrorMembership{
		"orgmem_1": {
			ID: "orgmem_1", MirrorRow: full, OrganizationID: "org_1", UserID: "user_1", Role: "org:admin", FirstName: pointer("f"),
			LastName: pointer("l"), Username: pointer("u"), ImageURL: pointer("i"), Identifier: pointer("e"),
		},
		"orgmem_2": {ID: "orgmem_2", OrganizationID: "org_2", UserID: "user_2", Role: "org:member"},
		"orgmem_3": {ID: "orgmem_3"},
	}
	mirror(t, s, func(tx *store.MirrorTx) error {
		if _, err := tx.LockOrganizations([]string{"org_3", "org_1", "org_2", "org_1"}); err != nil {
			return err
		}
		if _, err := tx.LockUsers([]string{"user_2", "user_3", "user_1"}); err != nil {
			return err
		}
		if _, err := tx.LockMemberships([]string{"orgmem_3", "orgmem_2", "orgmem_1"}); err != nil {
			return err
		}
		if err := tx.WriteOrganizations([]store.MirrorOrganization{organizations["org_1"], organizations["org_2"]}); err != nil {
			return err
		}
		if err := tx.WriteUsers([]store.MirrorUser{users["user_1"], users["user_2"]}); err != nil {
			return err
		}
		return tx.WriteMemberships([]store.MirrorMembership{memberships["orgmem_1"], memberships["orgmem_2"]})
	})
	mirror(t, s, func(tx *store.MirrorTx) error {
		gotOrganizations, err := tx.LockOrganizations([]string{"org_1", "org_2", "org_3"})
		if err != nil {
			return err
		}
		gotUsers, err := tx.LockUsers([]string{"user_1", "user_2", "user_3"})
		if err != nil {
			return err
		}
		gotMemberships, err := tx.LockMemberships([]string{"orgmem_1", "orgmem_2", "orgmem_3"})
		if err != nil {
			return err
		}
		if diff := cmp.Diff(organizations, gotOrganizations) + cmp.Diff(users, gotUsers) + cmp.Diff(memberships, gotMemberships); diff != "" {
			t.Errorf("-written +read\n%s", diff)
		}
		of, err := tx.MembershipsOf([]string{"user_1", "user_3"})
		if diff := cmp.Diff([]store.MirrorMembership{memberships["orgmem_1"]}, of); diff != "" {
			t.Errorf("of one user -want +got\n%s", diff)
		}
		return err
	})
}

// However many marks there are, each row is looked up, also where PostgreSQL has no statistics of them yet.
func TestUnseenLooksUpEachRow(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	const many = 3000
	ids := make([]string, many)
	for i := range ids {
		ids[i] = fmt.Sprintf("user_%05d", i)
	}
	mirror(t, s, func(tx *store.MirrorTx) error {
		rows, err := tx.LockUsers(ids)
		if err != nil {
			return err
		}
		var written []store.MirrorUser
		for _, u := range rows {
			u.UpdatedAt = 1
			written = append(written, u)
		}
		if err := tx.WriteUsers(written); err != nil {
			return err
		}
		return tx.MarkSeen(1, store.MirrorUsers, slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "user_00007" }))
	})
	mirror(t, s, func(tx *store.MirrorTx) error {
		missing, live, err := tx.CountUnseen(1, store.MirrorUsers, 2)
		if err != nil {
			return err
		}
		refs, err := tx.Unseen(1, store.MirrorUsers, 2, "", many)
		if err != nil {
			return err
		}
		if missing != 1 || live != many || len(refs) != 1 || refs[0].ID != "user_00007" {
			t.Errorf("%d of %d are missing: %v", missing, live, refs)
		}
		for _, kind := range []store.MirrorKind{store.MirrorUsers, store.MirrorMemberships} {
			plan, err := tx.ExplainUnseen(kind)
			if err != nil {
				return err
			}
			if !regexp.MustCompile(`Index Cond: [^\n]*\(id = s\.id\)`).MatchString(plan) {
				t.Errorf("the marks of %s are joined:\n%s", kind, plan)
			}
		}
		return nil
	})
}
