package models

import "time"

// Invitation is somebody's invitation into an organization, known by Clerk's id.
type Invitation struct {
	ID    string
	Email string
	// Role is what the person will be.
	Role string
	// Status is Clerk's: pending, accepted, revoked or expired.
	Status    string
	CreatedAt time.Time
	// ExpiresAt is nil where it does not expire.
	ExpiresAt *time.Time
}
