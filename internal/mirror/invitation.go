package mirror

import (
	"cmp"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// invitationData is an invitation in its own events. Clerk's specification has what shows the organization, and what is
// added by acceptance, one level deeper than deliveries do; both places are looked into.
type invitationData struct {
	ID             text   `json:"id"`
	EmailAddress   text   `json:"email_address"`
	Role           text   `json:"role"`
	Status         text   `json:"status"`
	OrganizationID text   `json:"organization_id"`
	InviterID      text   `json:"inviter_id"`
	ExpiresAt      millis `json:"expires_at"`
	CreatedAt      millis `json:"created_at"`
	UpdatedAt      millis `json:"updated_at"`
	invitationExtra
	Data *invitationExtra `json:"data"`
}

type invitationExtra struct {
	UserID       text `json:"user_id"`
	Organization *struct {
		ID text `json:"id"`
	} `json:"public_organization_data"`
}

// invitationChange is what became of an invitation. There is no event of its end: it is accepted, revoked, or expires
// without a word.
type invitationChange struct {
	statement
	organizationID string
	emailAddress   *string
	role, status   string
	inviterID      string
	userID         string // who accepted it; "" where the event does not say
	expiresAt      int64
}

// settled says that a status is final. pending is the only one that another can follow, whatever the versions say, so that
// a read from before an acceptance does not undo it.
func settled(status string) bool { return status != "" && status != "pending" }

// statuses stand in where an event leaves the status out.
var statuses = map[verb]string{verbCreated: "pending", verbAccepted: "accepted", verbRevoked: "revoked"}

func decodeInvitation(e envelope, v verb) (change, error) {
	var data invitationData
	if err := e.unmarshal(&data); err != nil {
		return nil, err
	}
	if err := checkID("the invitation's id", string(data.ID)); err != nil {
		return nil, err
	}
	c := invitationChange{
		organizationID: data.organization(), emailAddress: data.EmailAddress.orNil(), role: orgKey(data.Role),
		status: cmp.Or(string(data.Status), statuses[v]), inviterID: string(data.InviterID), userID: string(data.UserID),
		expiresAt: data.ExpiresAt.ms,
	}
	if c.userID == "" && data.Data != nil {
		c.userID = string(data.Data.UserID)
	}
	if err := checkID("the organization's id", c.organizationID); err != nil {
		return nil, err
	}
	if err := checkOptionalID("the inviter's id", c.inviterID); err != nil {
		return nil, err
	}
	if err := checkOptionalID("the user's id", c.userID); err != nil {
		return nil, err
	}
	of := digest(c.organizationID, c.emailAddress, c.role, c.status, c.inviterID)
	c.statement = live(string(data.ID), data.CreatedAt.ms, data.UpdatedAt.ms, e.Timestamp.ms, v.rank(), of)
	return c, nil
}

// organization is the id of the organization, from wherever it stands.
func (d invitationData) organization() string {
	id := d.OrganizationID
	for _, extra := range []*invitationExtra{&d.invitationExtra, d.Data} {
		if id == "" && extra != nil && extra.Organization != nil {
			id = extra.Organization.ID
		}
	}
	return string(id)
}

func (c invitationChange) person() string { return c.userID }

func (c invitationChange) apply(tx ledger) error {
	if c.userID == "" {
		known, _, err := tx.Invitation(c.id)
		if err != nil {
			return err
		}
		c.userID = known.UserID
	}
	// As with memberships: whoever's invitation it was is held first, so that their deletion and this event see each other.
	var user store.MirrorUser
	if c.userID != "" {
		var err error
		if user, err = tx.LockUser(c.userID); err != nil {
			return err
		}
	}
	row, err := tx.LockInvitation(c.id)
	if err != nil {
		return err
	}
	next, changed, err := c.merge(row, user)
	if err != nil || !changed {
		return err
	}
	if err := tx.WriteInvitation(next); err != nil {
		return err
	}
	if row.OrganizationID != next.OrganizationID && row.OrganizationID != "" {
		if err := tx.RemoveInvitation(row.OrganizationID, row.ID); err != nil {
			return err
		}
	}
	return refreshInvitation(tx, next)
}

// decide is the merge of versions, in which a settled status comes before the version.
func (c invitationChange) decide(row store.MirrorInvitation) (next store.MirrorRow, take bool) {
	next = row.MirrorRow
	if !c.fields || stub(next) || c.createdAt != next.CreatedAt || settled(row.Status) == settled(c.status) {
		return decide(next, c.statement, true)
	}
	if settled(row.Status) {
		return next, false
	}
	next.MirrorVersion, next.NeedsRead = c.version, false
	return next, true
}

// merge is the invitation's row after the change. Who accepted it is kept whatever comes later, since not every form of an
// invitation says so; once that user is deleted the address is theirs no more.
func (c invitationChange) merge(row store.MirrorInvitation, user store.MirrorUser) (next store.MirrorInvitation, changed bool, err error) {
	switch {
	case row.UserID != "" && c.userID == "":
		return row, false, errPairLearnt
	case row.UserID != "" && row.UserID != c.userID:
		return row, false, permanent("the invitation was accepted by another user")
	}
	named := row.UserID != c.userID
	row.UserID = c.userID
	merged, take := c.decide(row)
	changed = named || merged != row.MirrorRow
	row.MirrorRow = merged
	if take {
		row.OrganizationID, row.EmailAddress, row.Role, row.Status = c.organizationID, c.emailAddress, c.role, c.status
		row.InviterID, row.ExpiresAt = c.inviterID, c.expiresAt
	}
	if dead(user.MirrorRow) {
		row.EmailAddress = nil
	}
	return row, changed, nil
}

// refreshInvitation writes what requests read of a locked invitation: nothing where it is gone.
func refreshInvitation(tx ledger, row store.MirrorInvitation) error {
	switch {
	case row.OrganizationID == "":
		return nil // only its end is known
	case dead(row.MirrorRow):
		return tx.RemoveInvitation(row.OrganizationID, row.ID)
	}
	return tx.PutInvitation(row.OrganizationID, projectInvitation(row))
}

// refreshInvitations does so with those that a locked user accepted.
func refreshInvitations(tx ledger, userID string) error {
	rows, err := tx.UserInvitations(userID)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := refreshInvitation(tx, row); err != nil {
			return err
		}
	}
	return nil
}

// projectInvitation is what requests read of an invitation that is not gone. Whether its organization lives is that one's
// row to say.
func projectInvitation(row store.MirrorInvitation) models.Invitation {
	i := models.Invitation{
		OrganizationID: row.OrganizationID, ID: row.ID, Email: row.EmailAddress, Role: row.Role, Status: row.Status,
		CreatedAt: moment(row.CreatedAt),
	}
	if row.ExpiresAt > 0 {
		at := moment(row.ExpiresAt)
		i.ExpiresAt = &at
	}
	return i
}
