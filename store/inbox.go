package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"
)

// EventState is what has become of an event in the inbox.
type EventState string

const (
	// EventPending is stored and not applied yet.
	EventPending EventState = "pending"
	// EventDone has taken effect.
	EventDone EventState = "done"
	// EventIgnored is of a type that the mirror does not keep.
	EventIgnored EventState = "ignored"
	// EventDead cannot be applied, however often it is tried.
	EventDead EventState = "dead"
)

// Event is a delivery in the inbox.
type Event struct {
	// ID is the sender's message id, the same for each delivery of one message.
	ID   string
	Type string
	// UserID is the user that the body is about; empty for none.
	UserID string
	// At is the envelope's time in Clerk's milliseconds.
	At    int64
	Body  []byte
	State EventState
	// Error says why it is dead, or what came in the way at the last attempt; never what the body says.
	Error      string
	Attempts   int
	ReceivedAt time.Time
}

// Stored says how the inbox took a delivery.
type Stored string

const (
	// StoredNew is the first delivery of the message, or a dead one that was sent again.
	StoredNew Stored = "new"
	// StoredBefore is a message that is in the inbox already.
	StoredBefore Stored = "before"
	// StoredConflict is another body under the id of a message that is in the inbox. The first one is kept.
	StoredConflict Stored = "conflict"
)

// StoreEvent puts a delivery into the inbox and commits. A dead message that arrives again with the same body is taken
// as new; otherwise what is in the inbox stays. An event that is ignored is stored without its body.
func (s *Store) StoreEvent(ctx context.Context, e Event) (stored Stored, err error) {
	digest := sha256.Sum256(e.Body)
	if e.State == EventIgnored {
		e.Body = nil
	}
	finished := sql.NullTime{Time: e.ReceivedAt, Valid: e.State != EventPending}
	err = s.Mirror(ctx, func(tx *MirrorTx) error {
		inserted := tx.tx.db.Exec(`INSERT INTO clerk.inbox
			(id, type, user_id, event_at, body, body_sha256, received_at, state, next_at, done_at, error)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			e.ID, e.Type, e.UserID, e.At, e.Body, digest[:], e.ReceivedAt, e.State, e.ReceivedAt, finished, e.Error)
		if inserted.Error != nil || inserted.RowsAffected == 1 {
			stored = StoredNew
			return inserted.Error
		}
		armed := tx.tx.db.Exec(`UPDATE clerk.inbox SET type = ?, user_id = ?, event_at = ?, body = ?, state = ?,
			attempts = 0, next_at = ?, done_at = ?, error = ? WHERE id = ? AND body_sha256 = ? AND state = 'dead'`,
			e.Type, e.UserID, e.At, e.Body, e.State, e.ReceivedAt, finished, e.Error, e.ID, digest[:])
		if armed.Error != nil || armed.RowsAffected == 1 {
			stored = StoredNew
			return armed.Error
		}
		other := tx.tx.db.Exec("UPDATE clerk.inbox SET conflicts = conflicts + 1 WHERE id = ? AND body_sha256 <> ?",
			e.ID, digest[:])
		stored = StoredBefore
		if other.RowsAffected == 1 {
			stored = StoredConflict
		}
		return other.Error
	})
	return stored, err
}

// StoreDone puts a delivery into the inbox as done, in the transaction that made its change and as the last thing in it,
// so that whoever waits for the id waits for a commit and for nothing else. It returns false where a message with that id
// is there already: then the transaction must not be committed. The body stays out as FinishEvent says.
func (tx *MirrorTx) StoreDone(e Event, keepBody bool, at time.Time) (fresh bool, err error) {
	digest := sha256.Sum256(e.Body)
	inserted := tx.tx.db.Exec(`INSERT INTO clerk.inbox
		(id, type, user_id, event_at, body, body_sha256, received_at, state, next_at, done_at)
		VALUES (?, ?, ?, ?, CASE WHEN NOT ? OR EXISTS (SELECT FROM clerk.users WHERE id = ? AND dead) THEN NULL ELSE ?::bytea END,
			?, ?, 'done', ?, ?) ON CONFLICT DO NOTHING`,
		e.ID, e.Type, e.UserID, e.At, keepBody, e.UserID, e.Body, digest[:], e.ReceivedAt, e.ReceivedAt, at)
	return inserted.RowsAffected == 1, inserted.Error
}

const eventColumns = "id, type, user_id, event_at, body, state, error, attempts, received_at"

func (e *Event) targets() []any {
	return []any{&e.ID, &e.Type, &e.UserID, &e.At, &e.Body, &e.State, &e.Error, &e.Attempts, &e.ReceivedAt}
}

// ClaimEvent locks a pending event for this transaction. It returns false where it is not pending any more, or somebody
// else is at it.
func (tx *MirrorTx) ClaimEvent(id string) (bool, error) {
	var one int
	err := tx.row("SELECT 1 FROM clerk.inbox WHERE id = ? AND state = 'pending' FOR UPDATE SKIP LOCKED", id).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// NextEvent locks for this transaction the pending event that has been due the longest at now and that nobody else is
// at; found is false where there is none.
func (tx *MirrorTx) NextEvent(now time.Time) (e Event, found bool, err error) {
	err = tx.row("SELECT "+eventColumns+" FROM clerk.inbox WHERE state = 'pending' AND next_at <= ? "+
		"ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED", now).Scan(e.targets()...)
	if errors.Is(err, sql.ErrNoRows) {
		return e, false, nil
	}
	return e, err == nil, err
}

// FinishEvent notes in the transaction that made an event's change that it is done, and what the event turned out to be:
// one that could not be read when it was stored may be readable now. The body of one that is about a deleted user goes,
// and one that is not to be kept.
func (tx *MirrorTx) FinishEvent(e Event, keepBody bool, at time.Time) error {
	return tx.exec(`UPDATE clerk.inbox SET state = ?, done_at = ?, error = '', type = ?, user_id = ?, event_at = ?,
		body = CASE WHEN NOT ? OR EXISTS (SELECT FROM clerk.users WHERE id = ? AND dead) THEN NULL ELSE body END
		WHERE id = ?`, e.State, at, e.Type, e.UserID, e.At, keepBody, e.UserID, e.ID)
}

// PostponeEvent notes a failed attempt at a pending event and when to try again.
func (s *Store) PostponeEvent(ctx context.Context, id, reason string, next time.Time) error {
	return s.Mirror(ctx, func(tx *MirrorTx) error {
		return tx.exec("UPDATE clerk.inbox SET attempts = attempts + 1, error = ?, next_at = ? WHERE id = ? AND state = 'pending'",
			reason, next, id)
	})
}

// BuryEvent makes a pending event a dead letter.
func (s *Store) BuryEvent(ctx context.Context, id, reason string, at time.Time) error {
	return s.Mirror(ctx, func(tx *MirrorTx) error {
		return tx.exec("UPDATE clerk.inbox SET attempts = attempts + 1, error = ?, state = 'dead', done_at = ? WHERE id = ? AND state = 'pending'",
			reason, at, id)
	})
}

// PurgeEvents deletes what was received before the given time and is not pending. It returns how many there were.
func (s *Store) PurgeEvents(ctx context.Context, before time.Time) (purged int64, err error) {
	const batch = 1000
	for {
		var count int64
		err := s.Mirror(ctx, func(tx *MirrorTx) error {
			deleted := tx.tx.db.Exec(`DELETE FROM clerk.inbox WHERE id IN (SELECT id FROM clerk.inbox
				WHERE state <> 'pending' AND received_at < ? ORDER BY received_at LIMIT ? FOR UPDATE SKIP LOCKED)`, before, batch)
			count = deleted.RowsAffected
			return deleted.Error
		})
		purged += count
		if err != nil || count < batch {
			return purged, err
		}
	}
}
