package dbtest

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// began is when everything begins that a test does not date itself.
var began = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)

// Organization stores an organization as the mirror would. Every field is optional but the id.
func Organization(t testing.TB, ownerURL string, o models.Organization) models.Organization {
	t.Helper()
	if o.Name == "" {
		o.Name = "Organization " + o.OrganizationID
	}
	if o.CreatedAt.IsZero() {
		o.CreatedAt = began
	}
	insert(t, ownerURL, `INSERT INTO organizations (organization_id, name, slug, image_url, created_at, deleted_at)
		VALUES ($1, $2, $3, $4, $5, $6)`, o.OrganizationID, o.Name, o.Slug, o.ImageURL, o.CreatedAt, o.DeletedAt)
	return o
}

// Member stores a membership as the mirror would. Every field is optional but organization and user. A provisional one has
// no name of its own.
func Member(t testing.TB, ownerURL string, m models.Member) models.Member {
	t.Helper()
	if m.ID == uuid.Nil {
		m.ID = uuid.NewSHA1(uuid.NameSpaceOID, []byte(m.OrganizationID+" "+m.UserID))
	}
	if m.Role == "" {
		m.Role = "org:member"
	}
	if m.Name == nil && !m.Provisional {
		name := "Name of " + strings.TrimPrefix(m.UserID, "user_")
		m.Name = &name
	}
	if m.JoinedAt.IsZero() {
		m.JoinedAt = began
	}
	insert(t, ownerURL, `INSERT INTO members (organization_id, user_id, id, role, name, email, image_url, joined_at, left_at, provisional,
			banned, deprovisioned, locked)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		m.OrganizationID, m.UserID, m.ID, m.Role, m.Name, m.Email, m.ImageURL, m.JoinedAt, m.LeftAt, m.Provisional,
		m.Banned, m.Deprovisioned, m.Locked)
	return m
}

// Invitation stores an invitation as the mirror would. Every field is optional but organization and id.
func Invitation(t testing.TB, ownerURL string, i models.Invitation) models.Invitation {
	t.Helper()
	if i.Email == nil {
		email := strings.TrimPrefix(i.ID, "orginv_") + "@invited.example"
		i.Email = &email
	}
	if i.Role == "" {
		i.Role = "org:member"
	}
	if i.Status == "" {
		i.Status = models.InvitationPending
	}
	if i.CreatedAt.IsZero() {
		i.CreatedAt = began
	}
	insert(t, ownerURL, `INSERT INTO invitations (organization_id, id, email, role, status, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, i.OrganizationID, i.ID, i.Email, i.Role, i.Status, i.CreatedAt, i.ExpiresAt)
	return i
}

// Document stores a document through the organization's handle. Title and author are optional.
func Document(t testing.TB, org store.Org, d models.Document) *models.Document {
	t.Helper()
	if d.Title == "" {
		d.Title = "Title"
	}
	if d.AuthorID == "" {
		d.AuthorID = "user_author"
	}
	stored, err := org.CreateDocument(t.Context(), models.Actor{UserID: d.AuthorID, ImpersonatorID: d.ImpersonatorID}, store.DocumentInput{Title: &d.Title, Content: &d.Content})
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func insert(t testing.TB, ownerURL, statement string, values ...any) {
	t.Helper()
	parsed, err := url.Parse(ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	onConnection(t, parsed, func(conn *pgx.Conn) error {
		_, err := conn.Exec(t.Context(), statement, values...)
		return err
	})
}

// OwnerURL is the direct connection of the owner, for what only an owner may do.
func OwnerURL(config store.Config) string {
	if config.MigrateURL != "" {
		return config.MigrateURL
	}
	return config.URL
}
