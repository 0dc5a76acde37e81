package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tenantry/tenantry/models"
)

var (
	// ErrNotDead says that an event is no dead letter, so that there is nothing to try again.
	ErrNotDead = errors.New("the event is not a dead letter")
	// ErrBodyGone says that an event's body was erased, because it was about a user who is deleted.
	ErrBodyGone = errors.New("the event's body was erased")
)

// InboxEvent is an event in the inbox with all that is known of it but its body.
type InboxEvent struct {
	ID    string     `json:"id"`
	Type  string     `json:"type"`
	State EventState `json:"state"`
	// UserID is the user that the body is about; empty for none.
	UserID string `json:"userId,omitempty"`
	// Error says why it is dead, or what came in the way at the last attempt; never what the body says.
	Error    string `json:"error,omitempty"`
	Attempts int    `json:"attempts"`
	// Conflicts is how often another body came under the same id.
	Conflicts int `json:"conflicts"`
	// HappenedAt is Clerk's time of the event; nil where it has none.
	HappenedAt *time.Time `json:"happenedAt,omitempty"`
	ReceivedAt time.Time  `json:"receivedAt"`
	// NextAt is when a pending one is due.
	NextAt *time.Time `json:"nextAt,omitempty"`
	// DoneAt is when it came into its state, unless it is pending.
	DoneAt *time.Time `json:"doneAt,omitempty"`
	// BodyBytes is the size of the body; nil where it is not kept.
	BodyBytes *int `json:"bodyBytes,omitempty"`
}

const inboxColumns = `id, type, state, user_id, error, attempts, conflicts,
	CASE WHEN event_at > 0 THEN to_timestamp(event_at / 1000.0) END, received_at,
	CASE WHEN state = 'pending' THEN next_at END, done_at, length(body)`

func (e *InboxEvent) targets() []any {
	return []any{
		&e.ID, &e.Type, &e.State, &e.UserID, &e.Error, &e.Attempts, &e.Conflicts,
		&e.HappenedAt, &e.ReceivedAt, &e.NextAt, &e.DoneAt, &e.BodyBytes,
	}
}

// InboxFilter chooses events; what is empty chooses all.
type InboxFilter struct {
	State EventState
	Type  string
	// Limit is how many at most.
	Limit int
}

// InboxEvents returns events of the inbox, the last received first.
func (s *Store) InboxEvents(ctx context.Context, filter InboxFilter) (events []InboxEvent, err error) {
	err = s.Mirror(ctx, func(tx *MirrorTx) error {
		events = []InboxEvent{}
		rows, err := tx.tx.db.Raw("SELECT "+inboxColumns+` FROM clerk.inbox WHERE (? = '' OR state = ?) AND (? = '' OR type = ?)
			ORDER BY received_at DESC, id LIMIT ?`, filter.State, filter.State, filter.Type, filter.Type, filter.Limit).Rows()
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e InboxEvent
			if err := rows.Scan(e.targets()...); err != nil {
				return err
			}
			events = append(events, e)
		}
		return rows.Err()
	})
	return events, err
}

// InboxEvent returns one event with its body, nil where that is not kept. Returns models.ErrNotFound.
func (s *Store) InboxEvent(ctx context.Context, id string) (e InboxEvent, body []byte, err error) {
	err = s.Mirror(ctx, func(tx *MirrorTx) error {
		err := tx.row("SELECT "+inboxColumns+", body FROM clerk.inbox WHERE id = ?", id).Scan(append(e.targets(), &body)...)
		if errors.Is(err, sql.ErrNoRows) {
			return models.ErrNotFound
		}
		return err
	})
	return e, body, err
}

// A dead letter is pending again as if it had just come: due at once by any server's clock, with all attempts before it.
const rearm = "state = 'pending', attempts = 0, next_at = received_at, done_at = NULL, error = ''"

// RetryEvent makes a dead letter pending again, so that a worker applies it. Returns models.ErrNotFound, ErrNotDead,
// ErrBodyGone.
func (s *Store) RetryEvent(ctx context.Context, id string) error {
	return s.Mirror(ctx, func(tx *MirrorTx) error {
		var state EventState
		var kept bool
		err := tx.row("SELECT state, body IS NOT NULL FROM clerk.inbox WHERE id = ? FOR UPDATE", id).Scan(&state, &kept)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return models.ErrNotFound
		case err != nil:
			return err
		case state != EventDead:
			return ErrNotDead
		case !kept:
			return ErrBodyGone
		}
		return tx.exec("UPDATE clerk.inbox SET "+rearm+" WHERE id = ?", id)
	})
}

// RetryDeadEvents makes every dead letter whose body is kept pending again, each once. It returns how many there were.
func (s *Store) RetryDeadEvents(ctx context.Context) (armed int64, err error) {
	const batch = 1000
	for after := ""; ; {
		var count int64
		var last string
		err := s.Mirror(ctx, func(tx *MirrorTx) error {
			return tx.row(`WITH dead AS (SELECT id FROM clerk.inbox WHERE state = 'dead' AND body IS NOT NULL AND id > ?
					ORDER BY id LIMIT ? FOR UPDATE),
				armed AS (UPDATE clerk.inbox SET `+rearm+` WHERE id IN (SELECT id FROM dead) RETURNING id)
				SELECT count(*), coalesce(max(id), '') FROM armed`, after, batch).Scan(&count, &last)
		})
		armed += count
		if err != nil || count < batch {
			return armed, err
		}
		after = last
	}
}
