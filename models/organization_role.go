package models

// OrganizationRole is a role of the Clerk instance, which all its organizations share.
type OrganizationRole struct {
	// Key and Permissions carry Clerk's prefix "org:".
	Key, Name   string
	Permissions []string
}
