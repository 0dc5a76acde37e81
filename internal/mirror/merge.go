package mirror

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/tenantry/tenantry/store"
)

// Ranks put statements of the same time in order: the nearer to the object's own life, the higher.
const (
	rankEmbedded int16 = 0 // the object came inside another one's event
	rankCreated  int16 = 1
	rankEvent    int16 = 2
	rankDeletion int16 = 3 // the object as its deletion showed it, which no other event replaces
	rankRead     int16 = 9 // the Backend API said so
)

// statement is what one event or one answer says of one object.
type statement struct {
	id        string
	createdAt int64
	// tombAt is when the object was deleted; 0 says that it lives.
	tombAt  int64
	version store.MirrorVersion
	// fields says that the statement shows the object's fields; deletions of memberships do.
	fields bool
}

// live is the statement that an object was so when it was last updated, which is not before it was made.
func live(id string, createdAt, updatedAt, envTS int64, rank int16, digest string) statement {
	return statement{
		id: id, createdAt: createdAt, fields: true,
		version: store.MirrorVersion{UpdatedAt: max(updatedAt, createdAt), EnvTS: envTS, Rank: rank, Digest: digest},
	}
}

// deleted is the statement that an object is gone.
func deleted(id string, at int64) statement { return statement{id: id, tombAt: at} }

// dead says that the object is gone: what was deleted was this object, not an older one under the same id.
func dead(r store.MirrorRow) bool { return r.TombAt > 0 && r.CreatedAt <= r.TombAt }

// stub says that nothing is known of the object but its id.
func stub(r store.MirrorRow) bool { return r.MirrorVersion == (store.MirrorVersion{}) }

// decide is the merge. It returns the row as it is after the statement, and whether the statement's fields are to be
// taken. Any order of the same statements, however often each comes, ends in the same row.
//
// Where learns is given, a dead row still learns from late statements what the object was, and never that it lives, so
// that who left is shown the same whatever the order. Without it, late statements are ignored, as a user's must be,
// whose deletion erases the person; then a dead row may hold more or less, and lives and dies all the same.
func decide(row store.MirrorRow, s statement, learns bool) (next store.MirrorRow, take bool) {
	if s.tombAt > 0 {
		return decideDeletion(row, s)
	}
	if row.TombAt > 0 && s.createdAt <= row.TombAt {
		if learns && dead(row) && describesBetter(s, row) {
			row.MirrorVersion, row.CreatedAt = s.version, s.createdAt
			return row, true
		}
		return row, false
	}
	next = row
	next.CreatedAt = max(row.CreatedAt, s.createdAt)
	if compareVersions(s.version, row.MirrorVersion) > 0 {
		next.MirrorVersion, take = s.version, true
	}
	switch {
	case unordered(row, s.version):
		next.NeedsRead = true
	case take && (s.version.UpdatedAt > row.UpdatedAt || s.version.Rank == rankRead):
		next.NeedsRead = false
	}
	return next, take
}

// decideDeletion never compares with updated_at, because Clerk does not raise it on deletion.
func decideDeletion(row store.MirrorRow, s statement) (next store.MirrorRow, take bool) {
	row.TombAt = max(row.TombAt, s.tombAt)
	if !dead(row) {
		return row, false // an older object under the same id was deleted
	}
	row.NeedsRead = false
	if s.fields && describesBetter(s, row) {
		row.MirrorVersion, row.CreatedAt = s.version, s.createdAt
		return row, true
	}
	return row, false
}

// describesBetter says which of two shows a dead object as it was last: the one of the newer life, then the deletion's
// own description, then the newer version.
func describesBetter(s statement, row store.MirrorRow) bool {
	if s.createdAt != row.CreatedAt {
		return s.createdAt > row.CreatedAt
	}
	if described := row.Rank == rankDeletion; described != (s.version.Rank == rankDeletion) {
		return !described
	}
	return compareVersions(s.version, row.MirrorVersion) > 0
}

// unordered says that Clerk showed two different objects of the same time, so that only a read can tell which is newer.
func unordered(row store.MirrorRow, v store.MirrorVersion) bool {
	return !dead(row) && !stub(row) && row.UpdatedAt == v.UpdatedAt && row.Digest != v.Digest &&
		row.Rank != rankRead && v.Rank != rankRead
}

func compareVersions(a, b store.MirrorVersion) int {
	return cmp.Or(
		cmp.Compare(a.UpdatedAt, b.UpdatedAt),
		cmp.Compare(a.AuthAt, b.AuthAt),
		cmp.Compare(a.EnvTS, b.EnvTS),
		cmp.Compare(a.Rank, b.Rank),
		cmp.Compare(a.Digest, b.Digest),
	)
}

// digest names the content of an object's fields.
func digest(fields ...any) string {
	text, err := json.Marshal(fields)
	if err != nil {
		panic("mirror: digest of " + err.Error()) // strings, pointers to and lists of strings only
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
