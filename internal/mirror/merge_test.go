package mirror

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/store"
)

// row is a row with one version; created, updated and env are times, tomb is 0 for none.
func row(created, tomb, updated, env int64, rank int16, digest string) store.MirrorRow {
	return store.MirrorRow{
		CreatedAt: created, TombAt: tomb,
		MirrorVersion: store.MirrorVersion{UpdatedAt: updated, EnvTS: env, Rank: rank, Digest: digest},
	}
}

func flagged(r store.MirrorRow) store.MirrorRow { r.NeedsRead = true; return r }

func read(r store.MirrorRow, at int64) store.MirrorRow { r.AuthAt, r.Rank = at, rankRead; return r }

func TestDecide(t *testing.T) {
	t.Parallel()
	const c, u, d, e, a = rankCreated, rankEvent, rankDeletion, rankEmbedded, "a"
	answer := live("x", 10, 30, 0, rankRead, "b")
	answer.version.AuthAt = 90
	gone := live("x", 10, 30, 50, d, "b")
	gone.tombAt = 50
	for name, test := range map[string]struct {
		row    store.MirrorRow
		say    statement
		learns bool
		want   store.MirrorRow
		take   bool
	}{
		"first sight":           {row(0, 0, 0, 0, 0, ""), live("x", 10, 10, 11, c, a), false, row(10, 0, 10, 11, c, a), true},
		"newer":                 {row(10, 0, 10, 11, c, a), live("x", 10, 20, 21, u, "b"), false, row(10, 0, 20, 21, u, "b"), true},
		"later envelope":        {row(10, 0, 20, 21, u, "b"), live("x", 10, 20, 22, c, "b"), false, row(10, 0, 20, 22, c, "b"), true},
		"earlier envelope":      {row(10, 0, 20, 22, c, a), live("x", 10, 20, 21, u, a), false, row(10, 0, 20, 22, c, a), false},
		"higher rank":           {row(10, 0, 20, 21, c, a), live("x", 10, 20, 21, u, a), false, row(10, 0, 20, 21, u, a), true},
		"older":                 {row(10, 0, 20, 21, u, a), live("x", 10, 10, 99, c, "b"), false, row(10, 0, 20, 21, u, a), false},
		"the same":              {row(10, 0, 20, 21, u, a), live("x", 10, 20, 21, u, a), false, row(10, 0, 20, 21, u, a), false},
		"embedded, as known":    {row(10, 0, 20, 21, u, a), live("x", 10, 20, 0, e, a), false, row(10, 0, 20, 21, u, a), false},
		"own, embedded known":   {row(10, 0, 20, 0, e, a), live("x", 10, 20, 21, u, a), false, row(10, 0, 20, 21, u, a), true},
		"tie":                   {row(10, 0, 20, 21, u, a), live("x", 10, 20, 21, u, "b"), false, flagged(row(10, 0, 20, 21, u, "b")), true},
		"tie, lesser":           {row(10, 0, 20, 21, u, "b"), live("x", 10, 20, 21, u, a), false, flagged(row(10, 0, 20, 21, u, "b")), false},
		"tie, embedded":         {row(10, 0, 20, 21, u, "b"), live("x", 10, 20, 0, e, a), false, flagged(row(10, 0, 20, 21, u, "b")), false},
		"newer after a tie":     {flagged(row(10, 0, 20, 21, u, a)), live("x", 10, 30, 31, u, "b"), false, row(10, 0, 30, 31, u, "b"), true},
		"older after a tie":     {flagged(row(10, 0, 20, 21, u, a)), live("x", 10, 15, 31, u, "b"), false, flagged(row(10, 0, 20, 21, u, a)), false},
		"read after a tie":      {flagged(row(10, 0, 30, 21, u, a)), answer, false, read(row(10, 0, 30, 0, 0, "b"), 90), true},
		"stale read":            {flagged(row(10, 0, 40, 41, u, a)), answer, false, flagged(row(10, 0, 40, 41, u, a)), false},
		"tie with a read":       {read(row(10, 0, 30, 0, 0, a), 90), live("x", 10, 30, 31, u, "b"), false, read(row(10, 0, 30, 0, 0, a), 90), false},
		"newer than a read":     {read(row(10, 0, 30, 0, 0, a), 90), live("x", 10, 31, 31, u, "b"), false, row(10, 0, 31, 31, u, "b"), true},
		"deletion":              {flagged(row(10, 0, 20, 21, u, a)), deleted("x", 50), false, row(10, 50, 20, 21, u, a), false},
		"deletion first":        {row(0, 0, 0, 0, 0, ""), deleted("x", 50), false, row(0, 50, 0, 0, 0, ""), false},
		"deletion with fields":  {row(10, 0, 40, 41, u, a), gone, true, row(10, 50, 30, 50, d, "b"), true},
		"deletion again":        {row(10, 50, 30, 50, d, "b"), gone, true, row(10, 50, 30, 50, d, "b"), false},
		"older deletion":        {row(10, 60, 20, 21, u, a), deleted("x", 50), false, row(10, 60, 20, 21, u, a), false},
		"late, dead":            {row(0, 50, 0, 0, 0, ""), live("x", 10, 20, 21, u, a), false, row(0, 50, 0, 0, 0, ""), false},
		"late, dead, as old":    {row(0, 50, 0, 0, 0, ""), live("x", 50, 60, 61, u, a), false, row(0, 50, 0, 0, 0, ""), false},
		"late, dead, learns":    {row(0, 50, 0, 0, 0, ""), live("x", 10, 20, 21, u, a), true, row(10, 50, 20, 21, u, a), true},
		"late, described":       {row(10, 50, 30, 50, d, "b"), live("x", 10, 90, 91, u, a), true, row(10, 50, 30, 50, d, "b"), false},
		"late, but a new life":  {row(10, 50, 30, 50, d, "b"), live("x", 51, 51, 52, c, a), true, row(51, 50, 51, 52, c, a), true},
		"late, of the old life": {row(51, 50, 51, 52, c, a), live("x", 10, 99, 99, u, "b"), true, row(51, 50, 51, 52, c, a), false},
		"deletion of old life":  {row(51, 0, 51, 52, c, a), gone, true, row(51, 50, 51, 52, c, a), false},
		"updated before made":   {row(0, 0, 0, 0, 0, ""), live("x", 10, 0, 11, c, a), false, row(10, 0, 10, 11, c, a), true},
	} {
		got, take := decide(test.row, test.say, test.learns)
		if got != test.want || take != test.take {
			t.Errorf("%s:\n got %+v, %t\nwant %+v, %t", name, got, take, test.want, test.take)
		}
	}
}

// held is a row together with the fields it would hold.
type held struct {
	row    store.MirrorRow
	fields string
}

func (h held) after(s statement, learns bool) held {
	next, take := decide(h.row, s, learns)
	h.row = next
	if take {
		h.fields = s.version.Digest
	}
	return h
}

// statements draws what Clerk can say of one object that is made, changed, and perhaps deleted and made again.
func statements(t *rapid.T) (said []statement) {
	now := rapid.Int64Range(100, 200).Draw(t, "now")
	for range rapid.IntRange(1, 2).Draw(t, "lives") {
		created, updated := now, now
		said = append(said, live("x", created, updated, now+rapid.Int64Range(0, 3).Draw(t, "late"), rankCreated, "v"))
		for range rapid.IntRange(0, 3).Draw(t, "updates") {
			now += rapid.Int64Range(0, 3).Draw(t, "pause")
			updated = now
			of := rapid.SampledFrom([]string{"u", "v", "w"}).Draw(t, "content")
			said = append(said, live("x", created, updated, now, rankEvent, of))
			if rapid.Bool().Draw(t, "embedded") {
				said = append(said, live("x", created, updated, 0, rankEmbedded, of))
			}
		}
		if !rapid.Bool().Draw(t, "dies") {
			return said
		}
		now += rapid.Int64Range(0, 3).Draw(t, "pause")
		death := deleted("x", now)
		if rapid.Bool().Draw(t, "described") {
			death = live("x", created, updated, now, rankDeletion, "last")
			death.tombAt = now
		}
		said = append(said, death)
		now++
	}
	return said
}

// TestDecideIsOrderFree: whatever the order and however often, the same statements end in the same row.
func TestDecideIsOrderFree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		said := statements(t)
		sent := rapid.Permutation(append(said, rapid.SliceOfN(rapid.SampledFrom(said), 0, 4).Draw(t, "again")...)).Draw(t, "sent")
		var straight, shuffled held
		for _, s := range said {
			straight = straight.after(s, true)
		}
		for _, s := range sent {
			shuffled = shuffled.after(s, true)
			if again := shuffled.after(s, true); again != shuffled {
				t.Fatalf("not idempotent: %+v, then %+v", shuffled, again)
			}
		}
		if straight != shuffled {
			t.Fatalf("in order %+v\nshuffled %+v", straight, shuffled)
		}
	})
}

// TestDecideWithoutLearningAgreesOnLife: a row that does not learn may hold other fields once it is dead, but lives and
// dies by the same statements.
func TestDecideWithoutLearningAgreesOnLife(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		said := statements(t)
		var learned, deaf held
		for _, s := range rapid.Permutation(said).Draw(t, "sent") {
			learned, deaf = learned.after(s, true), deaf.after(s, false)
		}
		if dead(learned.row) != dead(deaf.row) {
			t.Fatalf("%+v and %+v", learned, deaf)
		}
		if !dead(deaf.row) && learned != deaf {
			t.Fatalf("alive, and %+v is not %+v", learned, deaf)
		}
	})
}
