package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

func TestDocumentIsWhatIsStored(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	title, content := "Tïtle 🎉", strings.Repeat("ü", models.MaxDocumentContent)
	created, err := s.Org(acme).CreateDocument(t.Context(), models.Actor{UserID: "user_ada"}, store.DocumentInput{Title: &title, Content: &content})
	if err != nil {
		t.Fatal(err)
	}
	read, err := s.Org(acme).Document(t.Context(), created.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(created, read, cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Error(diff)
	}
	if created.Version != 1 || created.Title != title || created.Content != content || created.AuthorID != "user_ada" {
		t.Errorf("created %v", created)
	}
}

func TestUpdateDocument(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	org := s.Org(acme)
	document := dbtest.Document(t, org, models.Document{Title: "One", Content: "kept"})
	two, empty := "Two", ""

	updated, err := org.UpdateDocument(t.Context(), ada, document.ID, 1, store.DocumentInput{Title: &two})
	if err != nil || updated.Title != "Two" || updated.Content != "kept" || updated.Version != 2 || !updated.UpdatedAt.After(document.UpdatedAt) {
		t.Fatalf("%v %v", updated, err)
	}
	var conflict *models.ConflictError
	if _, err := org.UpdateDocument(t.Context(), ada, document.ID, 1, store.DocumentInput{Title: &two}); !errors.As(err, &conflict) || conflict.CurrentVersion != 2 {
		t.Errorf("a stale version: %v", err)
	}
	var invalid *models.InvalidError
	if _, err := org.UpdateDocument(t.Context(), ada, document.ID, 2, store.DocumentInput{Title: &empty}); !errors.As(err, &invalid) {
		t.Errorf("an empty title: %v", err)
	}
	if cleared, err := org.UpdateDocument(t.Context(), ada, document.ID, 2, store.DocumentInput{Content: &empty}); err != nil || cleared.Content != "" || cleared.Title != "Two" {
		t.Errorf("clear the content: %v %v", cleared, err)
	}
	stored, err := org.Document(t.Context(), document.ID)
	if err != nil || stored.Version != 3 || stored.Content != "" {
		t.Errorf("stored: %v %v", stored, err)
	}
	if _, err := org.UpdateDocument(t.Context(), ada, uuid.New(), 1, store.DocumentInput{}); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
}

// An update that changes nothing keeps version and time, and is in the audit log without changes.
func TestUpdateDocumentWithoutAChange(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	org := s.Org(acme)
	document := dbtest.Document(t, org, models.Document{Title: "One", Content: "kept"})
	stored, err := org.Document(t.Context(), document.ID)
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]store.DocumentInput{
		"the same values": {Title: &document.Title, Content: &document.Content}, "one of them": {Title: &document.Title}, "none": {},
	} {
		got, err := org.UpdateDocument(t.Context(), ada, document.ID, 1, in)
		if diff := cmp.Diff(stored, got); err != nil || diff != "" {
			t.Errorf("%s: answered: %v %s", name, err, diff)
		}
		got, err = org.Document(t.Context(), document.ID)
		if diff := cmp.Diff(stored, got); err != nil || diff != "" {
			t.Errorf("%s: stored: %v %s", name, err, diff)
		}
		entries := auditLog(t, org, models.AuditFilter{Action: pointer("document.update")})
		if e := entries[0]; e.Outcome != models.OutcomeApplied || len(e.Changes) != 0 {
			t.Errorf("%s: recorded as %s with %v", name, e.Outcome, e.Changes)
		}
	}
	if entries := auditLog(t, org, models.AuditFilter{Action: pointer("document.update")}); len(entries) != 3 {
		t.Errorf("%d entries of 3 updates", len(entries))
	}
	var conflict *models.ConflictError
	if _, err := org.UpdateDocument(t.Context(), ada, document.ID, 2, store.DocumentInput{}); !errors.As(err, &conflict) {
		t.Errorf("another version: %v", err)
	}
}

// Of many who change the same version at once, one wins and all others hear of it.
func TestUpdateDocumentOnce(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	org := s.Org(acme)
	document := dbtest.Document(t, org, models.Document{})
	var won, lost atomic.Int64
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			title := fmt.Sprint("writer ", i)
			_, err := org.UpdateDocument(t.Context(), ada, document.ID, 1, store.DocumentInput{Title: &title})
			var conflict *models.ConflictError
			switch {
			case err == nil:
				won.Add(1)
			case errors.As(err, &conflict) && conflict.CurrentVersion == 2:
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	writers.Wait()
	if won.Load() != 1 || lost.Load() != 7 {
		t.Errorf("%d won, %d lost", won.Load(), lost.Load())
	}
}

// Pages of any size, in both directions, are the list, also where many items share a time.
func TestDocumentPages(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	clock := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var made int
	config.Now = func() time.Time { made++; return clock.Add(time.Duration(made/12) * time.Microsecond) }
	s := dbtest.OpenWith(t, config)
	org := s.Org(acme)
	for range 20 {
		dbtest.Document(t, org, models.Document{})
		dbtest.Document(t, s.Org(globex), models.Document{})
	}
	all, err := org.Documents(t.Context(), models.Page{Limit: 100})
	if err != nil || len(all.Items) != 20 || all.HasNext || all.HasPrevious {
		t.Fatalf("%d documents, %v %v %v", len(all.Items), all.HasNext, all.HasPrevious, err)
	}
	for limit := 1; limit <= 21; limit++ {
		for _, backwards := range []bool{false, true} {
			var walked []models.Document
			page := models.Page{Limit: limit, Backwards: backwards}
			for {
				slice, err := org.Documents(t.Context(), page)
				if err != nil {
					t.Fatal(err)
				}
				if backwards {
					walked = append(append([]models.Document{}, slice.Items...), walked...)
				} else {
					walked = append(walked, slice.Items...)
				}
				if backwards && !slice.HasPrevious || !backwards && !slice.HasNext {
					break
				}
				first, last := slice.Items[0].Position(), slice.Items[len(slice.Items)-1].Position()
				if backwards {
					page.Before = &first
				} else {
					page.After = &last
				}
			}
			if diff := cmp.Diff(all.Items, walked); diff != "" {
				t.Fatalf("pages of %d, backwards %v:\n%s", limit, backwards, diff)
			}
		}
	}
}

func TestCreateDocumentRefuses(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	for name, test := range map[string]struct {
		title, content string
		fields         []string
	}{
		"empty":         {"", "", []string{"title"}},
		"blank":         {" \n\t", "", []string{"title"}},
		"long":          {strings.Repeat("x", 201), strings.Repeat("x", 32_769), []string{"title", "content"}},
		"NUL":           {"a\x00", "b\x00", []string{"title", "content"}},
		"broken UTF-8":  {"a\xff", "b\xc3", []string{"title", "content"}},
		"the very edge": {strings.Repeat("é", 200), strings.Repeat("é", 32_768), nil},
	} {
		_, err := s.Org(acme).CreateDocument(t.Context(), models.Actor{UserID: "user_ada"}, store.DocumentInput{Title: &test.title, Content: &test.content})
		var invalid *models.InvalidError
		var fields []string
		if errors.As(err, &invalid) {
			for _, field := range invalid.Fields {
				fields = append(fields, field.Path)
			}
		}
		if diff := cmp.Diff(test.fields, fields); diff != "" || err != nil && invalid == nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	if count, err := s.Org(acme).CountDocuments(t.Context()); count != 1 || err != nil {
		t.Errorf("%d documents are stored, %v", count, err)
	}
}
