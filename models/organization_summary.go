package models

// OrganizationSummary is what is shown of an organization that need not be the active one.
type OrganizationSummary struct {
	ID, Name string
	// Slug is nil where Clerk's organization slugs are switched off; ImageURL where there is no logo.
	Slug, ImageURL *string
}
