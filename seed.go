package main

import (
	"context"
	"fmt"

	"github.com/tenantry/tenantry/internal/local/clerk"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// seedDocuments writes the documents of the seeded organizations, enough in Acme for a second page. It writes none where
// the organization has some beside its welcome, which no user wrote.
func seedDocuments(ctx context.Context, db *store.Store) error {
	for _, seed := range []struct {
		organizationID, authorID string
		titles                   []string
	}{
		{clerk.SeededAcme, clerk.SeededAda, numbered("Acme field notes", 30)},
		{clerk.SeededGlobex, clerk.SeededGus, numbered("Globex memo", 3)},
	} {
		org := db.Org(seed.organizationID)
		present, err := org.Documents(ctx, models.Page{Limit: 1})
		if err != nil {
			return err
		}
		if len(present.Items) > 0 && present.Items[0].AuthorID != "" {
			continue
		}
		for _, title := range seed.titles {
			content := "What " + title + " says."
			if _, err := org.CreateDocument(ctx, models.Actor{UserID: seed.authorID}, store.DocumentInput{Title: &title, Content: &content}); err != nil {
				return err
			}
		}
	}
	return nil
}

func numbered(title string, n int) []string {
	titles := make([]string, n)
	for i := range titles {
		titles[i] = fmt.Sprintf("%s %d", title, i+1)
	}
	return titles
}
