package store

import (
	"context"
	"encoding/json"

	"gorm.io/gorm"

	"github.com/tenantry/tenantry/models"
)

// Roles returns the instance's roles as far as the copy of Clerk has them, by key. Of several with one key it is the newest
// that lives, as where rights are judged. They are no organization's rows, so they are read as the mirror's role, like a
// user's own name, and requests need no right to them.
func (s *Store) Roles(ctx context.Context) ([]models.OrganizationRole, error) {
	var rows []struct {
		Key, Name   string
		Permissions []byte
	}
	err := s.facts.read(ctx, "", func(_ context.Context, db *gorm.DB) error {
		return db.Raw(`SELECT DISTINCT ON (key) key, name, to_json(permissions) AS permissions FROM clerk.roles
			WHERE NOT dead AND key <> '' ORDER BY key, created_at DESC, id DESC`).Scan(&rows).Error
	})
	if err != nil {
		return nil, err
	}
	roles := make([]models.OrganizationRole, len(rows))
	for i, r := range rows {
		roles[i] = models.OrganizationRole{Key: r.Key, Name: r.Name}
		if err := json.Unmarshal(r.Permissions, &roles[i].Permissions); err != nil {
			return nil, err
		}
	}
	return roles, nil
}
