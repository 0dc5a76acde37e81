package graph

import (
	"testing"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
)

// Loaders that were handed on from another organization's request know nobody: the same user is another member there.
func TestLoadersOfAnotherOrganization(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	for _, organizationID := range []string{"org_acme", "org_globex"} {
		name := "Ada of " + organizationID
		dbtest.Member(t, dbtest.OwnerURL(config), models.Member{OrganizationID: organizationID, UserID: "user_ada", Name: &name})
	}
	as := &auth.Viewer{UserID: "user_gus", Organization: &auth.ActiveOrganization{ID: "org_globex"}}
	theirs := WithLoaders(auth.NewContext(t.Context(), as), s)
	expectMember(theirs, "org_acme", "user_ada")
	if member, err := loadMember(theirs, "org_globex", "user_ada"); err != nil || member == nil || *member.Name != "Ada of org_globex" {
		t.Errorf("in their own organization: %+v, %v", member, err)
	}
	if member, err := loadMember(theirs, "org_acme", "user_ada"); err != nil || member != nil {
		t.Errorf("in another organization: %+v, %v", member, err)
	}
}
