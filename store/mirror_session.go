package store

import (
	"context"
	"time"
)

// RevokedSession is a session that is over before its tokens are.
type RevokedSession struct {
	ID, UserID string
	// RevokedAt is Clerk's time in milliseconds.
	RevokedAt int64
}

// RevokeSession notes that a session is over. Nothing takes that back; of what several events say the greatest stays,
// whichever came first.
func (tx *MirrorTx) RevokeSession(r RevokedSession) error {
	tx.touch(Change{SessionID: r.ID, UserID: r.UserID})
	return tx.exec(`INSERT INTO clerk.revoked_sessions AS r (id, user_id, revoked_at) VALUES (?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET user_id = greatest(r.user_id, excluded.user_id),
			revoked_at = greatest(r.revoked_at, excluded.revoked_at)
		WHERE r.user_id < excluded.user_id OR r.revoked_at < excluded.revoked_at`,
		r.ID, r.UserID, r.RevokedAt)
}

// PurgeRevokedSessions forgets what was revoked before the given time. It returns how many there were.
func (s *Store) PurgeRevokedSessions(ctx context.Context, before time.Time) (purged int64, err error) {
	err = s.Mirror(ctx, func(tx *MirrorTx) error {
		deleted := tx.tx.db.Exec("DELETE FROM clerk.revoked_sessions WHERE revoked_at < ?", before.UnixMilli())
		purged = deleted.RowsAffected
		return deleted.Error
	})
	return purged, err
}
