package store

// MirrorRow is what each row of the copy of Clerk carries beside its fields. Times are Clerk's, in milliseconds.
type MirrorRow struct {
	// CreatedAt is when the object was made; 0 where only its id is known.
	CreatedAt int64
	// TombAt is the newest deletion known; 0 for none.
	TombAt int64
	MirrorVersion
	// NeedsRead says that two versions were seen that cannot be put in order.
	NeedsRead bool
}

// MirrorVersion is how new the fields of a row are: compared from the first to the last.
type MirrorVersion struct {
	// UpdatedAt is the object's own; 0 marks a row that is known by its id only.
	UpdatedAt int64
	// AuthAt is when Clerk's Backend API said so; 0 for events.
	AuthAt int64
	// EnvTS is the event's envelope time; 0 for an object that came inside another one's event.
	EnvTS  int64
	Rank   int16
	Digest string
}

const mirrorRowColumns = "created_at, tomb_at, updated_at, auth_at, env_ts, rank, digest, needs_read"

const setMirrorRow = "created_at = ?, tomb_at = ?, updated_at = ?, auth_at = ?, env_ts = ?, rank = ?, digest = ?, needs_read = ?"

func (r *MirrorRow) targets() []any {
	return []any{&r.CreatedAt, &r.TombAt, &r.UpdatedAt, &r.AuthAt, &r.EnvTS, &r.Rank, &r.Digest, &r.NeedsRead}
}

func (r *MirrorRow) values() []any {
	return []any{r.CreatedAt, r.TombAt, r.UpdatedAt, r.AuthAt, r.EnvTS, r.Rank, r.Digest, r.NeedsRead}
}
