package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/tenantry/tenantry/models"
)

// Viewer is what a user may see of their own across organizations. Every method of one without an id returns ErrNoViewer
// and runs no SQL.
type Viewer struct {
	store *Store
	id    string
}

// Viewer returns the handle of one user, who is the one that asks: the user id of the verified token.
func (s *Store) Viewer(userID string) Viewer { return Viewer{store: s, id: userID} }

// In the order of joining.
var membershipOrder = order{columns: []string{"joined_at", "organization_id"}, of: timeAndKey}

// viewerMembership is a row of tenantry.viewer_memberships.
type viewerMembership struct {
	OrganizationID string
	Name           string
	Slug, ImageURL *string
	Role           string
	JoinedAt       time.Time
}

// Memberships returns a page of the user's present memberships of organizations that live, in the order of joining. The
// function gives all of one user's, which are not many.
func (v Viewer) Memberships(ctx context.Context, want models.Page) (slice models.Slice[models.OrganizationMembership], err error) {
	err = v.read(ctx, func(tx scoped) error {
		rows, err := readPage(tx, gorm.G[viewerMembership](tx.db).Table("tenantry.viewer_memberships() AS memberships").Where("true"), membershipOrder, want)
		slice = cut(memberships(rows), want)
		return err
	})
	return slice, err
}

// CountMemberships returns how many there are, models.MaxCount + 1 for more than models.MaxCount.
func (v Viewer) CountMemberships(ctx context.Context) (count int64, err error) {
	err = v.read(ctx, func(tx scoped) (err error) {
		count, err = countRows(tx, gorm.Expr("SELECT 1 FROM tenantry.viewer_memberships()"))
		return err
	})
	return count, err
}

// read runs fn as a request without an organization, for the user that the setting names until the transaction ends. fn may
// be run twice, see door.read.
func (v Viewer) read(ctx context.Context, fn func(tx scoped) error) error {
	if !organizationID.MatchString(v.id) {
		return models.ErrNoViewer
	}
	return retried(ctx, func(ctx context.Context) error {
		return v.store.requests.transaction(ctx, "", func(ctx context.Context, db *gorm.DB) error {
			if err := db.Exec("SET LOCAL tenantry.viewer = " + quote(v.id)).Error; err != nil {
				return err
			}
			return fn(scoped{ctx: ctx, db: db})
		})
	})
}

func memberships(rows []viewerMembership) []models.OrganizationMembership {
	found := make([]models.OrganizationMembership, len(rows))
	for i, r := range rows {
		found[i] = models.OrganizationMembership{
			Role: r.Role, JoinedAt: r.JoinedAt.UTC(),
			Organization: models.OrganizationSummary{ID: r.OrganizationID, Name: r.Name, Slug: r.Slug, ImageURL: r.ImageURL},
		}
	}
	return found
}
