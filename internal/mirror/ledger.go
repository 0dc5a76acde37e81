package mirror

import (
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// ledger is what applying a change needs of one transaction. In the server it is store.MirrorTx; the proofs run the same
// code on maps. Locking makes a bare row where there is none.
type ledger interface {
	Organization(id string) (o store.MirrorOrganization, found bool, err error)
	LockOrganization(id string) (store.MirrorOrganization, error)
	WriteOrganization(store.MirrorOrganization) error

	LockUser(id string) (store.MirrorUser, error)
	WriteUser(store.MirrorUser) error
	UserMemberships(userID string) ([]store.MirrorMembership, error)
	ForgetPerson(userID string) error

	Membership(id string) (m store.MirrorMembership, found bool, err error)
	LockMembership(id string) (store.MirrorMembership, error)
	WriteMembership(store.MirrorMembership) error
	Incarnations(organizationID, userID string) ([]store.MirrorMembership, error)

	LockRole(id string) (store.MirrorRole, error)
	WriteRole(store.MirrorRole) error

	Invitation(id string) (i store.MirrorInvitation, found bool, err error)
	LockInvitation(id string) (store.MirrorInvitation, error)
	WriteInvitation(store.MirrorInvitation) error
	UserInvitations(userID string) ([]store.MirrorInvitation, error)

	LockDomain(id string) (store.MirrorDomain, error)
	WriteDomain(store.MirrorDomain) error

	LockPermission(id string) (store.MirrorPermission, error)
	WritePermission(store.MirrorPermission) error

	RevokeSession(store.RevokedSession) error

	PutOrganization(inside string, o models.Organization) error
	Welcome(organizations ...models.Organization) error
	PutMember(inside string, m models.Member) error
	PutInvitation(inside string, i models.Invitation) error
	RemoveInvitation(organizationID, id string) error
	PutProvisional(inside string, m models.Member) error
	RemoveProvisional(organizationID, userID string) error
	Provisional(userID string) (organizationIDs []string, err error)
}

var _ ledger = (*store.MirrorTx)(nil)

// change is what one event does to the copy. Applying takes locks in the order organization, user, membership or
// invitation.
type change interface {
	apply(tx ledger) error
	// person is the user whose data the event carries; "" for none.
	person() string
}
