package mirror

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tenantry/tenantry/store"
)

// leadName is the name under which one process at a time compares.
const leadName = "sweep"

// Comparison is a comparison with Clerk as the database has it, whichever process made it.
type Comparison struct {
	StartedAt time.Time `json:"startedAt"`
	// FinishedAt is nil while it is not done.
	FinishedAt *time.Time `json:"finishedAt,omitempty"`
	// Listing is the kind whose list it is at, and Position how many of its entries are done; Listing is "" behind the lists.
	Listing  string `json:"listing,omitempty"`
	Position int    `json:"position,omitempty"`
	// Report has what was found until now. Took is not known of it.
	Report Report `json:"-"`
}

// LastComparison returns the newest comparison that came to its end, nil where none did.
func (m *Mirror) LastComparison(ctx context.Context) (finished *Comparison, err error) {
	err = m.store.Mirror(ctx, func(tx *store.MirrorTx) (err error) {
		finished, err = comparison(tx.LastFinishedSweep())
		return err
	})
	return finished, err
}

// UnfinishedComparison returns the comparison that is under way or was cut off, nil where the newest came to its end.
// running says whether a process is at it just now; Verify is one, too, of which nothing else is noted.
func (m *Mirror) UnfinishedComparison(ctx context.Context) (unfinished *Comparison, running bool, err error) {
	if running, err = m.store.Led(ctx, leadName); err != nil {
		return nil, false, err
	}
	err = m.store.Mirror(ctx, func(tx *store.MirrorTx) (err error) {
		unfinished, err = comparison(tx.LastSweep())
		return err
	})
	if unfinished != nil && unfinished.FinishedAt != nil {
		unfinished = nil
	}
	return unfinished, running, err
}

func comparison(row store.MirrorSweep, found bool, err error) (*Comparison, error) {
	if err != nil || !found {
		return nil, err
	}
	c := &Comparison{StartedAt: row.StartedAt, FinishedAt: row.FinishedAt, Listing: row.Stage, Position: row.Position}
	if row.Stage == doneListing {
		c.Listing = ""
	}
	if err := json.Unmarshal(row.Report, &c.Report.Kinds); err != nil {
		return nil, fmt.Errorf("mirror: the report of a comparison cannot be read: %w", err)
	}
	return c, nil
}
