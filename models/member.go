package models

import (
	"time"

	"github.com/google/uuid"
)

// Member is a user's membership of an organization, now or in the past: one per organization and user.
type Member struct {
	OrganizationID string `gorm:"primaryKey"`
	UserID         string `gorm:"primaryKey"`
	// ID is derived from organization and user, so that it is the same after the copy of Clerk was built anew.
	ID       uuid.UUID `gorm:"type:uuid"`
	Role     string
	Name     *string
	Email    *string
	ImageURL *string
	JoinedAt time.Time
	// LeftAt is nil while the user is a member.
	LeftAt      *time.Time
	Provisional bool
	// Banned, Deprovisioned and Locked are what Clerk says of the user; false once the user is no member any more.
	Banned, Deprovisioned, Locked bool
	// NameKey, LastNameKey and EmailKey are what searches and orders compare. The database computes them.
	NameKey               string  `gorm:"->"`
	LastNameKey, EmailKey *string `gorm:"->"`
}

// GlobalID is the id under which clients know the member.
func (m *Member) GlobalID() string { return GlobalID(KindMember, m.ID) }

// Position is where the member stands in the list by joining.
func (m *Member) Position() Position { return Position{At: m.JoinedAt, ID: m.ID} }
