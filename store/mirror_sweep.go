package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"
)

// MirrorKind names one of the mirror's tables.
type MirrorKind string

// The kinds.
const (
	MirrorOrganizations MirrorKind = "organizations"
	MirrorUsers         MirrorKind = "users"
	MirrorMemberships   MirrorKind = "memberships"
	MirrorRoles         MirrorKind = "roles"
	MirrorPermissions   MirrorKind = "permissions"
	MirrorInvitations   MirrorKind = "invitations"
	MirrorDomains       MirrorKind = "domains"
)

// MirrorRef is enough of an object to ask Clerk for it. The organization is that of a membership, an invitation or a
// domain, the user a membership's.
type MirrorRef struct {
	ID                     string
	CreatedAt              int64
	OrganizationID, UserID string
}

// MirrorSummary is a row without what it shows of the object, but for a membership's role and an invitation's status.
type MirrorSummary struct {
	MirrorRow
	Role, Status string
}

// Summaries reads the rows of ids, without locks, in one statement. What there is no row of is missing in the answer.
func (tx *MirrorTx) Summaries(kind MirrorKind, ids []string) (map[string]MirrorSummary, error) {
	shown := "'', ''"
	switch kind {
	case MirrorMemberships:
		shown = "role, ''"
	case MirrorInvitations:
		shown = "'', status"
	}
	rows, err := tx.tx.db.Raw("SELECT id, "+shown+", "+mirrorRowColumns+" FROM clerk."+string(kind)+
		" WHERE id IN (SELECT json_array_elements_text(?::json))", list(ids)).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := make(map[string]MirrorSummary, len(ids))
	for rows.Next() {
		var id string
		var s MirrorSummary
		if err := rows.Scan(append([]any{&id, &s.Role, &s.Status}, s.targets()...)...); err != nil {
			return nil, err
		}
		found[id] = s
	}
	return found, rows.Err()
}

// MarkSeen notes that Clerk's lists have these.
func (tx *MirrorTx) MarkSeen(generation int64, kind MirrorKind, ids []string) error {
	return tx.exec("INSERT INTO clerk.seen (generation, kind, id) SELECT ?, ?, json_array_elements_text(?::json) "+
		"ON CONFLICT DO NOTHING", generation, kind, list(ids))
}

// ForgetSeen removes the marks of one comparison.
func (tx *MirrorTx) ForgetSeen(generation int64) error {
	return tx.exec("DELETE FROM clerk.seen WHERE generation = ?", generation)
}

// sought leaves out what the lists need not have: organizations and users of whom only a token told, so that the time of the
// last news is not known, and invitations that are settled.
var sought = map[MirrorKind]string{
	MirrorOrganizations: " AND s.updated_at > 0",
	MirrorUsers:         " AND (s.updated_at > 0 OR EXISTS (SELECT FROM clerk.memberships AS m WHERE m.user_id = s.id))",
	MirrorInvitations:   " AND s.status = 'pending'",
}

// reachable leaves out what is dead with its organization or user.
var reachable = map[MirrorKind]string{
	MirrorMemberships: inLivingOrganization + " AND NOT EXISTS (SELECT FROM clerk.users AS u WHERE u.id = s.user_id AND u.dead)",
	MirrorInvitations: inLivingOrganization,
	MirrorDomains:     inLivingOrganization,
}

const inLivingOrganization = " AND NOT EXISTS (SELECT FROM clerk.organizations AS o WHERE o.id = s.organization_id AND o.dead)"

// unseen are the living rows, s, that the lists of a comparison did not have and of which nothing newer than a time is
// known. OFFSET 0 has each row looked up by the whole key of clerk.seen. Without it PostgreSQL joins, and as long as it has no
// statistics of what has just been written there it reads all marks of the kind again for every row.
func unseen(kind MirrorKind) string {
	return " FROM clerk." + string(kind) + ` AS s WHERE NOT s.dead AND greatest(s.created_at, s.updated_at, s.auth_at, s.env_ts) < ?
		AND NOT EXISTS (SELECT FROM clerk.seen AS n WHERE n.generation = ? AND n.kind = ? AND n.id = s.id OFFSET 0)` + sought[kind]
}

// Unseen returns, in the order of their ids and from behind one of them, rows that Clerk's lists did not have. Those with
// news since before, in Clerk's milliseconds, are left out.
func (tx *MirrorTx) Unseen(generation int64, kind MirrorKind, before int64, behind string, limit int) ([]MirrorRef, error) {
	return tx.refs(kind, unseen(kind)+" AND s.id > ? ORDER BY s.id LIMIT ?", before, generation, kind, behind, limit)
}

// UnseenReachable is Unseen without what is dead with its organization or user.
func (tx *MirrorTx) UnseenReachable(generation int64, kind MirrorKind, before int64, behind string, limit int) ([]MirrorRef, error) {
	return tx.refs(kind, unseen(kind)+reachable[kind]+" AND s.id > ? ORDER BY s.id LIMIT ?", before, generation, kind, behind, limit)
}

// CountUnseen returns how many rows Unseen would give in all and how many of such there are. What is dead with its
// organization or user does not count.
func (tx *MirrorTx) CountUnseen(generation int64, kind MirrorKind, before int64) (missing, live int, err error) {
	err = tx.row("SELECT (SELECT count(*)"+unseen(kind)+reachable[kind]+"), (SELECT count(*) FROM clerk."+string(kind)+
		" AS s WHERE NOT s.dead"+sought[kind]+reachable[kind]+")", before, generation, kind).Scan(&missing, &live)
	return missing, live, err
}

// NeedRead returns rows of which two versions were seen that cannot be put in order, the oldest first, as far as they were
// updated before a time.
func (tx *MirrorTx) NeedRead(kind MirrorKind, before int64, limit int) ([]MirrorRef, error) {
	return tx.refs(kind, " FROM clerk."+string(kind)+
		" AS s WHERE s.needs_read AND NOT s.dead AND s.updated_at < ? ORDER BY s.updated_at LIMIT ?", before, limit)
}

func (tx *MirrorTx) refs(kind MirrorKind, from string, values ...any) ([]MirrorRef, error) {
	of := "'', ''"
	switch kind {
	case MirrorMemberships:
		of = "s.organization_id, s.user_id"
	case MirrorInvitations, MirrorDomains:
		of = "s.organization_id, ''"
	}
	rows, err := tx.tx.db.Raw("SELECT s.id, s.created_at, "+of+from, values...).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []MirrorRef
	for rows.Next() {
		var r MirrorRef
		if err := rows.Scan(&r.ID, &r.CreatedAt, &r.OrganizationID, &r.UserID); err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, rows.Err()
}

// MirrorSweep is one comparison of the copy with Clerk, and how far it has come.
type MirrorSweep struct {
	Generation int64
	StartedAt  time.Time
	// FinishedAt is nil while it is not done.
	FinishedAt *time.Time
	// Stage is the list that it is at, and Position how many of its entries are done.
	Stage    string
	Position int
	// Report is JSON.
	Report []byte
}

// LastSweep returns the newest comparison; found is false where there was none.
func (tx *MirrorTx) LastSweep() (s MirrorSweep, found bool, err error) { return tx.lastSweep("") }

// LastFinishedSweep returns the newest comparison that came to its end; found is false where none did.
func (tx *MirrorTx) LastFinishedSweep() (s MirrorSweep, found bool, err error) {
	return tx.lastSweep(" WHERE finished_at IS NOT NULL")
}

func (tx *MirrorTx) lastSweep(which string) (s MirrorSweep, found bool, err error) {
	err = tx.row("SELECT generation, started_at, finished_at, stage, position, report FROM clerk.sweeps"+which+
		" ORDER BY generation DESC LIMIT 1").
		Scan(&s.Generation, &s.StartedAt, &s.FinishedAt, &s.Stage, &s.Position, &s.Report)
	if errors.Is(err, sql.ErrNoRows) {
		return s, false, nil
	}
	return s, err == nil, err
}

// StartSweep begins a comparison and forgets what is left of others, and reports older than keep. Only who leads may.
func (tx *MirrorTx) StartSweep(at time.Time, stage string, keep time.Duration) (MirrorSweep, error) {
	s := MirrorSweep{StartedAt: at, Stage: stage, Report: []byte("{}")}
	if err := tx.exec("TRUNCATE clerk.seen"); err != nil {
		return s, err
	}
	if err := tx.exec("DELETE FROM clerk.sweeps WHERE started_at < ?", at.Add(-keep)); err != nil {
		return s, err
	}
	return s, tx.row("INSERT INTO clerk.sweeps (started_at, stage) VALUES (?, ?) RETURNING generation", at, stage).Scan(&s.Generation)
}

// SaveSweep writes how far a comparison has come.
func (tx *MirrorTx) SaveSweep(s MirrorSweep) error {
	return tx.exec("UPDATE clerk.sweeps SET finished_at = ?, stage = ?, position = ?, report = ?::jsonb WHERE generation = ?",
		s.FinishedAt, s.Stage, s.Position, string(s.Report), s.Generation)
}

// list is a JSON array of strings, which one statement takes however many they are.
func list(ids []string) string {
	text, err := json.Marshal(ids)
	if err != nil {
		panic("store: a list of strings: " + err.Error()) // there is none that cannot be written
	}
	return string(text)
}
