package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenantry/tenantry/store"
)

// Safe pauses for a Clerk that answers from several places: see Config.
const (
	DefaultConfirmAfter = time.Minute
	DefaultMinAge       = 5 * time.Minute
)

var (
	// ErrNoBackend says that the mirror was given no Backend API.
	ErrNoBackend = errors.New("mirror: there is no Backend API to read from")
	// ErrSweepElsewhere says that another process compares the copy with Clerk just now.
	ErrSweepElsewhere = errors.New("mirror: another process compares the copy with Clerk just now")
	// ErrOtherInstance says that the secret key is of a Clerk instance that is not ours, or that ours is not known yet.
	ErrOtherInstance = errors.New("mirror: the secret key (CLERK_SECRET_KEY) is not known to be of the Clerk instance whose tokens are taken")
)

// SweepOptions are for one comparison.
type SweepOptions struct {
	// AllowMassDeletion lets a comparison end more of a kind than is likely to be right.
	AllowMassDeletion bool
	// Projection has what requests read of members compared with the copy as well, and mended. Verify always does that.
	Projection bool
	// Progress, if given, hears how many entries of a list are done, of how many; total is 0 while that is not known, and for
	// good where Clerk does not say. It begins with what was done before. For what the lists did not have, which is asked
	// for one by one, the kind has Asking before it, and requests are counted.
	Progress func(kind string, done, total int)
	// Waiting, if given, hears that so many of a kind seem to be deleted and are read again after a pause.
	Waiting func(kind string, gone int, pause time.Duration)
}

// Asking is before the kind in what Progress hears of single requests.
const Asking = "asking "

// KindReport is what a comparison found of one kind.
type KindReport struct {
	// Listed is how many Clerk has, Changed how many rows were written.
	Listed  int `json:"listed"`
	Changed int `json:"changed"`
	// The drift: what Clerk has and the copy had not, what it showed otherwise, and what only the copy had.
	Missing   int `json:"missing"`
	Differing int `json:"differing"`
	Extra     int `json:"extra"`
	// Tombstoned is how many of Extra were marked as deleted; Refused how many were not looked at because they were
	// too many.
	Tombstoned int `json:"tombstoned"`
	Refused    int `json:"refused"`
	// Unreadable is how many entries of the list are not what they must be.
	Unreadable int `json:"unreadable"`
}

// Report is what a comparison of the copy with Clerk found, by kind: organizations, users, roles, memberships,
// permissions, invitations, domains, and members, which is what requests read of memberships.
type Report struct {
	Kinds map[string]*KindReport `json:"kinds"`
	// Resumed says that it went on with one that had been cut off.
	Resumed bool          `json:"resumed"`
	Took    time.Duration `json:"-"`
}

// Drift is how many rows were not as Clerk has them.
func (r Report) Drift() int {
	drift := 0
	for _, k := range r.Kinds {
		drift += k.Missing + k.Differing + k.Extra
	}
	return drift
}

// Names are the kinds that the report has, in the order of the comparison.
func (r Report) Names() []string {
	var names []string
	for _, name := range kindNames() {
		if r.Kinds[name] != nil {
			names = append(names, name)
		}
	}
	return names
}

// kindNames are all kinds of a report.
func kindNames() []string {
	var names []string
	for _, k := range mirrored {
		names = append(names, string(k.name))
	}
	return append(names, KindMembers)
}

// Refused is how many rows were left alone because they were too many to be likely deletions.
func (r Report) Refused() int {
	refused := 0
	for _, k := range r.Kinds {
		refused += k.Refused
	}
	return refused
}

const (
	// resumable is how old a comparison may be that is gone on with.
	resumable = time.Hour
	// keepSweeps is how long their reports are kept.
	keepSweeps = 30 * 24 * time.Hour
	// doneListing is the stage after the lists.
	doneListing = "ends"
	// forVerify is the generation of what Verify saw.
	forVerify = 0
)

// sweep is one comparison under way.
type sweep struct {
	*Mirror
	SweepOptions
	// changes is false where nothing of the copy may be changed.
	changes bool
	row     store.MirrorSweep
	report  Report
	// at is Clerk's time of the newest answer to begin with, then of the newest list.
	at int64
}

// Sweep reads everything from Clerk and makes the copy equal: it merges what is listed, and marks as deleted what two
// reads, Config.ConfirmAfter apart, did not find. It is the first filling of an empty copy as well. One that was cut off
// is gone on with. Returns ErrNoBackend, ErrSweepElsewhere, ErrOtherInstance, and what the Backend API or the database
// made fail; the report then has what was done until then.
func (m *Mirror) Sweep(ctx context.Context, options SweepOptions) (Report, error) {
	return m.compare(ctx, options, true)
}

// Verify finds what Sweep would, and changes nothing of the copy. What seems to be extra is read once.
func (m *Mirror) Verify(ctx context.Context, options SweepOptions) (Report, error) {
	return m.compare(ctx, options, false)
}

func (m *Mirror) compare(ctx context.Context, options SweepOptions, changes bool) (Report, error) {
	s := &sweep{Mirror: m, SweepOptions: options, changes: changes, report: Report{Kinds: map[string]*KindReport{}}}
	if s.Progress == nil {
		s.Progress = func(string, int, int) {}
	}
	if s.Waiting == nil {
		s.Waiting = func(string, int, time.Duration) {}
	}
	if m.config.Backend == nil {
		return s.report, ErrNoBackend
	}
	started := time.Now()
	led, err := m.store.Lead(ctx, leadName, s.run)
	if err == nil && !led {
		err = ErrSweepElsewhere
	}
	s.report.Took = time.Since(started)
	return s.report, err
}

func (s *sweep) run(ctx context.Context) error {
	var err error
	if s.at, err = s.checkInstance(ctx); err != nil {
		return err
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	if start := slices.IndexFunc(mirrored, func(k kind) bool { return string(k.name) == s.row.Stage }); start >= 0 {
		for i, k := range mirrored[start:] {
			if i > 0 {
				s.row.Position = 0
			}
			s.row.Stage = string(k.name)
			if err := s.list(ctx, k); err != nil {
				return err
			}
		}
	}
	s.row.Stage, s.row.Position = doneListing, 0
	if err := s.save(ctx, "", nil); err != nil {
		return err
	}
	for _, k := range mirrored {
		if err := s.end(ctx, k); err != nil {
			return err
		}
	}
	if s.changes {
		if err := s.retractBefore(ctx, s.row.StartedAt); err != nil {
			return err
		}
	}
	if err := s.project(ctx); err != nil {
		return err
	}
	return s.finish(ctx)
}

// checkInstance refuses to take another instance's objects, or the lack of them, for ours. at is Clerk's time.
func (m *Mirror) checkInstance(ctx context.Context) (at int64, err error) {
	ids, at, err := m.config.Backend.instanceIDs(ctx)
	if err != nil {
		return 0, err
	}
	if ours := m.config.InstanceID(); ours == "" || !slices.Contains(ids, ours) {
		return 0, ErrOtherInstance
	}
	return at, nil
}

// open goes on with a comparison that was cut off, or begins one.
func (s *sweep) open(ctx context.Context) error {
	return s.store.Mirror(ctx, func(tx *store.MirrorTx) (err error) {
		if !s.changes {
			s.row = store.MirrorSweep{Generation: forVerify, Stage: string(mirrored[0].name)}
			return tx.ForgetSeen(forVerify)
		}
		now := s.config.Now()
		last, found, err := tx.LastSweep()
		if err != nil {
			return err
		}
		if found && last.FinishedAt == nil && now.Sub(last.StartedAt) < resumable {
			s.row, s.report = last, Report{Kinds: map[string]*KindReport{}, Resumed: true}
			return json.Unmarshal(last.Report, &s.report.Kinds)
		}
		s.row, err = tx.StartSweep(now, string(mirrored[0].name), keepSweeps)
		return err
	})
}

// save writes how far it has come, and with it what was seen on the way.
func (s *sweep) save(ctx context.Context, seenKind store.MirrorKind, seen []string) error {
	var err error
	if s.row.Report, err = json.Marshal(s.report.Kinds); err != nil {
		return err
	}
	return s.store.Mirror(ctx, func(tx *store.MirrorTx) error {
		if len(seen) > 0 {
			if err := tx.MarkSeen(s.row.Generation, seenKind, seen); err != nil {
				return err
			}
		}
		if !s.changes {
			return nil
		}
		return tx.SaveSweep(s.row)
	})
}

func (s *sweep) finish(ctx context.Context) error {
	if !s.changes {
		return s.store.Mirror(ctx, func(tx *store.MirrorTx) error { return tx.ForgetSeen(forVerify) })
	}
	now := s.config.Now()
	s.row.FinishedAt = &now
	if err := s.save(ctx, "", nil); err != nil {
		return fmt.Errorf("mirror: the comparison is done and could not be noted: %w", err)
	}
	return nil
}

func (s *sweep) of(kind string) *KindReport {
	if s.report.Kinds[kind] == nil {
		s.report.Kinds[kind] = new(KindReport)
	}
	return s.report.Kinds[kind]
}
