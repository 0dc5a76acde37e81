package mirror

import (
	"math/rand/v2"
	"testing"
)

// naive is a mirror as it is usually written. Each of its shortcuts is one that the real one does not take.
type naive struct {
	lastArrival bool // take whatever comes last, not what is newest
	tombstones  bool // remember deletions
	byPair      bool // one row per organization and user
	needParents bool // drop what comes before its organization or user

	rows map[string]naiveRow
}

type naiveRow struct {
	updated int64
	gone    bool
	pair    pair
	text    string // a membership's role, an organization's or a user's name
}

func (n *naive) apply(c change) {
	switch c := c.(type) {
	case organizationChange:
		n.put(c.id, c.statement, naiveRow{text: c.name})
	case userChange:
		n.put(c.id, c.statement, naiveRow{text: deref(c.profile.firstName)})
	case membershipChange:
		p := pair{c.organizationID, c.userID}
		if n.needParents && (!n.known(p.organization) || !n.known(p.user)) {
			return
		}
		key := c.id
		if n.byPair {
			key = p.organization + " " + p.user
		}
		n.put(key, c.statement, naiveRow{pair: p, text: c.role})
	}
}

func (n *naive) known(id string) bool {
	_, known := n.rows[id]
	return known
}

func (n *naive) put(key string, s statement, row naiveRow) {
	old, known := n.rows[key]
	switch {
	case s.tombAt > 0 && n.tombstones:
		old.gone, old.pair = true, row.pair
		n.rows[key] = old
	case s.tombAt > 0:
		delete(n.rows, key)
	case old.gone, known && !n.lastArrival && s.version.UpdatedAt < old.updated:
	default:
		row.updated = s.version.UpdatedAt
		n.rows[key] = row
	}
}

func (n *naive) access(p pair) string {
	if n.rows[p.organization].gone || n.rows[p.user].gone {
		return ""
	}
	for _, row := range n.rows {
		if row.pair == p && !row.gone {
			return row.text
		}
	}
	return ""
}

// wrong says whether it grants what Clerk does not, or names what lives otherwise.
func (n *naive) wrong(w *world) bool {
	for p, role := range w.reference().access {
		if n.access(p) != role {
			return true
		}
	}
	for _, o := range w.organizations {
		if o.tomb == 0 && n.rows[o.id].text != o.name {
			return true
		}
	}
	for _, u := range w.users {
		if u.tomb == 0 && !u.silent && n.rows[u.id].text != u.first {
			return true
		}
	}
	return false
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// TestShortcutsEndWrong shows that the histories of the proofs are hard: mirrors with the usual shortcuts fail them.
func TestShortcutsEndWrong(t *testing.T) {
	t.Parallel()
	histories := scale(150, 10_000)
	for name, shortcut := range map[string]naive{
		"the last arrival wins":                        {lastArrival: true},
		"the last arrival wins, with tombstones":       {lastArrival: true, tombstones: true},
		"the last write wins, deletions are forgotten": {},
		"one row per organization and user":            {byPair: true},
		"what comes before its parents is dropped":     {tombstones: true, needParents: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrong := 0
			for i := range histories {
				w := newWorld(&world{regime: regimes[0], random: rand.New(rand.NewPCG(42, uint64(i))), crowd: 8}, 120)
				n := shortcut
				n.rows = map[string]naiveRow{}
				for _, e := range w.delivery() {
					n.apply(e.change)
				}
				if n.wrong(w) {
					wrong++
				}
			}
			t.Logf("wrong in %d of %d", wrong, histories)
			if wrong <= histories/2 {
				t.Errorf("wrong in only %d of %d histories", wrong, histories)
			}
		})
	}
}
