package mirror

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/store"
)

// Observation is what became of one event, at its delivery or later at a worker's hands.
type Observation struct {
	// Type is the event's type, "unknown" for one that the mirror does not keep: names of others are not counted apart.
	Type   string
	Result Result
	// Lag is the time from the event, by Clerk's clock, to its effect; 0 unless Result is Applied.
	Lag time.Duration
}

// observe tells the configuration's observer.
func (m *Mirror) observe(kind string, result Result, at int64) {
	if m.config.Observe == nil {
		return
	}
	seen := Observation{Type: kind, Result: result}
	if result == Ignored || kind == "" {
		seen.Type = "unknown"
	}
	if result == Applied && at > 0 {
		seen.Lag = max(0, m.config.Now().Sub(moment(at)))
	}
	m.config.Observe(seen)
}

// InboxStatus says how much of the inbox waits, and how long.
func (m *Mirror) InboxStatus(ctx context.Context) (store.InboxStatus, error) {
	return m.store.InboxStatus(ctx)
}
