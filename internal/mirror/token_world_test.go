package mirror

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/store"
)

const (
	tokenLife = 60_000 // ms
	leeway    = 5_000  // that the verifier gives a token after its end, and auth.Correct a fact of the mirror
)

// meeting is a Clerk whose clock goes on, the copy of it, and between them webhooks that are late, lost, repeated and out
// of order; and the tokens with which its users come meanwhile.
type meeting struct {
	*world
	t      testing.TB
	copied *model
	asks   *asks
	skew   int64       // how far, in ms, the clock of tokens is from that of events at most
	due    []happening // by time, the last first
	sent   int         // how many of the world's events are on their way, or lost
	tokens []token
	// stays are the roles that each pair had, "" for none, the newest last.
	stays map[pair][]stay
	// ends are when, by the time that the copy is told, memberships of a pair ended; known are the deletions applied.
	ends  map[pair][]int64
	known map[string]int64
}

type happening struct {
	at int64
	do func()
}

type stay struct {
	role string
	from int64
}

type token struct {
	pair   pair
	minted int64 // in ms; claims have seconds
	claims *auth.Claims
}

// granted is what Clerk puts into tokens of a role; roleRows have more.
var granted = map[string][]string{
	"org:admin":  {"org:documents:delete", "org:documents:read", "org:reports:export"},
	"org:member": {"org:documents:read", "org:documents:share"},
	"org:guest":  {"org:documents:read"},
}

// systems are a role's system permissions, which only its row has.
var systems = map[string][]string{
	"org:admin":  {"org:sys_memberships:manage", "org:sys_memberships:read"},
	"org:member": {"org:sys_memberships:read"},
}

// beyondPlan is in all rows although the organization's plan has no such feature, so that no token ever has it.
const beyondPlan = "org:billing:pay"

func newMeeting(t testing.TB, w *world, skew int64) *meeting {
	m := &meeting{
		world: newWorld(w, 0), t: t, skew: skew, copied: newModel(), asks: newAsks(),
		stays: map[pair][]stay{}, ends: map[pair][]int64{}, known: map[string]int64{},
	}
	for _, key := range []string{"org:admin", "org:member", "org:guest"} {
		m.now += 10
		r := &worldRole{id: m.id("role_"), key: key, name: key, created: m.now, updated: m.now}
		r.permissions = slices.Concat(granted[key], systems[key], []string{beyondPlan})
		m.roles = append(m.roles, r)
		m.emit("role.created", m.roleData(r))
	}
	m.send()
	return m
}

// step lets some time pass and one thing happen: to Clerk, to a token, to the copy, or a request.
func (m *meeting) step(request func(token)) {
	m.now += 1 + m.random.Int64N([]int64{40, 1500, 8000}[m.random.IntN(3)])
	for len(m.due) > 0 && m.due[len(m.due)-1].at <= m.now {
		next := m.due[len(m.due)-1]
		m.due = m.due[:len(m.due)-1]
		next.do()
	}
	m.tokens = slices.DeleteFunc(m.tokens, func(k token) bool { return m.now >= k.claims.ExpiresAt.UnixMilli()+leeway })
	switch n := m.random.IntN(100); {
	case n < 8:
		m.staff()
		m.note()
		m.send()
	case n < 26:
		m.mint(pick(m.random, m.organizations), pick(m.random, m.users))
	case n < 28:
		m.compare(pick(m.random, m.organizations), pick(m.random, m.users))
	case len(m.tokens) > 0:
		request(pick(m.random, m.tokens))
	}
}

// staff is one change to who is what in which organization.
func (m *meeting) staff() {
	organization, user := pick(m.random, m.organizations), pick(m.random, m.users)
	member := m.member(organization, user)
	if m.random.IntN(3) == 0 {
		m.mint(organization, user) // a token of just before
	}
	switch n := m.random.IntN(100); {
	case n < 2 && organization.tomb == 0:
		m.deleteOrganization(organization)
	case n < 4 && user.tomb == 0:
		m.deleteUser(user)
	case n < 8 && len(m.organizations) < m.crowd:
		m.newOrganization()
	case n < 12 && len(m.users) < m.crowd:
		m.newUser(m.random.IntN(3) == 0)
	case member == nil:
		m.join(organization, user)
	case n < 60:
		m.changeRoleOf(member)
	default:
		m.tick(1)
		m.remove(member)
		if m.random.IntN(3) == 0 {
			m.after(m.random.Int64N(12_000), func() { m.joinAgain(organization, user) })
		}
	}
}

func (m *meeting) joinAgain(organization *worldOrganization, user *worldUser) {
	m.join(organization, user)
	m.note()
	m.send()
	m.mint(organization, user)
}

// note remembers what the last change made of each pair.
func (m *meeting) note() {
	for _, o := range m.organizations {
		for _, u := range m.users {
			p, role := pair{o.id, u.id}, ""
			if member := m.member(o, u); member != nil {
				role = member.role
			}
			before := m.stays[p]
			if len(before) == 0 || before[len(before)-1].role != role {
				m.stays[p] = append(before, stay{role, m.now})
			}
			if last := m.latest(o, u); last != nil && last.tomb > 0 && !slices.Contains(m.ends[p], last.tomb) {
				m.ends[p] = append(m.ends[p], last.tomb)
			}
		}
	}
}

// send puts new events on their way: one in ten is lost for good, one in five comes twice, one in ten takes minutes.
func (m *meeting) send() {
	for _, e := range m.events[m.sent:] {
		m.sent++
		if m.random.IntN(10) == 0 {
			continue
		}
		for again := true; again; again = m.random.IntN(5) == 0 {
			m.after(m.random.Int64N([]int64{50, 2000, 2000, 20_000, 300_000}[m.random.IntN(5)]), func() { m.apply(e.change) })
		}
	}
}

func (m *meeting) after(wait int64, do func()) {
	at := m.now + wait
	i, _ := slices.BinarySearchFunc(m.due, at, func(h happening, at int64) int { return int(at - h.at) })
	m.due = slices.Insert(m.due, i, happening{at, do})
}

func (m *meeting) apply(c change) {
	if err := c.apply(m.copied); err != nil {
		m.t.Fatal(err)
	}
	if id, at := deletion(c); at > 0 {
		m.known[id] = max(m.known[id], at)
	}
}

// mint makes a token for a member, as their session does every minute, and sooner where it is asked to.
func (m *meeting) mint(organization *worldOrganization, user *worldUser) {
	member := m.member(organization, user)
	if member == nil {
		return
	}
	issued := time.Unix((m.now+m.random.Int64N(2*m.skew+1)-m.skew)/1000, 0)
	m.tokens = append(m.tokens, token{
		pair: pair{organization.id, user.id}, minted: m.now,
		claims: &auth.Claims{
			UserID: user.id, SessionID: "sess_1", Version: 2, IssuedAt: issued, ExpiresAt: issued.Add(tokenLife * time.Millisecond),
			Features:     []string{"o:documents", "o:reports"},
			Organization: &auth.ActiveOrganization{ID: organization.id, Role: member.role, Permissions: granted[member.role]},
		},
	})
}

// ask is what a request in doubt does: a while later Clerk is read, and a while after that the copy has the answer; or
// neither.
func (m *meeting) ask(p pair) {
	m.asks.add(Claim{OrganizationID: p.organization, UserID: p.user}, time.UnixMilli(m.now))
	select {
	case <-m.asks.waiting:
	default:
		return
	}
	if m.random.IntN(5) == 0 {
		return
	}
	m.after(m.random.Int64N(5000), func() {
		if answer := m.read(p); answer != nil {
			m.after(m.random.Int64N(20_000), func() { m.apply(answer) })
		}
	})
}

// date is the Date of an answer given now: it has seconds.
func (m *meeting) date() int64 { return m.now / 1000 * 1000 }

// read is Clerk's answer about a pair; nil where it has no such membership.
func (m *meeting) read(p pair) change {
	member := m.current(p)
	if member == nil {
		return nil
	}
	raw, err := json.Marshal(m.memberData(member))
	if err != nil {
		m.t.Fatal(err)
	}
	r, err := readMembership(raw, m.date())
	if err != nil {
		m.t.Fatal(err)
	}
	return r.change
}

// compare is what a comparison does with a membership that the copy takes for living and Clerk does not list.
func (m *meeting) compare(organization *worldOrganization, user *worldUser) {
	p := pair{organization.id, user.id}
	incarnations, _ := m.copied.Incarnations(p.organization, p.user)
	last := m.latest(organization, user)
	if len(incarnations) == 0 || last == nil {
		return
	}
	row := effective(incarnations)
	current := m.current(p)
	if dead(row.MirrorRow) || current != nil && current.id == row.ID {
		return
	}
	if answer := m.read(p); answer != nil {
		m.apply(answer)
	}
	at := m.date()
	ref := store.MirrorRef{ID: row.ID, CreatedAt: row.CreatedAt, OrganizationID: row.OrganizationID, UserID: row.UserID}
	m.apply(vanished(kind{name: store.MirrorMemberships}, ref, at))
	m.ends[p] = append(m.ends[p], max(at, ref.CreatedAt))
	if current == nil && last.id == row.ID {
		m.known[row.ID] = max(m.known[row.ID], last.tomb) // it need not be this late, and means this end
	}
}

// current is the membership that a pair has at Clerk; nil for none.
func (m *meeting) current(p pair) *worldMember {
	for _, member := range slices.Backward(m.members) {
		if member.organization.id == p.organization && member.user.id == p.user {
			if member.tomb > 0 || member.organization.tomb > 0 || member.user.tomb > 0 {
				return nil
			}
			return member
		}
	}
	return nil
}

// lately are the roles that a pair had within the last moments in which a token can still say so.
func (m *meeting) lately(p pair) (roles []string) {
	until := m.now
	for _, s := range slices.Backward(m.stays[p]) {
		if until < m.now-tokenLife-leeway-m.skew {
			break
		}
		roles = append(roles, s.role)
		until = s.from
	}
	return roles
}

// removalKnown says that the pair is out of the organization, and that the copy was told.
func (m *meeting) removalKnown(p pair) bool {
	if m.known[p.organization] > 0 || m.known[p.user] > 0 {
		return true
	}
	for _, member := range slices.Backward(m.members) {
		if member.organization.id == p.organization && member.user.id == p.user {
			// A bare deletion may not say whose.
			return member.tomb > 0 && m.known[member.id] >= member.tomb && m.copied.memberships[member.id].UserID != ""
		}
	}
	return false
}

// allowed says that one of the roles may have the permission: from a token, or as a system permission from a row.
func allowed(roles []string, permission string) bool {
	from := granted
	if strings.HasPrefix(permission, "org:sys_") {
		from = systems
	}
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(from[role], permission) })
}
