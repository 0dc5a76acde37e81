package models

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// The limits of a document, in characters. The table checks the same.
const (
	MaxDocumentTitle   = 200
	MaxDocumentContent = 32_768
)

// Document is a text that belongs to one organization.
type Document struct {
	OrganizationID string    `gorm:"primaryKey"`
	ID             uuid.UUID `gorm:"primaryKey;type:uuid"`
	Title          string
	Content        string
	// AuthorID is the user who wrote it, a member of the organization at that time; "" where no user did.
	AuthorID string
	// ImpersonatorID is the user who really wrote it, where somebody acted in the author's name.
	ImpersonatorID *string
	Version        int
	CreatedAt      time.Time `gorm:"autoCreateTime:false"`
	UpdatedAt      time.Time `gorm:"autoUpdateTime:false"`
}

// GlobalID is the id under which clients know the document.
func (d *Document) GlobalID() string { return GlobalID(KindDocument, d.ID) }

// Position is where the document stands in lists.
func (d *Document) Position() Position { return Position{At: d.CreatedAt, ID: d.ID} }

// Audited is what the audit log keeps: of the content only a digest, so that a deleted document is gone.
func (d *Document) Audited() []AuditField {
	return []AuditField{{"title", d.Title}, {"content", Digest(d.Content)}}
}

// Validate returns an InvalidError that names every field that cannot be stored.
func (d *Document) Validate() error {
	var fields []FieldError
	if message := checkText(d.Title, MaxDocumentTitle); message != "" {
		fields = append(fields, FieldError{Path: "title", Message: message})
	} else if strings.TrimSpace(d.Title) == "" {
		fields = append(fields, FieldError{Path: "title", Message: "must not be empty"})
	}
	if message := checkText(d.Content, MaxDocumentContent); message != "" {
		fields = append(fields, FieldError{Path: "content", Message: message})
	}
	if fields != nil {
		return &InvalidError{Fields: fields}
	}
	return nil
}
