package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// How much of the inbox is looked at: the last events, and the bodies of so many of them.
const (
	headingsLooked = 2000
	bodiesLooked   = 400
)

// seenEvent is an event of the inbox. What is below body is known only where its body was there.
type seenEvent struct {
	kind     string
	state    store.EventState
	at       int64 // the envelope's time in milliseconds; 0 for none
	userID   string
	received time.Time

	body           bool
	instance       string
	seconds        bool // the envelope's time was in seconds
	id             string
	organizationID string
	createdAt      int64
	updatedAt      int64
	digest         string // of what the mirror copies; "" for deletions
}

// lens looks into the inbox, and remembers: bodies about a deleted user are erased.
type lens struct {
	store   *store.Store
	problem string // why nothing was seen
	events  map[string]seenEvent
}

func newLens(s *store.Store, problem string) *lens {
	return &lens{store: s, problem: problem, events: map[string]seenEvent{}}
}

// look reads what came since the last look.
func (l *lens) look(ctx context.Context) {
	if l.store == nil {
		return
	}
	headings, err := l.store.InboxEvents(ctx, store.InboxFilter{Limit: headingsLooked})
	if err != nil {
		l.problem = "the database did not answer"
		return
	}
	bodies := 0
	for _, h := range headings {
		if h.State == store.EventIgnored {
			continue
		}
		if known, ok := l.events[h.ID]; ok {
			known.state = h.State
			l.events[h.ID] = known
			continue
		}
		e := seenEvent{kind: h.Type, state: h.State, userID: h.UserID, received: h.ReceivedAt}
		if h.HappenedAt != nil {
			e.at = h.HappenedAt.UnixMilli()
		}
		if h.BodyBytes != nil && bodies < bodiesLooked {
			_, body, err := l.store.InboxEvent(ctx, h.ID)
			if err != nil && !errors.Is(err, models.ErrNotFound) {
				l.problem = "the database did not answer"
				return
			}
			bodies++
			e.read(body)
		}
		l.events[h.ID] = e
	}
}

// read learns what of a body the checks need.
func (e *seenEvent) read(body []byte) {
	var of envelope
	var data struct {
		ID             text   `json:"id"`
		OrganizationID text   `json:"organization_id"`
		CreatedAt      millis `json:"created_at"`
		UpdatedAt      millis `json:"updated_at"`
		Organization   struct {
			ID text `json:"id"`
		} `json:"organization"`
	}
	if body == nil || json.Unmarshal(body, &of) != nil || json.Unmarshal(of.Data, &data) != nil {
		return
	}
	e.body, e.instance = true, string(of.InstanceID)
	e.at, e.seconds = of.Timestamp.ms, of.Timestamp.seconds
	e.id, e.organizationID = string(data.ID), string(data.Organization.ID)
	if e.organizationID == "" {
		e.organizationID = string(data.OrganizationID)
	}
	e.createdAt, e.updatedAt = data.CreatedAt.ms, data.UpdatedAt.ms
	if decoded, err := decode(body); err == nil {
		e.digest = digestOf(decoded.change)
	}
}

// digestOf is the digest of what a change says of the object's fields.
func digestOf(c change) string {
	switch c := c.(type) {
	case organizationChange:
		return c.version.Digest
	case userChange:
		// Without bans and locks, which are looked at by themselves.
		p := c.profile
		p.banned, p.deprovisioned, p.locked = false, false, false
		return p.digest()
	case membershipChange:
		return c.version.Digest
	case roleChange:
		return c.version.Digest
	case invitationChange:
		return c.version.Digest
	}
	return ""
}

// of returns the events of the instance of a key set in the order in which they happened; those without a body are taken for its own
// where none with a body is of another.
func (l *lens) of(kids []string) []seenEvent {
	var ours []seenEvent
	foreign := false
	for _, e := range l.events {
		foreign = foreign || e.body && !slices.Contains(kids, e.instance)
	}
	for _, e := range l.events {
		if e.body && slices.Contains(kids, e.instance) || !e.body && !foreign {
			ours = append(ours, e)
		}
	}
	slices.SortStableFunc(ours, func(a, b seenEvent) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return a.received.Compare(b.received)
	})
	return ours
}
