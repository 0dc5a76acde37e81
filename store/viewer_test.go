package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// copyOfClerk has, of Ada: two memberships, an ended one, one that was taken up again, one that ended although an older
// incarnation lives, one of a deleted organization, one of an organization of which only the id is known. Gus has one.
const copyOfClerk = `
	INSERT INTO clerk.organizations (id, name, slug, image_url, created_at, updated_at, tomb_at) VALUES
		('org_acme', 'Acme', 'acme', 'https://img.example/acme', 1, 1, 0), ('org_globex', 'Globex', NULL, NULL, 1, 1, 0),
		('org_left', 'Left', 'left', NULL, 1, 1, 0), ('org_again', 'Again', 'again', NULL, 1, 1, 0),
		('org_over', 'Over', 'over', NULL, 1, 1, 0), ('org_dead', 'Dead', 'dead', NULL, 1, 1, 9), ('org_bare', '', NULL, NULL, 0, 0, 0);
	INSERT INTO clerk.users (id, created_at, updated_at, tomb_at) VALUES ('user_ada', 1, 1, 0), ('user_gus', 1, 1, 0), ('user_gone', 1, 1, 5);
	INSERT INTO clerk.memberships (id, organization_id, user_id, role, created_at, updated_at, tomb_at) VALUES
		('orgmem_1', 'org_globex', 'user_ada', 'org:member', 30, 30, 0), ('orgmem_2', 'org_acme', 'user_ada', 'org:admin', 20, 20, 0),
		('orgmem_3', 'org_left', 'user_ada', 'org:admin', 10, 10, 15),
		('orgmem_4', 'org_again', 'user_ada', 'org:admin', 10, 10, 15), ('orgmem_5', 'org_again', 'user_ada', 'org:member', 20, 20, 0),
		('orgmem_6', 'org_over', 'user_ada', 'org:admin', 10, 10, 0), ('orgmem_7', 'org_over', 'user_ada', 'org:member', 20, 20, 25),
		('orgmem_8', 'org_dead', 'user_ada', 'org:admin', 10, 10, 0), ('orgmem_9', 'org_bare', 'user_ada', 'org:member', 40, 40, 0),
		('orgmem_10', 'org_globex', 'user_gus', 'org:admin', 10, 10, 0), ('orgmem_11', 'org_globex', 'user_gone', 'org:admin', 10, 10, 0)`

func TestViewersMemberships(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	asOwner(t, dbtest.OwnerURL(config), copyOfClerk)
	for user, want := range map[string]string{
		"user_ada":      "acme:org:admin@20 again:org:member@20 globex:org:member@30 bare:org:member@40",
		"user_gus":      "globex:org:admin@10",
		"user_gone":     "",
		"user_stranger": "",
	} {
		for _, limit := range []int{1, 2, 100} {
			for _, backwards := range []bool{false, true} {
				if got := walkMemberships(t, s.Viewer(user), models.Page{Limit: limit, Backwards: backwards}); got != want {
					t.Errorf("%s in pages of %d, backwards %v: %s, want %s", user, limit, backwards, got, want)
				}
			}
		}
		if count, err := s.Viewer(user).CountMemberships(t.Context()); err != nil || int(count) != len(strings.Fields(want)) {
			t.Errorf("%s has %d, %v", user, count, err)
		}
	}
	first, err := s.Viewer("user_ada").Memberships(t.Context(), models.Page{Limit: 4})
	if err != nil {
		t.Fatal(err)
	}
	slug, image := "acme", "https://img.example/acme"
	if diff := gocmp.Diff(models.OrganizationSummary{ID: "org_acme", Name: "Acme", Slug: &slug, ImageURL: &image}, first.Items[0].Organization); diff != "" {
		t.Error(diff)
	}
	if bare := first.Items[3].Organization; bare.Name != "org_bare" || bare.Slug != nil {
		t.Errorf("an organization without a name: %+v", bare)
	}
	// Who was removed a moment ago, and whose organization was deleted, does not see it any more.
	asOwner(t, dbtest.OwnerURL(config), "UPDATE clerk.memberships SET tomb_at = 50 WHERE id = 'orgmem_2'", "UPDATE clerk.organizations SET tomb_at = 50 WHERE id = 'org_globex'")
	if got := walkMemberships(t, s.Viewer("user_ada"), models.Page{Limit: 9}); got != "again:org:member@20 bare:org:member@40" {
		t.Errorf("afterwards: %s", got)
	}
}

func walkMemberships(t *testing.T, viewer store.Viewer, page models.Page) string {
	t.Helper()
	var walked []string
	for range 100 {
		slice, err := viewer.Memberships(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		var part []string
		for _, m := range slice.Items {
			at := m.JoinedAt.UnixMilli()
			part = append(part, strings.TrimPrefix(m.Organization.ID, "org_")+":"+m.Role+"@"+string(rune('0'+at/10))+string(rune('0'+at%10)))
		}
		if page.Backwards {
			walked = append(part, walked...)
		} else {
			walked = append(walked, part...)
		}
		if page.Backwards && !slice.HasPrevious || !page.Backwards && !slice.HasNext {
			return strings.Join(walked, " ")
		}
		first, last := slice.Items[0].Position(), slice.Items[len(slice.Items)-1].Position()
		if page.Backwards {
			page.Before = &first
		} else {
			page.After = &last
		}
	}
	t.Fatal("the walk does not end")
	return ""
}

func TestNobodysMembershipsRunNoSQL(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	for _, id := range []string{"", " ", "user_ada'; SELECT 1; --", "user_\x00", strings.Repeat("u", 129)} {
		ctx, count := store.WithStatementCount(t.Context())
		_, err1 := s.Viewer(id).Memberships(ctx, models.Page{Limit: 1})
		_, err2 := s.Viewer(id).CountMemberships(ctx)
		if !errors.Is(err1, models.ErrNoViewer) || !errors.Is(err2, models.ErrNoViewer) || count() != 0 {
			t.Errorf("viewer %q: %v, %v, %d statements", id, err1, err2, count())
		}
	}
}

// Past the handle, as a request: the function answers for the user that the setting names and for nobody else, and is the
// only thing of the copy of Clerk that can be reached.
func TestViewerFunctionIsBounded(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	asOwner(t, dbtest.OwnerURL(config), copyOfClerk)
	seen := func(db *gorm.DB) (n int64) {
		if err := db.Raw("SELECT count(*) FROM tenantry.viewer_memberships()").Scan(&n).Error; err != nil {
			t.Error(err)
		}
		return n
	}
	runs := []func(context.Context, string, func(*gorm.DB) error) error{s.Raw, s.RawOne}
	for _, organizationID := range []string{"", acme, globex} {
		for _, run := range runs {
			err := run(t.Context(), organizationID, func(db *gorm.DB) error {
				if n := seen(db); n != 0 {
					t.Errorf("as %q without a viewer: %d memberships", organizationID, n)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
	err := s.Raw(t.Context(), globex, func(db *gorm.DB) error {
		if err := db.Exec("SET LOCAL tenantry.viewer = 'user_gus'").Error; err != nil {
			return err
		}
		if n := seen(db); n != 1 {
			t.Errorf("Gus has %d memberships", n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	// The setting ends with its transaction, whichever connection comes next.
	for range 20 {
		if _, err := s.Viewer("user_ada").CountMemberships(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.RawOne(t.Context(), acme, func(db *gorm.DB) error {
			if n := seen(db); n != 0 {
				t.Errorf("the next one sees %d memberships of Ada's", n)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, statement := range []string{
		"SELECT * FROM clerk.memberships", "SELECT * FROM clerk.organizations", "SELECT * FROM clerk.roles", "SELECT * FROM tenantry.viewer_memberships('user_ada')",
		"ALTER FUNCTION tenantry.viewer_memberships() RENAME TO mine", "CREATE FUNCTION tenantry.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
		"CREATE OR REPLACE FUNCTION tenantry.viewer_memberships() RETURNS TABLE (organization_id text, name text, slug text, image_url text, role text, joined_at timestamptz) LANGUAGE sql AS 'SELECT NULL, NULL, NULL, NULL, NULL, now()'",
	} {
		err := s.Raw(t.Context(), acme, func(db *gorm.DB) error {
			return errors.Join(db.Exec("SET LOCAL tenantry.viewer = 'user_ada'").Error, db.Exec(statement).Error)
		})
		if err == nil {
			t.Errorf("a request may %s", statement)
		}
	}
	// Nor does a table of the session's own stand in for Clerk's.
	err = s.Raw(t.Context(), "", func(db *gorm.DB) error {
		return errors.Join(db.Exec("SET LOCAL search_path = public, tenantry").Error, db.Exec("SET LOCAL tenantry.viewer = 'user_stranger'").Error,
			func() error {
				if n := seen(db); n != 0 {
					t.Errorf("with a path of its own: %d", n)
				}
				return nil
			}())
	})
	if err != nil {
		t.Error(err)
	}
}

// The instance's roles are everybody's: the newest living one of each key, without an organization's rows.
func TestRoles(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	asOwner(t, dbtest.OwnerURL(config), `INSERT INTO clerk.roles (id, key, name, permissions, created_at, updated_at, tomb_at) VALUES
		('role_1', 'org:member', 'Old', '{org:a:old}', 10, 10, 0), ('role_2', 'org:member', 'Member', '{org:a:read,org:sys_memberships:read}', 20, 20, 0),
		('role_3', 'org:admin', 'Admin', '{}', 10, 10, 0), ('role_4', 'org:gone', 'Gone', '{org:a:read}', 10, 10, 15), ('role_5', '', '', '{}', 0, 0, 0)`)
	got, err := s.Roles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []models.OrganizationRole{
		{Key: "org:admin", Name: "Admin", Permissions: []string{}},
		{Key: "org:member", Name: "Member", Permissions: []string{"org:a:read", "org:sys_memberships:read"}},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
