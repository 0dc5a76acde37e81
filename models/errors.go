package models

import (
	"errors"
	"fmt"
	"strings"
)

// What can go wrong with a noun, whatever room notices it. Each is translated to a code for clients in one place, graph.
var (
	// ErrNotFound says that the organization has no such object. Another organization's object is not found, too.
	ErrNotFound = errors.New("not found")
	// ErrNoOrganization says that something was asked of an organization and none was named.
	ErrNoOrganization = errors.New("no organization")
	// ErrNoViewer says that something was asked for a user and none was named.
	ErrNoViewer = errors.New("no viewer")
	// ErrUnavailable says that the database could not be asked; the same call may work later.
	ErrUnavailable = errors.New("unavailable")
	// ErrResponseTooLarge says that one request has read more from the database, or more often, than it may.
	ErrResponseTooLarge = errors.New("response too large")
)

// ConflictError says that the object was changed since the caller read it.
type ConflictError struct {
	// CurrentVersion is the version the object has now.
	CurrentVersion int
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("conflict: the current version is %d", e.CurrentVersion)
}

// FieldError says what is wrong with one input field.
type FieldError struct {
	// Path is the field's name in the input, with dots for nested ones.
	Path string `json:"path"`
	// Message is for the person who filled the field in.
	Message string `json:"message"`
}

// InvalidError says which input fields cannot be taken, all of them at once.
type InvalidError struct {
	Fields []FieldError
}

func (e *InvalidError) Error() string {
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Path + " " + f.Message
	}
	return "invalid: " + strings.Join(parts, "; ")
}

// Invalid returns an InvalidError for one field.
func Invalid(path, message string) error {
	return &InvalidError{Fields: []FieldError{{Path: path, Message: message}}}
}
