package models

import "time"

// OrganizationMembership is how a user belongs to one of their organizations, which need not be the active one.
type OrganizationMembership struct {
	Role         string
	JoinedAt     time.Time
	Organization OrganizationSummary
}

// Position is where the membership stands among the user's.
func (m *OrganizationMembership) Position() Position {
	return Position{At: m.JoinedAt, Key: m.Organization.ID}
}
