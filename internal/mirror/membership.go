package mirror

import (
	"errors"

	"github.com/tenantry/tenantry/store"
)

// membershipData is a membership in its own events, deletions included. Its permissions are left out: they are a
// snapshot of the role's.
type membershipData struct {
	ID             text              `json:"id"`
	Role           text              `json:"role"`
	Organization   *organizationData `json:"organization"`
	PublicUserData *publicUserData   `json:"public_user_data"`
	CreatedAt      millis            `json:"created_at"`
	UpdatedAt      millis            `json:"updated_at"`
}

// publicUserData shows the person at the time of the event. It has no version, so it never changes a user's own row.
type publicUserData struct {
	UserID     text `json:"user_id"`
	FirstName  text `json:"first_name"`
	LastName   text `json:"last_name"`
	Username   text `json:"username"`
	ImageURL   text `json:"image_url"`
	Identifier text `json:"identifier"`
}

// membershipChange is the life or death of one incarnation of a membership.
type membershipChange struct {
	statement
	// organization is what the event shows of the organization; nil where a deletion shows nothing.
	organization           *organizationChange
	organizationID, userID string
	role                   string
	snapshot               snapshot
}

// snapshot is the person as a membership shows them.
type snapshot struct {
	firstName, lastName, username, imageURL, identifier *string
}

func decodeMembership(e envelope, v verb) (change, error) {
	var data membershipData
	if err := e.unmarshal(&data); err != nil {
		return nil, err
	}
	c := membershipChange{statement: statement{id: string(data.ID)}, role: orgKey(data.Role)}
	if err := checkID("the membership's id", c.id); err != nil {
		return nil, err
	}
	err := c.identify(data)
	switch {
	case err != nil && v != verbDeleted:
		return nil, err
	case err != nil: // who left which organization is known from the row, or will be
		return membershipChange{statement: deleted(c.id, e.Timestamp.end())}, nil
	}
	of := digest(c.role, c.snapshot.firstName, c.snapshot.lastName, c.snapshot.username, c.snapshot.imageURL, c.snapshot.identifier)
	c.statement = live(c.id, data.CreatedAt.ms, data.UpdatedAt.ms, e.Timestamp.ms, v.rank(), of)
	if v == verbDeleted {
		c.tombAt = max(e.Timestamp.end(), c.createdAt) // whatever the clocks say, what was deleted had been made
	}
	return c, nil
}

// identify takes from the data what makes it a membership of somebody in something.
func (c *membershipChange) identify(data membershipData) error {
	if data.Organization == nil || data.PublicUserData == nil {
		return permanent("the membership's organization or user is missing")
	}
	person := data.PublicUserData
	c.organizationID, c.userID = string(data.Organization.ID), string(person.UserID)
	if err := checkID("the organization's id", c.organizationID); err != nil {
		return err
	}
	if err := checkID("the user's id", c.userID); err != nil {
		return err
	}
	if data.CreatedAt.ms == 0 || c.role == "" {
		return permanent("the membership's role or created_at is missing")
	}
	embedded := data.Organization.change(0, rankEmbedded)
	c.organization = &embedded
	c.snapshot = snapshot{
		firstName: person.FirstName.orNil(), lastName: person.LastName.orNil(), username: person.Username.orNil(),
		imageURL: person.ImageURL.orNil(), identifier: person.Identifier.orNil(),
	}
	return nil
}

func (c membershipChange) person() string { return c.userID }

// errPairLearnt says that somebody named a membership's organization and user between our look and our lock.
var errPairLearnt = errors.New("mirror: the membership became known meanwhile")

func (c membershipChange) apply(tx ledger) error {
	if c.organization != nil {
		if err := c.organization.apply(tx); err != nil {
			return err
		}
	}
	if c.userID == "" {
		known, _, err := tx.Membership(c.id)
		if err != nil {
			return err
		}
		c.organizationID, c.userID = known.OrganizationID, known.UserID
	}
	// The user's row first: until the end of the transaction nobody else reads or changes anything of this user's
	// memberships, so that the deletion of the user and this event see each other, whichever comes second.
	var user store.MirrorUser
	if c.userID != "" {
		var err error
		if user, err = tx.LockUser(c.userID); err != nil {
			return err
		}
	}
	row, err := tx.LockMembership(c.id)
	if err != nil {
		return err
	}
	next, changed, err := c.merge(row, user)
	if err != nil || !changed {
		return err
	}
	if err := tx.WriteMembership(next); err != nil || c.userID == "" {
		return err
	}
	return refreshPair(tx, c.organizationID, user)
}

// merge is the membership's row after the change.
func (c membershipChange) merge(row store.MirrorMembership, user store.MirrorUser) (next store.MirrorMembership, changed bool, err error) {
	named := row.UserID == "" && c.userID != ""
	switch {
	case row.UserID != "" && c.userID == "":
		return row, false, errPairLearnt
	case row.UserID != "" && (row.UserID != c.userID || row.OrganizationID != c.organizationID):
		return row, false, permanent("the membership's id is another user's or organization's")
	case named:
		row.OrganizationID, row.UserID = c.organizationID, c.userID
	}
	merged, take := decide(row.MirrorRow, c.statement, true)
	changed = named || merged != row.MirrorRow
	row.MirrorRow = merged
	if take {
		row.Role = c.role
		shown := c.snapshot
		if dead(user.MirrorRow) {
			shown = snapshot{}
		}
		row.FirstName, row.LastName, row.Username = shown.firstName, shown.lastName, shown.username
		row.ImageURL, row.Identifier = shown.imageURL, shown.identifier
	}
	return row, changed, nil
}
