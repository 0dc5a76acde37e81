package store

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// InboxStatus says how much of the inbox waits, and how long.
type InboxStatus struct {
	// Pending events are stored and not applied yet; Dead ones cannot be, and wait for a person.
	Pending, Dead int64
	// OldestPending is when the pending one that waits longest was received; zero where none waits.
	OldestPending time.Time
}

// InboxStatus reads in one statement, from the indexes of what waits and what is dead.
func (s *Store) InboxStatus(ctx context.Context) (status InboxStatus, err error) {
	var oldest *time.Time
	err = s.mirror.read(ctx, "", func(_ context.Context, db *gorm.DB) error {
		return db.Raw(`SELECT
				(SELECT count(*) FROM clerk.inbox WHERE state = 'pending'),
				(SELECT count(*) FROM clerk.inbox WHERE state = 'dead'),
				(SELECT min(received_at) FROM clerk.inbox WHERE state = 'pending')`).
			Row().Scan(&status.Pending, &status.Dead, &oldest)
	})
	if oldest != nil {
		status.OldestPending = *oldest
	}
	return status, err
}
