package main

import (
	"context"
	"unicode/utf8"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// welcome gives a new organization its first document. It runs once for each organization, when it first appears, as
// docs/welcome.md says; make it what your product needs.
func welcome(ctx context.Context, org store.Org, organization models.Organization) error {
	title := "Welcome to " + organization.Name
	if utf8.RuneCountInString(title) > models.MaxDocumentTitle {
		title = "Welcome"
	}
	content := "This document belongs to " + organization.Name + ". Its members can read it, and nobody else."
	_, err := org.CreateDocument(ctx, models.Actor{}, store.DocumentInput{Title: &title, Content: &content})
	return err
}
