package mirror

import (
	"cmp"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/tenantry/tenantry/store"
)

// modelSweep is a comparison on a model: the sweep's own decisions and reads, on maps in the place of statements.
type modelSweep struct {
	*model
	SweepOptions
	backend *Backend
	minAge  time.Duration
	confirm func() // passes the time between the two reads
	at      int64
	report  Report
}

// sweepModel makes a model as Clerk is.
func sweepModel(t testing.TB, m *model, clerk *fakeClerk, backend *Backend, options SweepOptions) Report {
	t.Helper()
	s := &modelSweep{
		model: m, SweepOptions: options, backend: backend, minAge: DefaultMinAge,
		confirm: func() { clerk.set(func() { clerk.now += DefaultConfirmAfter.Milliseconds() }) },
		report:  Report{Kinds: map[string]*KindReport{}},
	}
	if err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s.report
}

func (s *modelSweep) run(ctx context.Context) error {
	seen := map[string]bool{}
	for _, k := range mirrored {
		s.report.Kinds[string(k.name)] = new(KindReport)
		for position := 0; ; {
			page, err := s.backend.page(ctx, k, position, pageSize)
			if err != nil {
				return err
			}
			s.at = page.at
			if err := s.merge(k, page, seen); err != nil {
				return err
			}
			if position += page.entries; page.entries < pageSize {
				break
			}
		}
	}
	for _, k := range mirrored {
		if err := s.end(ctx, k, seen); err != nil {
			return err
		}
	}
	return nil
}

func (s *modelSweep) merge(k kind, page listing, seen map[string]bool) error {
	report, rows := s.report.Kinds[string(k.name)], s.summaries(k.name)
	report.Listed += page.entries
	report.Unreadable += page.unreadable
	for _, r := range report.judge(k, rows, page.readings) {
		if err := r.change.apply(s.model); err != nil {
			return err
		}
		report.Changed++
	}
	for _, r := range page.readings {
		seen[r.statement.id] = true
	}
	return nil
}

func (s *modelSweep) end(ctx context.Context, k kind, seen map[string]bool) error {
	report := s.report.Kinds[string(k.name)]
	refs, candidates, live := s.unseen(k.name, newsBefore(s.at, s.minAge), seen)
	if tooMany(candidates, live) && !s.AllowMassDeletion {
		report.Extra += candidates
		report.Refused += candidates
		return nil
	}
	gone, _, err := s.look(ctx, k, refs)
	if err != nil {
		return err
	}
	s.confirm()
	gone, at, err := s.look(ctx, k, gone)
	if err != nil {
		return err
	}
	for i, ref := range gone {
		report.Extra++
		if err := vanished(k, ref, at[i]).apply(s.model); err != nil {
			return err
		}
		report.Tombstoned++
	}
	return nil
}

// look reads objects one by one, merges what is there and returns which are gone, and since when at the latest.
func (s *modelSweep) look(ctx context.Context, k kind, refs []store.MirrorRef) (gone []store.MirrorRef, since []int64, err error) {
	for _, ref := range refs {
		found, at, err := s.backend.one(ctx, k, ref)
		if err != nil {
			return nil, nil, err
		}
		for _, r := range found {
			if err := r.change.apply(s.model); err != nil {
				return nil, nil, err
			}
		}
		if at > 0 {
			gone, since = append(gone, ref), append(since, at)
		}
	}
	return gone, since, nil
}

// unseen is what store.MirrorTx answers to Unseen, all at once, and to CountUnseen.
func (m *model) unseen(kind store.MirrorKind, before int64, seen map[string]bool) (refs []store.MirrorRef, missing, live int) {
	for id, row := range m.summaries(kind) {
		if dead(row.MirrorRow) || !m.sought(kind, id, row) {
			continue
		}
		ref, counts := store.MirrorRef{ID: id, CreatedAt: row.CreatedAt}, 1
		ref.OrganizationID, ref.UserID = m.belongs(kind, id)
		if dead(m.organizations[ref.OrganizationID].MirrorRow) || dead(m.users[ref.UserID].MirrorRow) {
			counts = 0
		}
		live += counts
		if !seen[id] && max(row.CreatedAt, row.UpdatedAt, row.AuthAt, row.EnvTS) < before {
			refs = append(refs, ref)
			missing += counts
		}
	}
	slices.SortFunc(refs, func(a, b store.MirrorRef) int { return cmp.Compare(a.ID, b.ID) })
	return refs, missing, live
}

// sought says whether Clerk's lists must have the object.
func (m *model) sought(kind store.MirrorKind, id string, row store.MirrorSummary) bool {
	switch kind {
	case store.MirrorOrganizations:
		return row.UpdatedAt > 0
	case store.MirrorUsers:
		memberships, _ := m.UserMemberships(id)
		return row.UpdatedAt > 0 || len(memberships) > 0
	case store.MirrorInvitations:
		return row.Status == "pending"
	}
	return true
}

// belongs names the organization and the user of an object, "" for what has none.
func (m *model) belongs(kind store.MirrorKind, id string) (organizationID, userID string) {
	switch kind {
	case store.MirrorMemberships:
		return m.memberships[id].OrganizationID, m.memberships[id].UserID
	case store.MirrorInvitations:
		return m.invitations[id].OrganizationID, ""
	case store.MirrorDomains:
		return m.domains[id].OrganizationID, ""
	}
	return "", ""
}

func (m *model) summaries(kind store.MirrorKind) map[string]store.MirrorSummary {
	found := map[string]store.MirrorSummary{}
	switch kind {
	case store.MirrorOrganizations:
		for id, row := range m.organizations {
			found[id] = store.MirrorSummary{MirrorRow: row.MirrorRow}
		}
	case store.MirrorUsers:
		for id, row := range m.users {
			found[id] = store.MirrorSummary{MirrorRow: row.MirrorRow}
		}
	case store.MirrorRoles:
		for id, row := range m.roles {
			found[id] = store.MirrorSummary{MirrorRow: row.MirrorRow}
		}
	case store.MirrorMemberships:
		for id, row := range m.memberships {
			found[id] = store.MirrorSummary{MirrorRow: row.MirrorRow, Role: row.Role}
		}
	case store.MirrorPermissions:
		for id, row := range m.permissions {
			found[id] = store.MirrorSummary{MirrorRow: row.MirrorRow}
		}
	case store.MirrorInvitations:
		for id, row := range m.invitations {
			found[id] = store.MirrorSummary{MirrorRow: row.MirrorRow, Status: row.Status}
		}
	case store.MirrorDomains:
		for id, row := range m.domains {
			found[id] = store.MirrorSummary{MirrorRow: row.MirrorRow}
		}
	default:
		panic("the model compares no " + string(kind))
	}
	return found
}

// inProcess carries requests to a handler without a network.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// newFakeBackend is a Clerk without a server, and the Backend that asks it.
func newFakeBackend() (*fakeClerk, *Backend) {
	f := &fakeClerk{instance: "ins_1", lists: map[string][]object{}, url: "http://clerk.example/v1"}
	return f, f.backendOver(inProcess{f})
}
