package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/tenantry/tenantry/store"
)

// reading is one of Clerk's objects, as a read showed it.
type reading struct {
	statement statement
	change    change
}

// kind is how the objects of one of the mirror's tables are read.
type kind struct {
	name store.MirrorKind
	// list is the path of all of the instance's.
	list string
	// bare lists come without an envelope.
	bare   bool
	decode func(raw json.RawMessage, at int64) (reading, error)
}

var usersKind = kind{store.MirrorUsers, "/users", true, readUser}

// mirrored are in the order of the sweep: what a membership needs comes before it.
var mirrored = []kind{
	{store.MirrorOrganizations, "/organizations", false, readOrganization},
	usersKind,
	{store.MirrorRoles, "/organization_roles", false, readRole},
	{store.MirrorMemberships, "/organization_memberships", false, readMembership},
	{store.MirrorPermissions, "/organization_permissions", false, readPermission},
	{store.MirrorInvitations, "/organization_invitations", false, readInvitation},
	{store.MirrorDomains, "/organization_domains", false, readDomain},
}

// listing is one page of a list.
type listing struct {
	readings []reading
	// entries is how many there were, those that cannot be read included.
	entries, unreadable int
	// total is how many the whole list has; 0 where Clerk does not say.
	total int
	at    int64
}

// page reads a part of a list, the oldest readings first, so that new ones do not push others onto the next page.
func (b *Backend) page(ctx context.Context, k kind, offset, limit int) (listing, error) {
	body, at, err := b.get(ctx, k.list, url.Values{
		"limit": {strconv.Itoa(limit)}, "offset": {strconv.Itoa(offset)}, "order_by": {"+created_at"},
	})
	if err != nil {
		return listing{}, err
	}
	return k.read(body, at)
}

func (k kind) read(body json.RawMessage, at int64) (listing, error) {
	var envelope struct {
		Data  []json.RawMessage `json:"data"`
		Total int               `json:"total_count"`
	}
	into := any(&envelope)
	if k.bare {
		into = &envelope.Data
	}
	if err := json.Unmarshal(body, into); err != nil || envelope.Data == nil {
		return listing{}, fmt.Errorf("%w: the list of %s cannot be read", ErrBackendUnavailable, k.name)
	}
	l := listing{entries: len(envelope.Data), total: envelope.Total, at: at}
	for _, raw := range envelope.Data {
		read, err := k.decode(raw, at)
		if err != nil {
			l.unreadable++
			continue
		}
		l.readings = append(l.readings, read)
	}
	return l, nil
}

// one reads an object by its id. Memberships and domains have no read of their own: they are in their organization's list.
// gone is when, in Clerk's milliseconds, there was no such object; then found is what is there instead,
// such as a later membership of the same user.
func (b *Backend) one(ctx context.Context, k kind, ref store.MirrorRef) (found []reading, gone int64, err error) {
	switch k.name {
	case store.MirrorMemberships:
		found, at, err := b.memberships(ctx, ref.OrganizationID, ref.UserID)
		return among(found, ref.ID, at, err)
	case store.MirrorDomains:
		found, at, err := b.domains(ctx, ref.OrganizationID)
		return among(found, ref.ID, at, err)
	}
	where, err := path(ref.ID, k.list+"/%s")
	if k.name == store.MirrorInvitations && err == nil {
		where, err = path(ref.OrganizationID, "/organizations/%s/invitations/"+ref.ID)
	}
	if err != nil {
		return nil, 0, err
	}
	body, at, err := b.get(ctx, where, nil)
	if errors.Is(err, ErrGone) {
		return nil, at, nil
	}
	if err != nil {
		return nil, 0, err
	}
	read, err := k.decode(body, at)
	if err != nil || read.statement.id != ref.ID {
		return nil, 0, fmt.Errorf("%w: one of the %s cannot be read", ErrBackendUnavailable, k.name)
	}
	return []reading{read}, 0, nil
}

// among says since when an object is gone that a list may have shown.
func among(found []reading, id string, at int64, err error) ([]reading, int64, error) {
	if err != nil || slices.ContainsFunc(found, func(r reading) bool { return r.statement.id == id }) {
		return found, 0, err
	}
	return found, at, nil
}

// domains reads those of an organization: none, as where there is no such organization.
func (b *Backend) domains(ctx context.Context, organizationID string) (found []reading, at int64, err error) {
	where, err := path(organizationID, "/organizations/%s/domains")
	if err != nil {
		return nil, 0, err
	}
	body, at, err := b.get(ctx, where, url.Values{"limit": {strconv.Itoa(pageSize)}})
	if errors.Is(err, ErrGone) {
		return nil, at, nil
	}
	if err != nil {
		return nil, 0, err
	}
	l, err := kind{name: store.MirrorDomains, decode: readDomain}.read(body, at)
	if err != nil || l.unreadable > 0 || l.entries == pageSize {
		return nil, 0, fmt.Errorf("%w: an organization's domains cannot be read", ErrBackendUnavailable)
	}
	return l.readings, at, nil
}

func membershipsOf(userID string) url.Values { return url.Values{"user_id": {userID}, "limit": {"10"}} }

// memberships reads those of a user in an organization: one, or none, as where there is no such organization.
func (b *Backend) memberships(ctx context.Context, organizationID, userID string) (found []reading, at int64, err error) {
	where, err := path(organizationID, "/organizations/%s/memberships")
	if err != nil {
		return nil, 0, err
	}
	body, at, err := b.get(ctx, where, membershipsOf(userID))
	if errors.Is(err, ErrGone) {
		return nil, at, nil
	}
	if err != nil {
		return nil, 0, err
	}
	l, err := kind{name: store.MirrorMemberships, decode: readMembership}.read(body, at)
	if err != nil || l.unreadable > 0 {
		return nil, 0, fmt.Errorf("%w: a membership cannot be read", ErrBackendUnavailable)
	}
	for _, r := range l.readings {
		if c := r.change.(membershipChange); c.userID == userID && c.organizationID == organizationID {
			found = append(found, r)
		}
	}
	return found, at, nil
}

// authoritative makes a statement the Backend API's.
func authoritative(s statement, at int64) statement {
	s.version.EnvTS, s.version.AuthAt, s.version.Rank = 0, at, rankRead
	return s
}

func readOrganization(raw json.RawMessage, at int64) (reading, error) {
	c, err := decodeOrganization(envelope{Data: raw}, verbUpdated)
	if err != nil {
		return reading{}, err
	}
	changed := c.(organizationChange)
	changed.statement = authoritative(changed.statement, at)
	return reading{changed.statement, changed}, nil
}

func readUser(raw json.RawMessage, at int64) (reading, error) {
	c, err := decodeUser(envelope{Data: raw}, verbUpdated)
	if err != nil {
		return reading{}, err
	}
	changed := c.(userChange)
	changed.statement = authoritative(changed.statement, at)
	return reading{changed.statement, changed}, nil
}

func readRole(raw json.RawMessage, at int64) (reading, error) {
	c, err := decodeRole(envelope{Data: raw}, verbUpdated)
	if err != nil {
		return reading{}, err
	}
	changed := c.(roleChange)
	changed.statement = authoritative(changed.statement, at)
	return reading{changed.statement, changed}, nil
}

func readMembership(raw json.RawMessage, at int64) (reading, error) {
	c, err := decodeMembership(envelope{Data: raw}, verbUpdated)
	if err != nil {
		return reading{}, err
	}
	changed := c.(membershipChange)
	changed.statement = authoritative(changed.statement, at)
	return reading{changed.statement, changed}, nil
}

func readPermission(raw json.RawMessage, at int64) (reading, error) {
	c, err := decodePermission(envelope{Data: raw}, verbUpdated)
	if err != nil {
		return reading{}, err
	}
	changed := c.(permissionChange)
	changed.statement = authoritative(changed.statement, at)
	return reading{changed.statement, changed}, nil
}

func readInvitation(raw json.RawMessage, at int64) (reading, error) {
	c, err := decodeInvitation(envelope{Data: raw}, verbUpdated)
	if err != nil {
		return reading{}, err
	}
	changed := c.(invitationChange)
	if changed.status == "" {
		return reading{}, permanent("the invitation's status is missing")
	}
	changed.statement = authoritative(changed.statement, at)
	return reading{changed.statement, changed}, nil
}

func readDomain(raw json.RawMessage, at int64) (reading, error) {
	c, err := decodeDomain(envelope{Data: raw}, verbUpdated)
	if err != nil {
		return reading{}, err
	}
	changed := c.(domainChange)
	changed.statement = authoritative(changed.statement, at)
	return reading{changed.statement, changed}, nil
}

// vanished is the change for an object that Clerk does not have any more.
func vanished(k kind, ref store.MirrorRef, at int64) change {
	s := deleted(ref.ID, max(at, ref.CreatedAt)) // whatever the clocks say, what is gone had been made
	switch k.name {
	case store.MirrorOrganizations:
		return organizationChange{statement: s}
	case store.MirrorUsers:
		return userChange{statement: s}
	case store.MirrorRoles:
		return roleChange{statement: s}
	case store.MirrorPermissions:
		return permissionChange{statement: s}
	case store.MirrorInvitations:
		return invitationChange{statement: s}
	case store.MirrorDomains:
		return domainChange{statement: s}
	}
	return membershipChange{statement: s, organizationID: ref.OrganizationID, userID: ref.UserID}
}
