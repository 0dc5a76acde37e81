package mirror

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/tenantry/tenantry/store"
)

const (
	// pageSize is the most that Clerk gives at once.
	pageSize = 500
	// appliers is how many rows of a page are written at the same time, each in a transaction of its own.
	appliers = 4
)

// list merges everything that Clerk lists of a kind, page by page, from where it was left.
func (s *sweep) list(ctx context.Context, k kind) error {
	s.Progress(string(k.name), s.row.Position, 0)
	for {
		page, err := s.config.Backend.page(ctx, k, s.row.Position, pageSize)
		if err != nil {
			return err
		}
		s.at = page.at
		report := s.of(string(k.name))
		report.Listed += page.entries
		report.Unreadable += page.unreadable
		if err := s.merge(ctx, k, page.readings); err != nil {
			return err
		}
		s.row.Position += page.entries
		if err := s.save(ctx, k.name, statedIDs(page.readings)); err != nil {
			return err
		}
		s.Progress(string(k.name), s.row.Position, page.total)
		if page.entries < pageSize {
			return nil
		}
	}
}

// merge writes what is not as it was read. What is equal is found in one statement and left alone.
func (s *sweep) merge(ctx context.Context, k kind, readings []reading) error {
	if len(readings) == 0 {
		return nil
	}
	ids := statedIDs(readings)
	var rows map[string]store.MirrorSummary
	err := s.store.Mirror(ctx, func(tx *store.MirrorTx) (err error) {
		rows, err = tx.Summaries(k.name, ids)
		return err
	})
	if err != nil {
		return err
	}
	report := s.of(string(k.name))
	wanted := report.judge(k, rows, readings)
	if !s.changes {
		return nil
	}
	changed, rest, err := s.applyBatches(ctx, k, wanted)
	report.Changed += changed
	if err != nil {
		return err
	}
	changed, refused, err := s.applyAll(ctx, rest)
	report.Changed += changed
	report.Unreadable += refused
	return err
}

// judge counts how the rows stand to what Clerk shows, and returns what is to be written.
func (report *KindReport) judge(k kind, rows map[string]store.MirrorSummary, readings []reading) (wanted []reading) {
	for _, r := range readings {
		row, found := rows[r.statement.id]
		switch judge(k, row, found, r) {
		case same:
			continue
		case missing:
			report.Missing++
		case differing:
			report.Differing++
		case untold:
		}
		wanted = append(wanted, r)
	}
	return wanted
}

// verdict is how a row stands to what Clerk shows of the object.
type verdict int

const (
	same verdict = iota
	missing
	differing
	// untold is no drift, because no event tells of it: a membership's snapshot of a person who was renamed since, an
	// invitation that expired, or a row that waits for a read.
	untold
)

func judge(k kind, row store.MirrorSummary, found bool, r reading) verdict {
	s := r.statement
	if !found || stub(row.MirrorRow) && !dead(row.MirrorRow) {
		return missing
	}
	if dead(row.MirrorRow) && s.createdAt <= row.TombAt {
		if row.TombAt > s.version.AuthAt {
			return same // deleted after Clerk listed it
		}
		return differing
	}
	fields := row.UpdatedAt == s.version.UpdatedAt && row.CreatedAt == s.createdAt
	if c, ok := r.change.(invitationChange); ok && settled(row.Status) != settled(c.status) {
		switch {
		case settled(row.Status):
			return same // and nothing changes that
		case fields && c.status == "expired":
			return untold
		}
		return differing
	}
	switch {
	case fields && row.Digest == s.version.Digest && !row.NeedsRead:
		return same
	case compareVersions(row.MirrorVersion, s.version) >= 0:
		return same // we have heard of something newer
	case fields && row.NeedsRead:
		return untold
	case fields && k.name == store.MirrorMemberships && row.Role == r.change.(membershipChange).role:
		return untold
	}
	return differing
}

// applyBatches merges many in one transaction. rest is what is left for transactions of their own: kinds of which there
// are few, and batches with something in them that cannot be merged so.
func (s *sweep) applyBatches(ctx context.Context, k kind, readings []reading) (changed int, rest []reading, err error) {
	if batches[k.name] == nil {
		return 0, readings, nil
	}
	for part := range slices.Chunk(readings, batchSize) {
		switch err := s.applyBatch(ctx, k, part); {
		case err == nil:
			changed += len(part)
		case errors.Is(err, errNotInBatch), errors.Is(err, errPairLearnt), isPermanent(err), errors.Is(err, store.ErrUnstorable):
			rest = append(rest, part...)
		default:
			return changed, nil, err
		}
	}
	return changed, rest, nil
}

// applyAll merges each in a transaction of its own, a few at a time. refused is how many contradict what is known
// for good.
func (s *sweep) applyAll(ctx context.Context, readings []reading) (changed, refused int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan reading)
	var group sync.WaitGroup
	var mu sync.Mutex
	for range min(appliers, len(readings)) {
		group.Go(func() {
			for r := range work {
				err := s.applyOne(ctx, r.change)
				mu.Lock()
				switch {
				case err == nil:
					changed++
				case isPermanent(err) || errors.Is(err, store.ErrUnstorable):
					refused++
					s.config.Logger.Error("mirror: what Clerk lists cannot be merged", "id", r.statement.id, "error", err)
				default:
					cancel(err)
				}
				mu.Unlock()
			}
		})
	}
feeding:
	for _, r := range readings {
		select {
		case work <- r:
		case <-ctx.Done():
			break feeding
		}
	}
	close(work)
	group.Wait()
	return changed, refused, context.Cause(ctx)
}

// applyOne merges one change in its own transaction.
func (m *Mirror) applyOne(ctx context.Context, c change) error {
	return m.store.Mirror(ctx, func(tx *store.MirrorTx) error { return c.apply(tx) })
}
