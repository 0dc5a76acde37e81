package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// Every id of a clerkTruth begins so, behind Clerk's own prefix.
const crashID = "Crash"

// clerkTruth is a Clerk instance that changes for as long as somebody sends its events. It knows what its objects are in the
// end; the program's own local Clerk knows nothing of them.
type clerkTruth struct {
	t          *testing.T
	instanceID string

	mu        sync.Mutex
	over      bool
	histories []*clerkHistory
	unsent    []clerkEvent
}

type clerkEvent struct {
	id   string
	body []byte
}

// unsentEvents is how many events wait, at least, to be sent in an order of their own, until the truth is over.
const unsentEvents = 200

// next is any event that nobody sends yet; ok is false where the truth is over and all of it is being sent.
func (c *clerkTruth) next() (e clerkEvent, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.over && len(c.unsent) < unsentEvents {
		h := newClerkHistory(c.t, c.instanceID, fmt.Sprintf("%s%d", crashID, len(c.histories)))
		c.histories = append(c.histories, h)
		c.unsent = append(c.unsent, h.events...)
		h.events = nil
	}
	if len(c.unsent) == 0 {
		return clerkEvent{}, false
	}
	i, last := rand.N(len(c.unsent)), len(c.unsent)-1
	e, c.unsent[i] = c.unsent[i], c.unsent[last]
	c.unsent = c.unsent[:last]
	return e, true
}

// end lets nothing change any more.
func (c *clerkTruth) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
}

// rows is what the copy has to be, in the words of copiedRows.
func (c *clerkTruth) rows() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	rows := map[string]string{}
	for _, h := range c.histories {
		h.rows(rows)
	}
	return rows
}

// clerkHistory is the life of one organization and of the people who are in it at times. No two of its changes are of one
// millisecond, so that its events alone tell the truth.
type clerkHistory struct {
	t                      *testing.T
	instanceID, prefix     string
	now                    int64
	name                   string
	created, updated, tomb int64
	people                 []*clerkPerson
	memberships            []*clerkMembership
	events                 []clerkEvent
}

type clerkPerson struct {
	id, name, email        string
	created, updated, tomb int64
}

type clerkMembership struct {
	id, role, shownName    string
	person                 *clerkPerson
	created, updated, tomb int64
}

func newClerkHistory(t *testing.T, instanceID, prefix string) *clerkHistory {
	t.Helper()
	h := &clerkHistory{t: t, instanceID: instanceID, prefix: prefix, now: time.Now().Add(-24 * time.Hour).UnixMilli()}
	h.created = h.tick()
	h.updated = h.created
	h.name = h.word("Organization")
	h.emit("organization.created", h.data())
	for i := range 6 {
		p := &clerkPerson{id: fmt.Sprintf("user_%sx%d", prefix, i), name: h.word("Person"), created: h.tick()}
		p.email, p.updated = p.id+"@acme.example", p.created
		h.people = append(h.people, p)
		h.emit("user.created", p.data())
	}
	for range 70 {
		h.change(h.people[rand.N(len(h.people))])
	}
	if rand.N(6) == 0 {
		h.tomb = h.tick()
		h.emit("organization.deleted", variables{"id": h.organizationID(), "deleted": true})
	}
	return h
}

func (h *clerkHistory) organizationID() string { return "org_" + h.prefix }

// change makes one random change that Clerk would allow.
func (h *clerkHistory) change(p *clerkPerson) {
	m := h.latest(p)
	switch n := rand.N(20); {
	case n < 3:
		h.name, h.updated = h.word("Organization"), h.tick()
		h.emit("organization.updated", h.data())
	case p.tomb > 0:
	case n < 6:
		p.name, p.updated = h.word("Person"), h.tick()
		h.emit("user.updated", p.data())
	case n == 6:
		p.tomb = h.tick()
		h.emit("user.deleted", variables{"id": p.id, "deleted": true})
		if m != nil && m.tomb == 0 && rand.N(2) == 0 { // Clerk's documents leave open whether it does
			h.remove(m)
		}
	case m == nil || m.tomb > 0:
		m = &clerkMembership{id: fmt.Sprintf("orgmem_%sx%d", h.prefix, len(h.memberships)), person: p, role: "org:member", created: h.tick()}
		m.updated = m.created
		h.memberships = append(h.memberships, m)
		h.emit("organizationMembership.created", h.member(m))
	case n < 14:
		m.role, m.updated = []string{"org:admin", "org:member", "org:guest"}[rand.N(3)], h.tick()
		h.emit("organizationMembership.updated", h.member(m))
	default:
		h.remove(m)
	}
}

func (h *clerkHistory) remove(m *clerkMembership) {
	m.tomb = h.tick()
	h.emit("organizationMembership.deleted", h.member(m))
}

// latest is the person's newest membership, over or not.
func (h *clerkHistory) latest(p *clerkPerson) (found *clerkMembership) {
	for _, m := range h.memberships {
		if m.person == p {
			found = m
		}
	}
	return found
}

func (h *clerkHistory) tick() int64 {
	h.now += 1 + rand.Int64N(400)
	return h.now
}

func (h *clerkHistory) word(kind string) string { return fmt.Sprintf("%s%d", kind, rand.N(1000)) }

// emit makes the event of what has just changed.
func (h *clerkHistory) emit(kind string, data variables) {
	body, err := json.Marshal(variables{
		"object": "event", "type": kind, "timestamp": h.now, "instance_id": h.instanceID, "data": data,
	})
	if err != nil {
		h.t.Error(err)
	}
	h.events = append(h.events, clerkEvent{id: fmt.Sprintf("msg_%sx%d", h.prefix, len(h.events)), body: body})
}

func (h *clerkHistory) data() variables {
	return variables{
		"object": "organization", "id": h.organizationID(), "name": h.name, "slug": nil, "created_at": h.created, "updated_at": h.updated,
	}
}

func (p *clerkPerson) data() variables {
	return variables{
		"object": "user", "id": p.id, "first_name": p.name, "created_at": p.created, "updated_at": p.updated,
		"primary_email_address_id": "idn_1", "email_addresses": []variables{{"id": "idn_1", "email_address": p.email}},
	}
}

func (h *clerkHistory) member(m *clerkMembership) variables {
	m.shownName = m.person.name
	return variables{
		"object": "organization_membership", "id": m.id, "role": m.role, "created_at": m.created, "updated_at": m.updated,
		"organization":     h.data(),
		"public_user_data": variables{"user_id": m.person.id, "first_name": m.person.name, "identifier": m.person.email},
	}
}

func (h *clerkHistory) rows(into map[string]string) {
	into["organization "+h.organizationID()] = fmt.Sprintf("%s, ended %d", h.name, h.tomb)
	for _, p := range h.people {
		name, email := p.name, p.email
		if p.tomb > 0 {
			name, email = "-", "-"
		}
		into["user "+p.id] = fmt.Sprintf("%s, %s, ended %d", name, email, p.tomb)
		if m := h.latest(p); m != nil {
			into["member "+h.organizationID()+" "+p.id] = m.row(name, email)
		}
	}
	for _, m := range h.memberships {
		into["membership "+m.id] = fmt.Sprintf("%s, ended %d", m.role, m.tomb)
	}
}

// row is what requests read of somebody whose newest membership this is.
func (m *clerkMembership) row(name, email string) string {
	left := m.tomb
	switch gone := m.person.tomb; {
	case gone > 0 && (left == 0 || gone < left):
		left = gone
	case gone == 0 && left > 0:
		name, email = m.shownName, "-"
	}
	return fmt.Sprintf("%s, %s, %s, joined %d, ended %d", m.role, name, email, m.created, left)
}
