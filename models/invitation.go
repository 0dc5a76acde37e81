package models

import "time"

// Invitation is somebody's invitation into an organization, known by Clerk's id.
type Invitation struct {
	OrganizationID string `gorm:"primaryKey"`
	ID             string `gorm:"primaryKey"`
	// Email is nil once the person behind it was deleted.
	Email *string
	// Role is what the person will be.
	Role string
	// Status is Clerk's: pending, accepted, revoked or expired. See StatusAt.
	Status    string
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
	// ExpiresAt is nil where it does not expire.
	ExpiresAt *time.Time
}

// The statuses of an invitation.
const (
	InvitationPending  = "pending"
	InvitationAccepted = "accepted"
	InvitationRevoked  = "revoked"
	InvitationExpired  = "expired"
)

// StatusAt is the status at a time: no event says that an invitation expired, so a pending one past ExpiresAt has.
func (i *Invitation) StatusAt(at time.Time) string {
	if i.Status == InvitationPending && i.ExpiresAt != nil && !i.ExpiresAt.After(at) {
		return InvitationExpired
	}
	return i.Status
}

// GlobalID is the id under which clients know the invitation: Clerk's.
func (i *Invitation) GlobalID() string { return i.ID }

// Position is where the invitation stands in lists.
func (i *Invitation) Position() Position { return Position{At: i.CreatedAt, Key: i.ID} }
