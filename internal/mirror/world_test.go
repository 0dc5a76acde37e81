package mirror

import (
	"fmt"
	"math/rand/v2"
)

// regime is how Clerk's clocks and ids behave in a history.
type regime struct {
	name string
	// jitter is how many milliseconds an event's envelope may be late.
	jitter int64
	// ties is the share of changes that fall into the same millisecond as the change before.
	ties float64
	// seconds sends envelope times in seconds.
	seconds bool
	// sameID lets who joins again have the old membership id, which Clerk's documents do not exclude.
	sameID bool
	// bare deletions of memberships carry nothing but the id, as some of Clerk's types have it.
	bare bool
}

// usual is how many of the regimes are what is expected of Clerk; the others are what its documents do not exclude.
const usual = 3

var regimes = []regime{
	{name: "distinct milliseconds"},
	{name: "30 ms jitter", jitter: 30},
	{name: "25 % ties", jitter: 5, ties: 0.25},
	{name: "seconds", seconds: true},
	{name: "same membership id", sameID: true, jitter: 30},
	{name: "bare membership deletions", bare: true, jitter: 30},
}

// world is Clerk: it changes its objects and says so in events.
type world struct {
	regime
	random        *rand.Rand
	prefix        string // of every id, so that worlds can share a database
	now           int64
	crowd         int // how many organizations and users there can be
	organizations []*worldOrganization
	users         []*worldUser
	members       []*worldMember
	roles         []*worldRole
	more          worldMore
	events        []worldEvent
}

type worldOrganization struct {
	id, name, slug         string
	created, updated, tomb int64
}

type worldUser struct {
	id, first, last, email string
	banned, locked         bool
	created, updated, tomb int64
	// silent users are never heard of but through their memberships.
	silent bool
}

type worldMember struct {
	id, role               string
	organization           *worldOrganization
	user                   *worldUser
	created, updated, tomb int64
	shownFirst, shownLast  string // in the last event
}

type worldRole struct {
	id, key, name          string
	permissions            []string
	created, updated, tomb int64
}

// worldEvent is one event as Clerk sends it, and as the mirror decodes it.
type worldEvent struct {
	id   string
	kind string
	body []byte
	event
}

// newHistory returns a small world after that many changes.
func newHistory(random *rand.Rand, r regime, prefix string, changes int) *world {
	return newWorld(&world{regime: r, random: random, prefix: prefix, crowd: 4}, changes)
}

func newWorld(w *world, changes int) *world {
	if w.now == 0 {
		w.now = 1_782_900_000_000 + w.random.Int64N(1000)
	}
	for range 2 {
		w.newOrganization()
		w.newUser(false)
	}
	for range changes {
		w.change()
		if w.random.IntN(3) == 0 {
			w.changeMore()
		}
	}
	return w
}

// change makes one random change that Clerk would allow.
func (w *world) change() {
	organization, user := pick(w.random, w.organizations), pick(w.random, w.users)
	switch n := w.random.IntN(100); {
	case n < 4 && len(w.organizations) < w.crowd:
		w.newOrganization()
	case n < 10 && len(w.users) < w.crowd:
		w.newUser(w.random.IntN(3) == 0)
	case n < 20 && organization.tomb == 0:
		w.tick(1)
		// Slugs change hands: nothing may be keyed by them.
		organization.name, organization.slug, organization.updated = w.word("Name"), w.word("slug-")[:6], w.now
		w.emit("organization.updated", w.organizationData(organization, true))
	case n < 30 && user.tomb == 0 && !user.silent:
		w.tick(1)
		user.first, user.last, user.updated = w.word("First"), w.word("Last"), w.now
		if w.random.IntN(3) == 0 {
			user.banned, user.locked = !user.banned, w.random.IntN(2) == 0
		}
		w.emit("user.updated", w.userData(user))
	case n < 33 && user.tomb == 0 && !user.silent:
		w.tick(1)
		user.banned = !user.banned // without a word in updated_at, which is not excluded
		w.emit("user.updated", w.userData(user))
	case n < 55:
		w.join(organization, user)
	case n < 72:
		if m := w.member(organization, user); m != nil {
			w.changeRoleOf(m)
		}
	case n < 86:
		if m := w.member(organization, user); m != nil {
			w.tick(1)
			w.remove(m)
		}
	case n < 89 && organization.tomb == 0:
		w.deleteOrganization(organization)
	case n < 92 && user.tomb == 0:
		w.deleteUser(user)
	default:
		w.changeRole()
	}
}

func (w *world) changeRoleOf(m *worldMember) {
	w.tick(1)
	m.role, m.updated = pick(w.random, []string{"org:admin", "org:member", "org:guest"}), w.now
	w.emitMember("updated", m)
}

func (w *world) deleteOrganization(organization *worldOrganization) {
	w.tick(1)
	organization.tomb = w.emit("organization.deleted", object{"id": organization.id, "deleted": true, "slug": organization.slug})
	w.cascade(func(m *worldMember) bool { return m.organization == organization })
}

func (w *world) deleteUser(user *worldUser) {
	w.tick(1)
	user.tomb = w.emit("user.deleted", object{"id": user.id, "deleted": true})
	w.cascade(func(m *worldMember) bool { return m.user == user })
}

// cascade removes memberships with their owner, or does not: Clerk's documents leave both open.
func (w *world) cascade(gone func(*worldMember) bool) {
	if w.random.IntN(2) == 0 {
		return
	}
	for _, m := range w.members {
		if m.tomb == 0 && gone(m) && w.latest(m.organization, m.user) == m {
			w.remove(m)
		}
	}
}

func (w *world) newOrganization() {
	w.tick(1)
	o := &worldOrganization{id: w.id("org_"), name: w.word("Name"), slug: w.word("slug-")[:6], created: w.now, updated: w.now}
	w.organizations = append(w.organizations, o)
	w.emit("organization.created", w.organizationData(o, true))
}

func (w *world) newUser(silent bool) {
	w.tick(1)
	u := &worldUser{
		id: w.id("user_"), first: w.word("First"), last: w.word("Last"), silent: silent, created: w.now, updated: w.now,
	}
	u.email = u.id + "@acme.example"
	w.users = append(w.users, u)
	if !silent {
		w.emit("user.created", w.userData(u))
	}
}

func (w *world) join(organization *worldOrganization, user *worldUser) {
	before := w.latest(organization, user)
	if organization.tomb > 0 || user.tomb > 0 || before != nil && before.tomb == 0 {
		return
	}
	w.tick(1)
	w.now += 2 // a new incarnation is never as old as the last one
	m := &worldMember{id: w.id("orgmem_"), organization: organization, user: user, role: "org:member"}
	if w.sameID && before != nil {
		w.now += 100
		m.id = before.id
	}
	m.created, m.updated = w.now, w.now
	w.members = append(w.members, m)
	w.emitMember("created", m)
}

func (w *world) remove(m *worldMember) {
	if w.bare {
		m.tomb = w.emit("organizationMembership.deleted", object{"id": m.id, "deleted": true})
		return
	}
	m.tomb = w.emitMember("deleted", m)
}

func (w *world) changeRole() {
	w.tick(1)
	if len(w.roles) > 0 && w.random.IntN(3) > 0 {
		r := pick(w.random, w.roles)
		switch {
		case r.tomb > 0:
		case w.random.IntN(5) == 0:
			r.tomb = w.emit("role.deleted", object{"id": r.id, "deleted": true, "slug": nil})
		default:
			r.permissions, r.updated = []string{"org:documents:" + w.word("p"), "org:sys_memberships:read"}, w.now
			w.emit("role.updated", w.roleData(r))
		}
		return
	}
	w.now++ // two roles of one key are never equally old
	r := &worldRole{
		id: w.id("role_"), key: pick(w.random, []string{"org:admin", "org:member"}), name: w.word("Role"), created: w.now, updated: w.now,
	}
	r.permissions = []string{"org:documents:read"}
	w.roles = append(w.roles, r)
	w.emit("role.created", w.roleData(r))
}

// member is the pair's membership where it can change.
func (w *world) member(organization *worldOrganization, user *worldUser) *worldMember {
	m := w.latest(organization, user)
	if m == nil || m.tomb > 0 || organization.tomb > 0 || user.tomb > 0 {
		return nil
	}
	return m
}

// latest is the pair's newest membership, over or not.
func (w *world) latest(organization *worldOrganization, user *worldUser) *worldMember {
	var found *worldMember
	for _, m := range w.members {
		if m.organization == organization && m.user == user {
			found = m
		}
	}
	return found
}

// tick lets time pass; in a tie none does.
func (w *world) tick(least int64) {
	if w.ties == 0 || w.random.Float64() >= w.ties {
		w.now += least + w.random.Int64N(400)
	}
}

func (w *world) id(kind string) string {
	return fmt.Sprintf("%s%s%c%d", kind, w.prefix, "aAbB"[w.random.IntN(4)], w.random.Int64N(1e9))
}

func (w *world) word(kind string) string { return fmt.Sprintf("%s%d", kind, w.random.IntN(20)) }

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

// delivery is a random order of the events with some of them sent more than once.
func (w *world) delivery() []worldEvent { return w.deliveryOf(w.events) }

// lossy is a delivery in which one event in so many never comes.
func (w *world) lossy(oneIn int) []worldEvent {
	kept := make([]worldEvent, 0, len(w.events))
	for _, e := range w.events {
		if w.random.IntN(oneIn) > 0 {
			kept = append(kept, e)
		}
	}
	return w.deliveryOf(kept)
}

func (w *world) deliveryOf(events []worldEvent) []worldEvent {
	sent := append(make([]worldEvent, 0, 2*len(events)), events...)
	for _, e := range events {
		for w.random.IntN(4) == 0 {
			sent = append(sent, e)
		}
	}
	w.random.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
	return sent
}
