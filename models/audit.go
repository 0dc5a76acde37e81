package models

import (
	"crypto/sha256"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// AuditOutcome says what became of a mutation.
type AuditOutcome string

// The outcomes. Unknown is one of which nobody could find out whether it was done.
const (
	OutcomeApplied AuditOutcome = "applied"
	OutcomeRefused AuditOutcome = "refused"
	OutcomeUnknown AuditOutcome = "unknown"
)

// AuditEntry is one mutation as the audit log of its organization keeps it, for good. It names people by id only.
type AuditEntry struct {
	OrganizationID string    `gorm:"primaryKey"`
	At             time.Time `gorm:"primaryKey"`
	ID             uuid.UUID `gorm:"primaryKey;type:uuid"`
	// Action is a noun, a dot and a verb: document.create.
	Action  string
	Outcome AuditOutcome
	// ActorID is the user in whose name it was done, nil where no user did it.
	ActorID        *string
	ImpersonatorID *string
	// ImpersonatorType says who the impersonator is. Nil where there is none, and in entries from
	// before it was recorded.
	ImpersonatorType *ImpersonatorType
	// TargetType is the GraphQL type of what was changed, TargetID its id for clients.
	TargetType string
	TargetID   string
	// Changes is empty unless the mutation was applied.
	Changes []AuditChange `gorm:"serializer:json"`
	// Items says what became of each part of a bulk mutation.
	Items     []AuditItem `gorm:"serializer:json"`
	RequestID *string
}

// GlobalID is the id under which clients know the entry.
func (e *AuditEntry) GlobalID() string { return GlobalID(KindAuditEntry, e.ID) }

// Position is where the entry stands in lists.
func (e *AuditEntry) Position() Position { return Position{At: e.At, ID: e.ID} }

// AuditChange is a changed field. Nil is a field of something that was not there before or is not there after.
type AuditChange struct {
	Field  string  `json:"field"`
	Before *string `json:"before"`
	After  *string `json:"after"`
}

// AuditItem is what became of one part of a bulk mutation.
type AuditItem struct {
	// TargetID is what it was done to, nil where there is nothing.
	TargetID *string      `json:"targetId"`
	Outcome  AuditOutcome `json:"outcome"`
	// Code is the error code that clients got, nil where it was applied.
	Code *string `json:"code"`
}

// AuditFilter says which entries are wanted. ActorID is a user's id. A nil field asks for nothing.
type AuditFilter struct {
	Action, ActorID, TargetID *string
	// Since is the first moment, Until the first one after.
	Since, Until *time.Time
}

// maxAuditFilter is more characters than any action or id has.
const maxAuditFilter = 512

// Check returns an *InvalidError that names every text which no entry can have, or nil.
func (f AuditFilter) Check() error {
	var fields []FieldError
	for _, text := range []struct {
		path  string
		given *string
	}{{"action", f.Action}, {"actor", f.ActorID}, {"targetId", f.TargetID}} {
		if text.given == nil {
			continue
		}
		if message := checkText(*text.given, maxAuditFilter); message != "" {
			fields = append(fields, FieldError{Path: text.path, Message: message})
		}
	}
	if fields != nil {
		return &InvalidError{Fields: fields}
	}
	return nil
}

// AuditField is a field of a noun with its value, as far as the audit log may have it: no secrets, and no names or
// addresses of people, as an entry outlives both.
type AuditField struct {
	Name  string
	Value string
}

// Audited is a noun whose changes are recorded: the fields that clients can change, always the same ones in the same
// order.
type Audited interface {
	Audited() []AuditField
}

// Created returns the changes of a new object.
func Created(after Audited) []AuditChange { return differences(nil, after.Audited()) }

// Changed returns the changes between an object before and after.
func Changed(before, after Audited) []AuditChange {
	return differences(before.Audited(), after.Audited())
}

// Deleted returns the changes of an object that is gone.
func Deleted(before Audited) []AuditChange { return differences(before.Audited(), nil) }

// differences leaves out what is the same on both sides. Nil is the side of an object that is not there.
func differences(before, after []AuditField) []AuditChange {
	changes := []AuditChange{}
	for i := range max(len(before), len(after)) {
		var change AuditChange
		if before != nil {
			change.Field, change.Before = before[i].Name, &before[i].Value
		}
		if after != nil {
			change.Field, change.After = after[i].Name, &after[i].Value
		}
		if change.Before == nil || change.After == nil || *change.Before != *change.After {
			changes = append(changes, change)
		}
	}
	return changes
}

// MaxAuditValue is how many characters of a value are recorded; of a longer one only its digest is.
const MaxAuditValue = 200

// Bounded returns the change with a digest in the place of each value that is too long to be recorded.
func (c AuditChange) Bounded() AuditChange {
	for _, value := range []**string{&c.Before, &c.After} {
		if *value != nil && utf8.RuneCountInString(**value) > MaxAuditValue {
			digest := Digest(**value)
			*value = &digest
		}
	}
	return c
}

// Digest stands for a text that is not to be kept: two digests are equal where the texts are.
func Digest(text string) string {
	return fmt.Sprintf("%d characters, sha256 %x", utf8.RuneCountInString(text), sha256.Sum256([]byte(text)))
}
