package clerk

import (
	"slices"
	"strings"
	"time"
)

// state is everything the local Clerk knows. A published state is never
// changed: update works on a clone. All times are Clerk's, in milliseconds.
type state struct {
	Version       int            `json:"version"`
	InstanceID    string         `json:"instanceId"`
	SecretKey     string         `json:"secretKey"`
	WebhookSecret string         `json:"webhookSecret"`
	Clock         int64          `json:"clock"`  // the newest time given out
	Rights        string         `json:"rights"` // the digest of those followed last
	Permissions   []permission   `json:"permissions"`
	Roles         []role         `json:"roles"`
	Users         []user         `json:"users"`
	Organizations []organization `json:"organizations"`
	Memberships   []membership   `json:"memberships"`
	Invitations   []invitation   `json:"invitations"`
	Settings      settings       `json:"settings"`
	Queue         []message      `json:"queue"` // events not yet delivered
}

type permission struct {
	ID          string `json:"id"`
	Key         string `json:"key"` // org:<feature>:<permission>
	Name        string `json:"name"`
	Description string `json:"description"`
	CreatedAt   int64  `json:"createdAt"`
	UpdatedAt   int64  `json:"updatedAt"`
}

// system tells Clerk's own permissions, which never get into a token.
func (p permission) system() bool { return strings.HasPrefix(p.Key, "org:sys_") }

type role struct {
	ID              string   `json:"id"`
	Key             string   `json:"key"` // org:<role>
	Name            string   `json:"name"`
	Description     string   `json:"description"`
	CreatorEligible bool     `json:"creatorEligible"`
	Permissions     []string `json:"permissions"` // keys, system ones first
	CreatedAt       int64    `json:"createdAt"`
	UpdatedAt       int64    `json:"updatedAt"`
}

type user struct {
	ID        string `json:"id"`
	Handle    string `json:"handle"` // the short name people type
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	EmailID   string `json:"emailId"`
	Email     string `json:"email"`
	CreatedAt int64  `json:"createdAt"`
	UpdatedAt int64  `json:"updatedAt"`
	Banned    bool   `json:"banned,omitempty"`
	Locked    bool   `json:"locked,omitempty"`
	Temporary bool   `json:"temporary,omitempty"` // see temporary.go
}

type organization struct {
	ID        string `json:"id"`
	Slug      string `json:"slug"`
	Name      string `json:"name"`
	CreatedBy string `json:"createdBy"`
	CreatedAt int64  `json:"createdAt"`
	UpdatedAt int64  `json:"updatedAt"`
	Temporary bool   `json:"temporary,omitempty"` // a temporary user made it

	MaxMemberships  int      `json:"maxMemberships,omitempty"` // 0: no limit
	AdminDeleteOff  bool     `json:"adminDeleteOff,omitempty"`
	PublicMetadata  metadata `json:"publicMetadata,omitempty"`
	PrivateMetadata metadata `json:"privateMetadata,omitempty"`
}

// membership is one incarnation: who leaves and joins again gets another id.
type membership struct {
	ID             string `json:"id"`
	OrganizationID string `json:"organizationId"`
	UserID         string `json:"userId"`
	Role           string `json:"role"` // a role's key
	CreatedAt      int64  `json:"createdAt"`
	UpdatedAt      int64  `json:"updatedAt"`

	PublicMetadata  metadata `json:"publicMetadata,omitempty"`
	PrivateMetadata metadata `json:"privateMetadata,omitempty"`
}

// message is an event on its way. Body is text, not nested JSON, because every
// attempt must sign and send the very same bytes, also after a restart.
type message struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Body string `json:"body"`
}

// clone copies what update may change. Elements are values; the permission
// list of a role and metadata are shared and must be replaced, not written to.
func (s *state) clone() *state {
	next := *s
	next.Permissions = slices.Clone(s.Permissions)
	next.Roles = slices.Clone(s.Roles)
	next.Users = slices.Clone(s.Users)
	next.Organizations = slices.Clone(s.Organizations)
	next.Memberships = slices.Clone(s.Memberships)
	next.Invitations = slices.Clone(s.Invitations)
	next.Queue = slices.Clone(s.Queue)
	return &next
}

// tick gives the next moment on Clerk's clock: now, or a millisecond after the
// last one given. Two facts never share a moment, so that a membership made in
// the millisecond of its predecessor's removal is still younger than it.
func (s *state) tick(now time.Time) int64 {
	s.Clock = max(now.UnixMilli(), s.Clock+1)
	return s.Clock
}

func (s *state) userByID(id string) (user, bool) {
	return find(s.Users, func(u user) bool { return u.ID == id })
}

func (s *state) organizationByID(id string) (organization, bool) {
	return find(s.Organizations, func(o organization) bool { return o.ID == id })
}

func (s *state) roleByKey(key string) (role, bool) {
	return find(s.Roles, func(r role) bool { return r.Key == key })
}

func (s *state) permissionByKey(key string) (permission, bool) {
	return find(s.Permissions, func(p permission) bool { return p.Key == key })
}

// membershipOf finds the live membership of a person in an organization.
func (s *state) membershipOf(organizationID, userID string) (membership, bool) {
	return find(s.Memberships, func(m membership) bool {
		return m.OrganizationID == organizationID && m.UserID == userID
	})
}

func (s *state) membersCount(organizationID string) int {
	count := 0
	for _, m := range s.Memberships {
		if m.OrganizationID == organizationID {
			count++
		}
	}
	return count
}

func find[T any](all []T, is func(T) bool) (T, bool) {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i], true
	}
	var none T
	return none, false
}
