package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
)

// Members that are read together have every field of one that is read alone, but those that lists are ordered by; and only
// their own organization has them.
func TestMembersReadTogether(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	name, email, image, left := "Ada Lovelace", "ada@acme.example", "https://img.example/ada", time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	ada := dbtest.Member(t, dbtest.OwnerURL(config), models.Member{
		OrganizationID: acme, UserID: "user_ada", Role: "org:admin", Name: &name, Email: &email, ImageURL: &image,
		JoinedAt: left.AddDate(-1, 0, 0), LeftAt: &left, Provisional: true, Banned: true, Deprovisioned: true, Locked: true,
	})
	alone, err := s.Org(acme).Member(t.Context(), ada.ID)
	if err != nil {
		t.Fatal(err)
	}
	together, err := s.Org(acme).MembersByUser(t.Context(), []string{"user_ada"})
	if err != nil || len(together) != 1 {
		t.Fatal(together, err)
	}
	keys := cmpopts.IgnoreFields(models.Member{}, "NameKey", "LastNameKey", "EmailKey")
	if diff := cmp.Diff(*alone, together[0], keys); diff != "" {
		t.Errorf("alone and together (-alone +together):\n%s", diff)
	}
	if byID, err := s.Org(acme).MembersByID(t.Context(), []uuid.UUID{ada.ID}); err != nil || len(byID) != 1 || !cmp.Equal(*alone, byID[0], keys) {
		t.Errorf("by id: %v %v", byID, err)
	}
	if foreign, err := s.Org(globex).MembersByUser(t.Context(), []string{"user_ada"}); err != nil || len(foreign) > 0 {
		t.Errorf("another organization: %v %v", foreign, err)
	}
}
