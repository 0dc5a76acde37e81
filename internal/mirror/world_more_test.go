package mirror

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// worldMore is what Clerk has besides organizations, users, memberships and roles.
type worldMore struct {
	invitations []*worldInvitation
	domains     []*worldDomain
	permissions []*worldPermission
	sessions    []store.RevokedSession
}

type worldInvitation struct {
	id, email, status string
	organization      *worldOrganization
	inviter, user     *worldUser // user accepted it
	created, updated  int64
}

type worldDomain struct {
	id, name, mode         string
	verified               bool
	organization           *worldOrganization
	created, updated, tomb int64
}

type worldPermission struct {
	id, key, name, description string
	created, updated, tomb     int64
}

// changeMore makes one random change to them that Clerk would allow.
func (w *world) changeMore() {
	organization, user := pick(w.random, w.organizations), pick(w.random, w.users)
	switch n := w.random.IntN(10); {
	case n < 2 && organization.tomb == 0 && user.tomb == 0:
		w.tick(1)
		i := &worldInvitation{id: w.id("orginv_"), status: "pending", organization: organization, inviter: user, created: w.now, updated: w.now}
		i.email = i.id + "@acme.example"
		w.more.invitations = append(w.more.invitations, i)
		w.emit("organizationInvitation.created", i.data())
	case n < 5 && len(w.more.invitations) > 0:
		w.answerInvitation(pick(w.random, w.more.invitations), user)
	case n < 7:
		w.changeDomain(organization)
	case n < 9:
		w.changePermission()
	case user.tomb == 0:
		w.tick(1)
		s := store.RevokedSession{ID: w.id("sess_"), UserID: user.id}
		what := pick(w.random, []string{"ended", "removed", "revoked"})
		s.RevokedAt = w.emit("session."+what, object{"id": s.ID, "user_id": user.id, "user": w.userData(user), "status": what, "updated_at": w.now})
		w.more.sessions = append(w.more.sessions, s)
	}
}

// answerInvitation accepts a pending invitation as the user, or revokes it.
func (w *world) answerInvitation(i *worldInvitation, user *worldUser) {
	if i.status != "pending" || i.organization.tomb > 0 || user.tomb > 0 {
		return
	}
	w.tick(1)
	i.status, i.updated = "revoked", w.now
	if w.random.IntN(4) > 0 {
		i.status, i.user = "accepted", user
	}
	w.emit("organizationInvitation."+i.status, i.data())
}

func (w *world) changeDomain(organization *worldOrganization) {
	if len(w.more.domains) == 0 || w.random.IntN(3) == 0 && organization.tomb == 0 {
		w.tick(1)
		d := &worldDomain{id: w.id("orgdmn_"), name: w.word("name"), mode: "manual_invitation", organization: organization, created: w.now, updated: w.now}
		w.more.domains = append(w.more.domains, d)
		w.emit("organizationDomain.created", d.data())
		return
	}
	d := pick(w.random, w.more.domains)
	if d.tomb > 0 {
		return
	}
	w.tick(1)
	if w.random.IntN(3) == 0 {
		d.tomb = w.emit("organizationDomain.deleted", object{"id": d.id, "deleted": true})
		return
	}
	d.mode, d.verified, d.updated = w.word("mode"), !d.verified, w.now
	w.emit("organizationDomain.updated", d.data())
}

func (w *world) changePermission() {
	if len(w.more.permissions) == 0 || w.random.IntN(3) == 0 {
		w.tick(1)
		p := &worldPermission{id: w.id("perm_"), key: "org:documents:" + w.word("p"), name: w.word("Name"), created: w.now, updated: w.now}
		w.more.permissions = append(w.more.permissions, p)
		w.emit("permission.created", p.data())
		return
	}
	p := pick(w.random, w.more.permissions)
	if p.tomb > 0 {
		return
	}
	w.tick(1)
	if w.random.IntN(3) == 0 {
		p.tomb = w.emit("permission.deleted", object{"id": p.id, "deleted": true})
		return
	}
	p.name, p.description, p.updated = w.word("Name"), w.word("Description"), w.now
	w.emit("permission.updated", p.data())
}

func (i *worldInvitation) data() object {
	data := object{
		"id": i.id, "email_address": i.email, "role": "org:member", "status": i.status, "organization_id": i.organization.id,
		"inviter_id": i.inviter.id, "created_at": i.created, "updated_at": i.updated, "expires_at": i.created + 1000,
		"public_organization_data": object{"id": i.organization.id, "name": i.organization.name},
	}
	if i.user != nil {
		data["user_id"] = i.user.id
	}
	return data
}

func (d *worldDomain) data() object {
	data := object{
		"id": d.id, "organization_id": d.organization.id, "name": d.name, "enrollment_mode": d.mode,
		"verification": nil, "created_at": d.created, "updated_at": d.updated,
	}
	if d.verified {
		data["verification"] = object{"status": "verified"}
	}
	return data
}

func (p *worldPermission) data() object {
	return object{
		"id": p.id, "key": p.key, "name": p.name, "description": p.description, "type": "user",
		"created_at": p.created, "updated_at": p.updated,
	}
}

// moreReference is what the copy of them must be in the end: what lives, without versions.
type moreReference struct {
	invitations map[string]store.MirrorInvitation
	domains     map[string]store.MirrorDomain
	permissions map[string]store.MirrorPermission
	sessions    map[string]store.RevokedSession
}

func (w worldMore) reference() moreReference {
	r := moreReference{
		map[string]store.MirrorInvitation{},
		map[string]store.MirrorDomain{},
		map[string]store.MirrorPermission{},
		map[string]store.RevokedSession{},
	}
	for _, i := range w.invitations {
		row := store.MirrorInvitation{
			ID: i.id, OrganizationID: i.organization.id, EmailAddress: &i.email, Role: "org:member", Status: i.status,
			InviterID: i.inviter.id, ExpiresAt: i.created + 1000,
		}
		if i.user != nil {
			row.UserID = i.user.id
			if i.user.tomb > 0 {
				row.EmailAddress = nil
			}
		}
		r.invitations[i.id] = row
	}
	for _, d := range w.domains {
		if d.tomb == 0 {
			r.domains[d.id] = store.MirrorDomain{
				ID: d.id, OrganizationID: d.organization.id, Name: d.name, EnrollmentMode: d.mode, Verified: d.verified,
			}
		}
	}
	for _, p := range w.permissions {
		if p.tomb == 0 {
			r.permissions[p.id] = store.MirrorPermission{ID: p.id, Key: p.key, Name: p.name, Description: text(p.description).orNil(), Type: "user"}
		}
	}
	for _, s := range w.sessions {
		r.sessions[s.ID] = s
	}
	return r
}

// shownInvitations is empty where requests read of every invitation that lives in the copy what Clerk has, and of no other.
func (w *world) shownInvitations(m *model) string {
	want := map[string]models.Invitation{}
	for _, i := range w.more.invitations {
		row, found := m.invitations[i.id]
		if !found || dead(row.MirrorRow) {
			continue
		}
		expires := moment(i.created + 1000)
		shown := models.Invitation{
			OrganizationID: i.organization.id, ID: i.id, Email: &i.email, Role: "org:member", Status: row.Status,
			CreatedAt: moment(i.created), ExpiresAt: &expires,
		}
		if row.EmailAddress == nil {
			shown.Email = nil
		}
		want[i.id] = shown
	}
	return cmp.Diff(want, m.publicInvitations)
}

// more is the same of a model.
func (m *model) more() moreReference {
	return moreReference{
		bare(m.invitations, func(r *store.MirrorInvitation) *store.MirrorRow { return &r.MirrorRow }),
		bare(m.domains, func(r *store.MirrorDomain) *store.MirrorRow { return &r.MirrorRow }),
		bare(m.permissions, func(r *store.MirrorPermission) *store.MirrorRow { return &r.MirrorRow }),
		m.sessions,
	}
}

// bare is what lives of the rows, without versions.
func bare[R any](rows map[string]R, of func(*R) *store.MirrorRow) map[string]R {
	living := map[string]R{}
	for id, row := range rows {
		if !dead(*of(&row)) {
			*of(&row) = store.MirrorRow{}
			living[id] = row
		}
	}
	return living
}

// moreReads is what the Backend API would answer for each of them that the copy cannot order. Its invitations do not say
// who accepted them.
func (w *world) moreReads(m *model) (answers []change) {
	for _, i := range w.more.invitations {
		if m.invitations[i.id].NeedsRead {
			answers = append(answers, invitationChange{
				statement: w.answer(i.id, i.created, i.updated), organizationID: i.organization.id, emailAddress: &i.email,
				role: "org:member", status: i.status, inviterID: i.inviter.id, expiresAt: i.created + 1000,
			})
		}
	}
	for _, d := range w.more.domains {
		if m.domains[d.id].NeedsRead {
			answers = append(answers, domainChange{w.answer(d.id, d.created, d.updated), d.organization.id, d.name, d.mode, d.verified})
		}
	}
	for _, p := range w.more.permissions {
		if m.permissions[p.id].NeedsRead {
			answers = append(answers, permissionChange{w.answer(p.id, p.created, p.updated), p.key, p.name, text(p.description).orNil(), "user"})
		}
	}
	return answers
}

// moreSeen is how many there were of them.
type moreSeen struct{ invitations, gone, domains, permissions, sessions int }

func (s *moreSeen) add(w worldMore) {
	s.invitations, s.domains = s.invitations+len(w.invitations), s.domains+len(w.domains)
	s.permissions, s.sessions = s.permissions+len(w.permissions), s.sessions+len(w.sessions)
	for _, i := range w.invitations {
		if i.user != nil && i.user.tomb > 0 {
			s.gone++
		}
	}
}

// enough fails where the histories had too little of something to prove anything about it.
func (s *moreSeen) enough(t testing.TB, least int) {
	t.Helper()
	if min(s.invitations, s.domains, s.permissions, s.sessions) < least/3 || s.gone == 0 {
		t.Errorf("%d invitations (%d accepted by who is deleted), %d domains, %d permissions, %d sessions",
			s.invitations, s.gone, s.domains, s.permissions, s.sessions)
	}
}
