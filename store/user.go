package store

import (
	"cmp"
	"context"

	"gorm.io/gorm"

	"github.com/tenantry/tenantry/models"
)

// UserName returns the full name of a user, nil if the user has none, or ErrNotFound where the copy of Clerk has not seen
// the user or the user is deleted. The caller is the user: users are known across organizations.
func (s *Store) UserName(ctx context.Context, userID string) (*string, error) {
	var names []struct{ Name *string } // gorm scans no NULL into a list of pointers
	err := s.facts.read(ctx, "", func(_ context.Context, db *gorm.DB) error {
		return db.Raw(`SELECT NULLIF(trim(concat_ws(' ', first_name, last_name)), '') AS name FROM clerk.users
			WHERE id = ? AND NOT dead AND updated_at > 0`, userID).Scan(&names).Error
	})
	if err != nil || len(names) == 0 {
		return nil, cmp.Or(err, models.ErrNotFound)
	}
	return names[0].Name, nil
}
