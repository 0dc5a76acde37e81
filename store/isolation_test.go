package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

const acme, globex, invitationID = "org_acme", "org_globex", "orginv_1"

var ada = models.Actor{UserID: "user_ada"}

// calls are every method of a handle, asked for what Acme has.
func calls(document *models.Document, member models.Member) map[string]func(ctx context.Context, org store.Org) (found int, err error) {
	page := models.Page{Limit: 100}
	text, created := "changed", "document.create"
	one := func(found bool, err error) (int, error) {
		if err != nil || !found {
			return 0, err
		}
		return 1, nil
	}
	return map[string]func(ctx context.Context, org store.Org) (int, error){
		"Organization": func(ctx context.Context, org store.Org) (int, error) {
			o, err := org.Organization(ctx)
			return one(o != nil && o.OrganizationID == acme, err)
		},
		"Document": func(ctx context.Context, org store.Org) (int, error) {
			d, err := org.Document(ctx, document.ID)
			return one(d != nil, err)
		},
		"DocumentsByID": func(ctx context.Context, org store.Org) (int, error) {
			d, err := org.DocumentsByID(ctx, []uuid.UUID{document.ID})
			return len(d), err
		},
		"Documents": func(ctx context.Context, org store.Org) (int, error) {
			d, err := org.Documents(ctx, page)
			return len(d.Items), err
		},
		"CountDocuments": func(ctx context.Context, org store.Org) (int, error) {
			n, err := org.CountDocuments(ctx)
			return int(n), err
		},
		"UpdateDocument": func(ctx context.Context, org store.Org) (int, error) {
			d, err := org.UpdateDocument(ctx, ada, document.ID, 1, store.DocumentInput{Content: &text})
			return one(d != nil, err)
		},
		"DeleteDocument": func(ctx context.Context, org store.Org) (int, error) {
			return one(true, org.DeleteDocument(ctx, ada, document.ID))
		},
		"RecordRefused": func(ctx context.Context, org store.Org) (int, error) {
			return 0, org.RecordRefused(ctx, store.AuditEntry{Actor: ada, Action: "document.delete", TargetType: "Document", TargetID: "x"})
		},
		"AuditLog": func(ctx context.Context, org store.Org) (int, error) {
			slice, err := org.AuditLog(ctx, models.AuditFilter{Action: &created}, page)
			return len(slice.Items), err
		},
		"CountAuditEntries": func(ctx context.Context, org store.Org) (int, error) {
			n, err := org.CountAuditEntries(ctx, models.AuditFilter{Action: &created})
			return int(n), err
		},
		"Member": func(ctx context.Context, org store.Org) (int, error) {
			m, err := org.Member(ctx, member.ID)
			return one(m != nil, err)
		},
		"MemberByUser": func(ctx context.Context, org store.Org) (int, error) {
			m, err := org.MemberByUser(ctx, member.UserID)
			return one(m != nil, err)
		},
		"MembersByID": func(ctx context.Context, org store.Org) (int, error) {
			m, err := org.MembersByID(ctx, []uuid.UUID{member.ID})
			return len(m), err
		},
		"MembersByUser": func(ctx context.Context, org store.Org) (int, error) {
			m, err := org.MembersByUser(ctx, []string{member.UserID})
			return len(m), err
		},
		"Members": func(ctx context.Context, org store.Org) (int, error) {
			m, err := org.Members(ctx, store.MemberFilter{}, page)
			return len(m.Items), err
		},
		"Members by name, of a role, former ones, too": func(ctx context.Context, org store.Org) (int, error) {
			m, err := org.Members(ctx, store.MemberFilter{ByName: true, Role: "org:member", Former: true}, page)
			return len(m.Items), err
		},
		"Members found": func(ctx context.Context, org store.Org) (int, error) {
			m, err := org.Members(ctx, store.MemberFilter{Search: "name of a"}, page)
			return len(m.Items), err
		},
		"CountMembers found": func(ctx context.Context, org store.Org) (int, error) {
			n, err := org.CountMembers(ctx, store.MemberFilter{Search: "name of a"})
			return int(n), err
		},
		"InvitationsByID": func(ctx context.Context, org store.Org) (int, error) {
			i, err := org.InvitationsByID(ctx, []string{invitationID})
			return len(i), err
		},
		"Invitations": func(ctx context.Context, org store.Org) (int, error) {
			i, err := org.Invitations(ctx, models.InvitationExpired, page)
			return len(i.Items), err
		},
		"CountInvitations": func(ctx context.Context, org store.Org) (int, error) {
			n, err := org.CountInvitations(ctx, "")
			return int(n), err
		},
		"CountMembers": func(ctx context.Context, org store.Org) (int, error) {
			n, err := org.CountMembers(ctx, store.MemberFilter{})
			return int(n), err
		},
	}
}

func twoOrganizations(t *testing.T) (*store.Store, *models.Document, models.Member) {
	t.Helper()
	return twoOrganizationsIn(t, dbtest.Config(t))
}

func twoOrganizationsIn(t *testing.T, config store.Config) (*store.Store, *models.Document, models.Member) {
	t.Helper()
	s := dbtest.OpenWith(t, config)
	dbtest.Organization(t, dbtest.OwnerURL(config), models.Organization{OrganizationID: acme})
	member := dbtest.Member(t, dbtest.OwnerURL(config), models.Member{OrganizationID: acme, UserID: "user_ada"})
	dbtest.Invitation(t, dbtest.OwnerURL(config), models.Invitation{OrganizationID: acme, ID: invitationID, ExpiresAt: &time.Time{}})
	return s, dbtest.Document(t, s.Org(acme), models.Document{Title: "Acme's"}), member
}

func TestOtherOrganizationFindsNothing(t *testing.T) {
	t.Parallel()
	s, document, member := twoOrganizations(t)
	for name, call := range calls(document, member) {
		if found, err := call(t.Context(), s.Org(globex)); found != 0 || err != nil && !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%s finds %d in another organization, %v", name, found, err)
		}
	}
	after, err := s.Org(acme).Document(t.Context(), document.ID)
	if err != nil || !cmp.Equal(after, document) {
		t.Errorf("the document afterwards: %v %v, was %v", after, err, document)
	}
	for _, name := range []string{
		"Organization", "Document", "DocumentsByID", "Documents", "CountDocuments", "AuditLog", "CountAuditEntries", "Member", "MemberByUser", "MembersByID", "MembersByUser", "Members", "CountMembers", "Members by name, of a role, former ones, too", "Members found", "CountMembers found",
		"InvitationsByID", "Invitations", "CountInvitations", "UpdateDocument", "DeleteDocument",
	} {
		if found, err := calls(document, member)[name](t.Context(), s.Org(acme)); found != 1 || err != nil {
			t.Errorf("%s finds %d in its own organization, %v", name, found, err)
		}
	}
}

func TestNoOrganizationRunsNoSQL(t *testing.T) {
	t.Parallel()
	s, document, member := twoOrganizations(t)
	for _, id := range []string{"", " ", "org_acme'; SELECT 1; --", "org acme", strings.Repeat("o", 129), "org_\x00"} {
		for name, call := range calls(document, member) {
			ctx, count := store.WithStatementCount(t.Context())
			if found, err := call(ctx, s.Org(id)); found != 0 || !errors.Is(err, models.ErrNoOrganization) || count() != 0 {
				t.Errorf("%s of organization %q: %d, %v, %d statements", name, id, found, err, count())
			}
		}
	}
}

// Row level security holds alone: SQL that forgot the organization reaches no other one's rows. It
// holds as well where every policy was created again as permissive, as sharded PostgreSQL does.
func TestRowLevelSecurityAlone(t *testing.T) {
	t.Parallel()
	t.Run("as migrated", func(t *testing.T) {
		t.Parallel()
		rowLevelSecurityAlone(t, dbtest.Config(t), func(string) {})
	})
	t.Run("all policies permissive", func(t *testing.T) {
		t.Parallel()
		rowLevelSecurityAlone(t, dbtest.Config(t), func(ownerURL string) {
			asOwner(t, ownerURL, "CREATE POLICY empty ON documents") // without an expression it opens nothing
			dbtest.MakePoliciesPermissive(t, ownerURL)
		})
	})
}

func rowLevelSecurityAlone(t *testing.T, config store.Config, change func(ownerURL string)) {
	t.Helper()
	s, document, _ := twoOrganizationsIn(t, config)
	change(dbtest.OwnerURL(config))
	dbtest.Document(t, s.Org(globex), models.Document{Title: "Globex's"})
	for _, organizationID := range []string{globex, ""} {
		want := map[string]int64{globex: 1, "": 0}[organizationID]
		for _, run := range []func(context.Context, string, func(*gorm.DB) error) error{s.Raw, s.RawOne} {
			err := run(t.Context(), organizationID, func(db *gorm.DB) error {
				var seen int64
				if err := db.Raw("SELECT count(*) FROM documents").Scan(&seen).Error; err != nil || seen != want {
					t.Errorf("as %q sees %d documents, %v", organizationID, seen, err)
				}
				changed := db.Exec("UPDATE documents SET title = 'stolen' WHERE id = ?", document.ID)
				deleted := db.Exec("DELETE FROM documents WHERE id = ?", document.ID)
				if changed.RowsAffected != 0 || deleted.RowsAffected != 0 || changed.Error != nil || deleted.Error != nil {
					t.Errorf("as %q changes %d and deletes %d", organizationID, changed.RowsAffected, deleted.RowsAffected)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
		for name, statement := range map[string]string{
			"plant a row":         "INSERT INTO documents SELECT 'org_acme', gen_random_uuid(), 't', 'c', 'user_x', 1, now(), now()",
			"move a row":          "UPDATE documents SET organization_id = 'org_acme' RETURNING 1/count(*) OVER ()",
			"write a member":      "INSERT INTO members (organization_id, user_id, id, role, joined_at) VALUES ('" + globex + "', 'user_x', gen_random_uuid(), 'org:admin', now())",
			"write an invitation": "INSERT INTO invitations (organization_id, id, role, status, created_at) VALUES ('" + globex + "', 'orginv_x', 'org:admin', 'pending', now())",
			"promote a member":    "UPDATE members SET role = 'org:admin'",
			"read Clerk's copy":   "SELECT count(*) FROM clerk.memberships",
			"drop the fence":      "ALTER TABLE documents DISABLE ROW LEVEL SECURITY",
			"empty the table":     "TRUNCATE documents",
			"widen with a policy": "CREATE POLICY wide ON documents USING (true)",
		} {
			if organizationID == "" && name == "move a row" {
				continue // it sees none to move
			}
			if err := s.Raw(t.Context(), organizationID, func(db *gorm.DB) error { return db.Exec(statement).Error }); err == nil {
				t.Errorf("as %q may %s", organizationID, name)
			}
		}
	}
	if after, err := s.Org(acme).Document(t.Context(), document.ID); err != nil || !cmp.Equal(after, document) {
		t.Errorf("the document afterwards: %v %v", after, err)
	}
}

// The mirror's role is bound, too: without naming an organization it changes no row of one.
func TestMirrorRoleIsFenced(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s, _, _ := twoOrganizationsIn(t, config)
	t.Run("as migrated", func(t *testing.T) { mirrorRoleIsFenced(t, s) })
	dbtest.MakePoliciesPermissive(t, dbtest.OwnerURL(config))
	t.Run("all policies permissive", func(t *testing.T) { mirrorRoleIsFenced(t, s) })
}

func mirrorRoleIsFenced(t *testing.T, s *store.Store) {
	t.Helper()
	err := s.RawMirror(t.Context(), func(db *gorm.DB) error {
		deleted := db.Exec("DELETE FROM members")
		if deleted.Error != nil || deleted.RowsAffected != 0 {
			t.Errorf("deletes %d rows, %v", deleted.RowsAffected, deleted.Error)
		}
		if changed := db.Exec("UPDATE members SET role = 'org:admin'"); changed.Error != nil || changed.RowsAffected != 0 {
			t.Errorf("changes %d rows, %v", changed.RowsAffected, changed.Error)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := s.RawMirror(t.Context(), func(db *gorm.DB) error { return db.Exec("SELECT * FROM documents").Error }); err == nil {
		t.Error("the mirror reads documents")
	}
}

// Connections pass between organizations all the time, and take nothing along.
func TestConnectionsChangeHands(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	config.MaxConnections = 3
	s := dbtest.OpenWith(t, config)
	const organizations, rounds = 12, 150
	for i := range organizations {
		dbtest.Document(t, s.Org(fmt.Sprintf("org_%d", i)), models.Document{Title: fmt.Sprintf("of org_%d", i)})
	}
	var asked, wrong atomic.Int64
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range rounds {
				id := fmt.Sprintf("org_%d", rand.N(organizations))
				ctx, cancel := context.WithCancel(t.Context())
				if rand.N(10) == 0 {
					cancel() // somebody hangs up
				}
				var titles []string
				err := s.RawOne(ctx, id, func(db *gorm.DB) error {
					return db.Raw("SELECT title FROM documents").Scan(&titles).Error
				})
				asked.Add(1)
				if err == nil && (len(titles) != 1 || titles[0] != "of "+id) {
					wrong.Add(1)
				}
				cancel()
			}
		})
	}
	workers.Wait()
	if wrong.Load() > 0 {
		t.Errorf("%d of %d queries saw other rows than their organization's", wrong.Load(), asked.Load())
	}
}
