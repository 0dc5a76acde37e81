package store

import (
	"context"
	"time"
)

// EventCount is how many events of one type are in one state.
type EventCount struct {
	Type  string     `json:"type"`
	State EventState `json:"state"`
	Count int64      `json:"count"`
}

// EventCounts counts the events of the inbox that were received since a time, by type and state.
func (s *Store) EventCounts(ctx context.Context, since time.Time) (counts []EventCount, err error) {
	err = s.Mirror(ctx, func(tx *MirrorTx) error {
		counts = []EventCount{}
		rows, err := tx.tx.db.Raw("SELECT type, state, count(*) FROM clerk.inbox WHERE received_at >= ? "+
			"GROUP BY type, state ORDER BY type COLLATE \"C\", state COLLATE \"C\"", since).Rows()
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c EventCount
			if err := rows.Scan(&c.Type, &c.State, &c.Count); err != nil {
				return err
			}
			counts = append(counts, c)
		}
		return rows.Err()
	})
	return counts, err
}

// RowCount is how many rows the copy has of one kind.
type RowCount struct {
	Kind string `json:"kind"`
	Live int64  `json:"live"`
	Dead int64  `json:"dead"`
	// Waiting are the living ones of which two versions cannot be put in order, so that only a read can tell.
	Waiting int64 `json:"waiting"`
}

// copied are the mirror's tables.
var copied = []string{"organizations", "users", "roles", "permissions", "memberships", "invitations", "domains"}

// RowCounts counts the rows of each of the mirror's tables.
func (s *Store) RowCounts(ctx context.Context) (counts []RowCount, err error) {
	err = s.Mirror(ctx, func(tx *MirrorTx) error {
		counts = nil
		for _, kind := range copied {
			c := RowCount{Kind: kind}
			if err := tx.row("SELECT count(*) FILTER (WHERE NOT dead), count(*) FILTER (WHERE dead), "+
				"count(*) FILTER (WHERE needs_read AND NOT dead) FROM clerk."+kind).Scan(&c.Live, &c.Dead, &c.Waiting); err != nil {
				return err
			}
			counts = append(counts, c)
		}
		return nil
	})
	return counts, err
}
