package mirror

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/store"
)

const (
	// A comparison that would end more than so many of a kind, and more than so large a part, is wrong more likely than
	// Clerk has lost so many.
	manyEnds = 10
	partEnds = 100 // one in so many
	// confirmed is how many are read before they are read again.
	confirmed = 500
)

// tooMany says that fewer of what lives are likely to be gone.
func tooMany(candidates, live int) bool {
	return candidates > manyEnds && candidates*partEnds > live
}

// newsBefore is when there must have been the last news of what a list of that time lacks, for it to be a candidate.
func newsBefore(at int64, minAge time.Duration) int64 {
	return at + 1000 - minAge.Milliseconds() // a Date has seconds: what happened within its own is older than the answer
}

// end marks as deleted what the lists did not have and what Clerk, asked twice, does not know.
func (s *sweep) end(ctx context.Context, k kind) error {
	before := newsBefore(s.at, s.config.MinAge)
	report := s.of(string(k.name))
	var candidates, live int
	err := s.store.Mirror(ctx, func(tx *store.MirrorTx) (err error) {
		candidates, live, err = tx.CountUnseen(s.row.Generation, k.name, before)
		return err
	})
	if err != nil {
		return err
	}
	if tooMany(candidates, live) && !s.AllowMassDeletion {
		report.Extra += candidates
		report.Refused += candidates
		s.config.Logger.Error("mirror: too much is missing in Clerk's lists to be true; nothing of this kind is ended",
			"kind", k.name, "missing", candidates, "live", live)
		return nil
	}
	asked := s.asking(k, candidates)
	for behind := ""; ; {
		var refs []store.MirrorRef
		err := s.store.Mirror(ctx, func(tx *store.MirrorTx) (err error) {
			unseen := tx.Unseen
			if !s.changes {
				// What is dead with its organization or user gives no access, and is drift to nobody: Clerk may tell of it or not.
				unseen = tx.UnseenReachable
			}
			refs, err = unseen(s.row.Generation, k.name, before, behind, confirmed)
			return err
		})
		if err != nil || len(refs) == 0 {
			return err
		}
		behind = refs[len(refs)-1].ID
		if err := s.endGone(ctx, k, refs, asked); err != nil {
			return err
		}
	}
}

// asking returns what is to be called after each request for one of the candidates. There are two for each that is gone.
func (s *sweep) asking(k kind, candidates int) (asked func()) {
	done, total := 0, candidates
	if s.changes {
		total *= 2
	}
	return func() {
		done++
		s.Progress(Asking+string(k.name), done, max(done, total))
	}
}

// endGone reads objects one by one, waits, and reads those again that were not there.
func (s *sweep) endGone(ctx context.Context, k kind, refs []store.MirrorRef, asked func()) error {
	report := s.of(string(k.name))
	var gone []store.MirrorRef
	for _, ref := range refs {
		at, err := s.look(ctx, k, ref)
		if err != nil {
			return err
		}
		if at > 0 {
			gone = append(gone, ref)
		}
		asked()
	}
	if !s.changes || len(gone) == 0 {
		report.Extra += len(gone)
		return nil
	}
	if s.config.ConfirmAfter > 0 {
		s.Waiting(string(k.name), len(gone), s.config.ConfirmAfter)
	}
	select {
	case <-time.After(s.config.ConfirmAfter):
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, ref := range gone {
		at, err := s.look(ctx, k, ref)
		if err != nil {
			return err
		}
		asked()
		if at == 0 {
			continue
		}
		report.Extra++
		if err := s.applyOne(ctx, vanished(k, ref, at)); err != nil {
			return err
		}
		report.Tombstoned++
	}
	return nil
}

// look reads one object and merges what is there. gone is when there was no such object.
func (s *sweep) look(ctx context.Context, k kind, ref store.MirrorRef) (gone int64, err error) {
	found, gone, err := s.config.Backend.one(ctx, k, ref)
	if isPermanent(err) {
		// Such an id cannot be asked for, so nothing is known of the object.
		s.config.Logger.Error("mirror: one of the copy's objects cannot be asked for", "kind", k.name, "error", err)
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if s.changes {
		err = s.applyEach(ctx, found)
	}
	return gone, err
}
