package dbtest

import (
	"testing"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// World is where factories make things.
type World struct {
	Store *store.Store
	// OwnerURL is the owner's direct connection, for what requests cannot write.
	OwnerURL string
}

// Factory makes one more object of a type in an organization, with mark in every text that people write into it, and
// returns its global id. mark has no spaces; it is unlike every other mark that the same world was given.
type Factory func(t testing.TB, w World, organizationID, mark string) string

// Factories has one for each type that implements Node. Whatever is tested for every type, the isolation of
// organizations above all, makes its objects here.
var Factories = map[string]Factory{
	"Document": func(t testing.TB, w World, organizationID, mark string) string {
		return Document(t, w.Store.Org(organizationID), models.Document{
			Title: mark + " title", Content: mark + " content", AuthorID: "user_" + mark,
		}).GlobalID()
	},
	"Invitation": func(t testing.TB, w World, organizationID, mark string) string {
		email := mark + "@invited.example"
		return Invitation(t, w.OwnerURL, models.Invitation{OrganizationID: organizationID, ID: "orginv_" + mark, Email: &email}).ID
	},
	"Member": func(t testing.TB, w World, organizationID, mark string) string {
		name, email, image := mark+" Name", mark+"@member.example", "https://images.example/"+mark
		member := Member(t, w.OwnerURL, models.Member{OrganizationID: organizationID, UserID: "user_" + mark, Name: &name, Email: &email, ImageURL: &image})
		return member.GlobalID()
	},
	"Organization": func(t testing.TB, w World, organizationID, mark string) string {
		slug, image := mark, "https://images.example/"+mark
		return Organization(t, w.OwnerURL, models.Organization{
			OrganizationID: organizationID, Name: mark + " organization", Slug: &slug, ImageURL: &image,
		}).OrganizationID
	},
}
