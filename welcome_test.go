package main

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
)

// TestWelcomeThroughTheDoors: a new organization has its document when createOrganization answers, and keeps one after the
// webhook and a restart; every other organization has its own.
func TestWelcomeThroughTheDoors(t *testing.T) {
	t.Parallel()
	dir := dbtest.Dir(t)
	p := start(t, dir)
	const query = `{ organization { documents { totalCount nodes { title version author { name } } } auditLog { nodes { action actor { name } } } } }`
	p.ask(p.token("nora", ""), `mutation { createOrganization(input: {name: "Norakraft"}) { organization { id } } }`, nil)
	seen := func(when string) {
		t.Helper()
		got := p.ask(p.token("nora", "norakraft"), query, nil)
		if got.Code() != "" || got.At("organization", "documents", "totalCount") != 1.0 || got.At("organization", "documents", "nodes", 0, "title") != "Welcome to Norakraft" ||
			got.At("organization", "documents", "nodes", 0, "author") != nil || strings.Count(got.Body, `{"action":"document.create","actor":null}`) != 1 || got.At("organization", "auditLog", "nodes", 2) != nil {
			t.Errorf("%s: %s", when, got)
		}
	}
	seen("at once")
	if got := p.ask(p.token("gus", "globex"), query, nil); got.At("organization", "documents", "totalCount") != 4.0 || strings.Contains(got.Body, "Norakraft") || !strings.Contains(got.Body, "Welcome to Globex") {
		t.Errorf("another organization: %s", got)
	}
	p.stop(syscall.SIGTERM)
	p = start(t, dir)
	seen("after a restart")
	var welcomes int
	if err := p.owner().QueryRow(t.Context(), "SELECT count(*) FROM documents WHERE author_id = ''").Scan(&welcomes); err != nil || welcomes != 3 {
		t.Errorf("%d welcomes for three organizations, %v", welcomes, err)
	}
}

// Clerk's names can be longer than a title.
func TestWelcomeFitsAnyName(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	for _, name := range []string{"Acme", strings.Repeat("ä", 189), strings.Repeat("ä", 190), strings.Repeat("☂", 5000)} {
		org := s.Org("org_acme")
		if err := welcome(context.Background(), org, models.Organization{OrganizationID: "org_acme", Name: name}); err != nil {
			t.Errorf("a name of %d characters: %v", utf8.RuneCountInString(name), err)
		}
	}
	if n, err := s.Org("org_acme").CountDocuments(t.Context()); n != 4 || err != nil {
		t.Errorf("%d documents, %v", n, err)
	}
}
