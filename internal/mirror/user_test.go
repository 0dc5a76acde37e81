package mirror

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// userSays is one statement about user_1: an event, or with read an answer of the Backend API.
func userSays(updated, at int64, read, banned, deprovisioned bool) userChange {
	p := userProfile{banned: banned, deprovisioned: deprovisioned}
	s := live("user_1", 1, updated, at, rankEvent, p.digest())
	if read {
		s = authoritative(s, at)
	}
	return userChange{s, p}
}

// Of statements of one updated_at the one that bars the user counts, in either order of arrival, until a later read or a
// greater updated_at.
func TestEqualTimesAreSettledTowardsRefusal(t *testing.T) {
	t.Parallel()
	const event, read = false, true
	free := func(updated, at int64, read bool) userChange { return userSays(updated, at, read, false, false) }
	ban := func(updated, at int64, read bool) userChange { return userSays(updated, at, read, true, false) }
	for name, test := range map[string]struct {
		said      []userChange
		barred    bool
		needsRead bool
	}{
		"a ban":                             {[]userChange{free(10, 11, event), ban(20, 21, event)}, true, false},
		"its end":                           {[]userChange{ban(20, 21, event), free(30, 31, event)}, false, false},
		"a ban of the same time":            {[]userChange{free(20, 21, event), ban(20, 22, event)}, true, true},
		"no ban of the same time":           {[]userChange{ban(20, 21, event), free(20, 22, event)}, true, true},
		"a ban after a read":                {[]userChange{free(20, 5000, read), ban(20, 5001, event)}, true, true},
		"a ban in the second of a read":     {[]userChange{free(20, 5000, read), ban(20, 5999, event)}, true, true},
		"a ban that a later read has not":   {[]userChange{ban(20, 4999, event), free(20, 5000, read)}, false, false},
		"two reads, the ban first":          {[]userChange{ban(20, 5000, read), free(20, 6000, read)}, false, false},
		"two reads, the ban last":           {[]userChange{free(20, 5000, read), ban(20, 6000, read)}, true, false},
		"two reads of a second":             {[]userChange{free(20, 5000, read), ban(20, 5000, read)}, true, true},
		"deprovisioned":                     {[]userChange{userSays(20, 21, event, false, true)}, true, false},
		"a ban, and a newer read without":   {[]userChange{ban(20, 9000, event), free(30, 5000, read)}, false, false},
		"a ban that is newer than the read": {[]userChange{free(20, 9000, read), ban(30, 5000, event)}, true, false},
	} {
		for _, backwards := range []bool{false, true} {
			m := newModel()
			for i := range test.said {
				if backwards {
					i = len(test.said) - 1 - i
				}
				if err := test.said[i].apply(m); err != nil {
					t.Fatal(err)
				}
			}
			if row := m.users["user_1"]; barred(row) != test.barred || row.NeedsRead != test.needsRead {
				t.Errorf("%s, backwards is %t: barred is %t, and to be read %t", name, backwards, barred(row), row.NeedsRead)
			}
		}
	}
}

// The same statements in any order end in the same row, and at no moment has a user rights whom the statements that have
// arrived bar.
func TestBansAreOrderFree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		one := rapid.Custom(func(t *rapid.T) userChange {
			if rapid.IntRange(0, 9).Draw(t, "what") == 0 {
				return userChange{statement: deleted("user_1", rapid.Int64Range(0, 3).Draw(t, "tomb"))}
			}
			return userSays(rapid.Int64Range(10, 12).Draw(t, "updated"), rapid.Int64Range(10, 20).Draw(t, "at"),
				rapid.Bool().Draw(t, "read"), rapid.Bool().Draw(t, "banned"), rapid.Bool().Draw(t, "deprovisioned"))
		})
		said := rapid.SliceOfN(one, 1, 6).Draw(t, "said")
		sent := rapid.Permutation(append(said, rapid.SliceOfN(rapid.SampledFrom(said), 0, 3).Draw(t, "again")...)).Draw(t, "sent")
		straight, shuffled := newModel(), newModel()
		for _, c := range said {
			_ = c.apply(straight)
		}
		for i, c := range sent {
			_ = c.apply(shuffled)
			if row := shuffled.users["user_1"]; !dead(row.MirrorRow) && barred(row) != barredBy(sent[:i+1]) {
				t.Fatalf("barred is %t after %+v", barred(row), sent[:i+1])
			}
		}
		a, b := straight.users["user_1"], shuffled.users["user_1"]
		if dead(a.MirrorRow) && dead(b.MirrorRow) {
			return
		}
		if a != b {
			t.Fatalf("in order %+v\nshuffled %+v", a, b)
		}
	})
}

// barredBy is the rule in other words: of the statements with the greatest updated_at, one bars the user, and no read is
// later than the last that does.
func barredBy(said []userChange) bool {
	var newest, barring, cleared int64
	for _, c := range said {
		newest = max(newest, c.version.UpdatedAt)
	}
	for _, c := range said {
		switch {
		case c.tombAt > 0 || c.version.UpdatedAt != newest:
		case c.profile.banned || c.profile.deprovisioned:
			barring = max(barring, c.version.EnvTS, c.version.AuthAt)
		case c.version.Rank == rankRead:
			cleared = max(cleared, c.version.AuthAt)
		}
	}
	return barring > 0 && barring >= cleared
}

// A ban arrives as user.updated, is in the facts and in the list of members at once, and ends by another one. A lock is shown
// and takes no rights.
func TestABanThroughPostgres(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	w, m := f.joined(t, "ban")
	f.run(t)
	shown := func() string {
		return f.value(t, "SELECT concat_ws(' ', banned, deprovisioned, locked) FROM public.members WHERE user_id = $1", m.user.id)
	}
	for _, step := range []struct {
		name   string
		change func(data object)
		barred bool
		shown  string
	}{
		{"locked", func(data object) { data["locked"] = true }, false, "f f t"},
		{"banned", func(data object) { data["banned"] = true }, true, "t f f"},
		{"no more", func(object) {}, false, "f f f"},
		{"deprovisioned", func(data object) { data["deprovisioned"] = true }, true, "f t f"},
	} {
		f.remembered(t, m.organization.id, m.user.id)
		w.tick(1)
		m.user.updated = w.now
		data := w.userData(m.user)
		step.change(data)
		w.emit("user.updated", data)
		f.receiveAll(t, w)
		if facts, _ := f.reads(t, m.organization.id, m.user.id, "sess_1", ""); facts.UserBarred != step.barred {
			t.Errorf("%s: %+v", step.name, facts)
		}
		if got := shown(); got != step.shown {
			t.Errorf("%s: shown as %s", step.name, got)
		}
	}
	// The Backend API's answer counts as well, and comparing with it finds what no event told of.
	raw := fmt.Sprintf(`{"id": %q, "created_at": %d, "updated_at": %d, "banned": true}`, m.user.id, m.user.created, m.user.updated)
	read, err := readUser([]byte(raw), w.now+5000)
	if err != nil {
		t.Fatal(err)
	}
	if got := judge(usersKind, store.MirrorSummary{MirrorRow: f.load(t).users[m.user.id].MirrorRow}, true, read); got != differing {
		t.Errorf("a ban that the copy has not: %v", got)
	}
	if err := f.applyBatch(t.Context(), usersKind, []reading{read}); err != nil {
		t.Fatal(err)
	}
	if facts, _ := f.reads(t, m.organization.id, m.user.id, "sess_1", ""); !facts.UserBarred || shown() != "t f f" {
		t.Errorf("read: %+v, shown as %s", facts, shown())
	}
	w.tick(1)
	w.remove(m)
	f.receiveAll(t, w)
	if shown() != "f f f" {
		t.Errorf("who left is shown as %s", shown())
	}
}
