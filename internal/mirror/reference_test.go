package mirror

import (
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// reference is what the copy must be in the end. It is read off the world, without any merging.
type reference struct {
	organizations map[string]models.Organization
	members       map[pair]models.Member
	access        map[pair]string
	roles         map[string]store.MirrorRole // live ones, by id, without versions
	moreReference
}

func (w *world) reference() reference {
	r := reference{
		organizations: map[string]models.Organization{}, members: map[pair]models.Member{},
		access: map[pair]string{}, roles: map[string]store.MirrorRole{}, moreReference: w.more.reference(),
	}
	for _, o := range w.organizations {
		row := models.Organization{OrganizationID: o.id, Name: o.name, Slug: &o.slug, CreatedAt: moment(o.created)}
		if o.tomb > 0 {
			at := moment(o.tomb)
			row.DeletedAt = &at
		}
		r.organizations[o.id] = row
		for _, u := range w.users {
			if m := w.latest(o, u); m != nil {
				p := pair{o.id, u.id}
				r.members[p] = m.reference()
				r.access[p] = ""
				if w.member(o, u) != nil && !u.banned {
					r.access[p] = m.role
				}
			}
		}
	}
	for _, role := range w.roles {
		if role.tomb == 0 {
			r.roles[role.id] = store.MirrorRole{ID: role.id, Key: role.key, Name: role.name, Permissions: role.permissions}
		}
	}
	return r
}

func (m *worldMember) reference() models.Member {
	u := m.user
	row := models.Member{
		OrganizationID: m.organization.id, UserID: u.id, ID: memberID(m.organization.id, u.id), Role: m.role,
		JoinedAt: moment(m.created),
	}
	left := m.tomb
	if u.tomb > 0 && (left == 0 || u.tomb < left) {
		left = u.tomb
	}
	image := "https://img.example/" + u.id
	if left > 0 {
		at := moment(left)
		row.LeftAt = &at
		if u.tomb == 0 {
			name := m.shownFirst + " " + m.shownLast
			row.Name, row.ImageURL = &name, &image
		}
		return row
	}
	name := u.first + " " + u.last
	row.Name, row.ImageURL, row.Email = &name, &image, &u.email
	row.Banned, row.Locked = u.banned, u.locked
	return row
}

// reads is what the Backend API would answer for each object that the copy cannot order.
func (w *world) reads(m *model) (answers []change) {
	for _, o := range w.organizations {
		if m.organizations[o.id].NeedsRead {
			answers = append(answers, organizationChange{w.answer(o.id, o.created, o.updated), o.name, &o.slug, nil})
		}
	}
	for _, u := range w.users {
		if m.users[u.id].NeedsRead {
			image := "https://img.example/" + u.id
			answers = append(answers, userChange{
				w.answer(u.id, u.created, u.updated),
				userProfile{firstName: &u.first, lastName: &u.last, imageURL: &image, email: &u.email, banned: u.banned, locked: u.locked},
			})
		}
	}
	for _, member := range w.members {
		if m.memberships[member.id].NeedsRead && member.tomb == 0 {
			image := "https://img.example/" + member.user.id
			answers = append(answers, membershipChange{
				statement:      w.answer(member.id, member.created, member.updated),
				organizationID: member.organization.id, userID: member.user.id, role: member.role,
				snapshot: snapshot{firstName: &member.user.first, lastName: &member.user.last, imageURL: &image, identifier: &member.user.email},
			})
		}
	}
	for _, role := range w.roles {
		if m.roles[role.id].NeedsRead {
			answers = append(answers, roleChange{w.answer(role.id, role.created, role.updated), role.key, role.name, role.permissions})
		}
	}
	return append(answers, w.moreReads(m)...)
}

func (w *world) answer(id string, created, updated int64) statement {
	s := live(id, created, updated, 0, rankRead, "read")
	s.version.AuthAt = w.now + 1000
	return s
}
