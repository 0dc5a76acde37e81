package mirror

import "github.com/tenantry/tenantry/store"

// userData is a user in its own events. last_active_at and last_sign_in_at are left out: they change without raising
// updated_at.
type userData struct {
	ID                    text    `json:"id"`
	FirstName             text    `json:"first_name"`
	LastName              text    `json:"last_name"`
	Username              text    `json:"username"`
	ImageURL              text    `json:"image_url"`
	PrimaryEmailAddressID text    `json:"primary_email_address_id"`
	EmailAddresses        []email `json:"email_addresses"`
	Banned                bool    `json:"banned"`
	Deprovisioned         bool    `json:"deprovisioned"`
	Locked                bool    `json:"locked"`
	CreatedAt             millis  `json:"created_at"`
	UpdatedAt             millis  `json:"updated_at"`
}

type email struct {
	ID           text `json:"id"`
	EmailAddress text `json:"email_address"`
}

// userChange is a user's life or death.
type userChange struct {
	statement
	profile userProfile
}

// userProfile is what the mirror keeps of a person.
type userProfile struct {
	firstName, lastName, username, imageURL, email *string
	banned, deprovisioned, locked                  bool
}

// digest names the content. Of users whom nothing bars it is what it was before bans and locks were kept.
func (p userProfile) digest() string {
	fields := []any{p.firstName, p.lastName, p.username, p.imageURL, p.email}
	if p.banned || p.deprovisioned || p.locked {
		fields = append(fields, p.banned, p.deprovisioned, p.locked)
	}
	return digest(fields...)
}

func decodeUser(e envelope, v verb) (change, error) {
	var data userData
	if err := e.unmarshal(&data); err != nil {
		return nil, err
	}
	if err := checkID("the user's id", string(data.ID)); err != nil {
		return nil, err
	}
	if v == verbDeleted {
		return userChange{statement: deleted(string(data.ID), e.Timestamp.end())}, nil
	}
	p := userProfile{
		firstName: data.FirstName.orNil(), lastName: data.LastName.orNil(), username: data.Username.orNil(),
		imageURL: data.ImageURL.orNil(), email: data.primaryEmail(),
		banned: data.Banned, deprovisioned: data.Deprovisioned, locked: data.Locked,
	}
	return userChange{live(string(data.ID), data.CreatedAt.ms, data.UpdatedAt.ms, e.Timestamp.ms, v.rank(), p.digest()), p}, nil
}

func (d userData) primaryEmail() *string {
	for _, e := range d.EmailAddresses {
		if e.ID != "" && e.ID == d.PrimaryEmailAddressID {
			return e.EmailAddress.orNil()
		}
	}
	return nil
}

func (c userChange) person() string { return c.id }

func (c userChange) apply(tx ledger) error {
	row, err := tx.LockUser(c.id)
	if err != nil {
		return err
	}
	next, take := decide(row.MirrorRow, c.statement, false)
	barredAt := c.barredAt(row, next)
	if next == row.MirrorRow && barredAt == row.BarredAt {
		return nil
	}
	before := row
	row.MirrorRow, row.BarredAt = next, barredAt
	switch {
	case dead(next):
		setProfile(&row, userProfile{})
		if err := tx.ForgetPerson(row.ID); err != nil {
			return err
		}
		if err := refreshInvitations(tx, row.ID); err != nil {
			return err
		}
	case take:
		setProfile(&row, c.profile)
	}
	if barred(row) && !row.Banned && !row.Deprovisioned {
		row.NeedsRead = true // two statements of one updated_at contradict each other
	}
	if err := tx.WriteUser(row); err != nil {
		return err
	}
	if err := refreshUser(tx, before, row); err != nil || !dead(next) {
		return err
	}
	return forgetProvisional(tx, row.ID)
}

// barredAt is the row's BarredAt after the change. Of two statements of one updated_at the one that bars the user counts,
// whichever comes first, because it is not known whether Clerk raises updated_at with a ban.
func (c userChange) barredAt(row store.MirrorUser, next store.MirrorRow) int64 {
	said := int64(0)
	if c.profile.banned || c.profile.deprovisioned {
		said = max(c.version.EnvTS, c.version.AuthAt, 1)
	}
	switch {
	case dead(next):
		return 0
	case c.tombAt > 0, row.TombAt > 0 && c.createdAt <= row.TombAt, c.version.UpdatedAt < row.UpdatedAt:
		return row.BarredAt
	case c.version.UpdatedAt > row.UpdatedAt:
		return said
	}
	return max(row.BarredAt, said)
}

// barred reports whether Clerk banned or deprovisioned the user. Only a read that is later than the newest statement that
// says so, or a greater updated_at, says otherwise. The column of that name is computed alike.
func barred(u store.MirrorUser) bool { return u.BarredAt > 0 && u.BarredAt >= u.AuthAt }

// forgetProvisional takes back what only tokens told of a locked user, who is deleted.
func forgetProvisional(tx ledger, userID string) error {
	organizationIDs, err := tx.Provisional(userID)
	if err != nil {
		return err
	}
	for _, id := range organizationIDs {
		if err := tx.RemoveProvisional(id, userID); err != nil {
			return err
		}
	}
	return nil
}

func setProfile(row *store.MirrorUser, p userProfile) {
	row.FirstName, row.LastName, row.Username, row.ImageURL, row.Email = p.firstName, p.lastName, p.username, p.imageURL, p.email
	row.Banned, row.Deprovisioned, row.Locked = p.banned, p.deprovisioned, p.locked
}
