package models

import "time"

// Organization is a customer of the product: a Clerk organization, known by Clerk's id.
type Organization struct {
	OrganizationID string `gorm:"primaryKey"`
	Name           string
	Slug           *string
	ImageURL       *string
	CreatedAt      time.Time `gorm:"autoCreateTime:false"`
	// DeletedAt is nil while the organization lives in Clerk. It is not gorm's soft deletion: no query changes because of it.
	DeletedAt *time.Time
}

// GlobalID is the id under which clients know the organization: Clerk's.
func (o *Organization) GlobalID() string { return o.OrganizationID }
