package auth

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4/json"
)

// Claims is what a verified session token says. It is shared between requests: read it, never change it.
type Claims struct {
	UserID, SessionID, Issuer string
	// AuthorizedParty is the origin that the token was made for, or "" where Clerk knew none.
	AuthorizedParty     string
	IssuedAt, ExpiresAt time.Time
	// Version of the claims' form, 1 or 2.
	Version int
	// Pending says that the session has tasks left, such as choosing an organization: signed in, nothing active.
	Pending bool
	// FactorVerificationAge is the minutes since the first and the second factor were verified when the token was made,
	// -1 for a factor never verified. Nil where the token does not say, which never counts as verified.
	FactorVerificationAge *[2]int
	// Actor is who really acts, when somebody impersonates the user; else nil.
	Actor *Actor
	// Organization is the active one, or nil.
	Organization *ActiveOrganization
	// Features and Plans are raw entries such as "o:documents", "u:pro" or "ou:beta".
	Features, Plans []string

	// ambiguous says that the token's permissions can be read in two ways; see decodePermissions.
	ambiguous bool
}

// ActiveOrganization is the organization that somebody acts in, and what they may do there.
type ActiveOrganization struct {
	ID string
	// Slug is "" where the instance has slugs switched off.
	Slug string
	// Role such as "org:admin", or "".
	Role string
	// Permissions such as "org:documents:read", sorted.
	Permissions []string
}

// Actor is who acts in another user's name.
type Actor struct {
	// Subject is the impersonator's id: a user's, or an agent's.
	Subject string `json:"sub"`
	// SessionID is the impersonator's session, or "".
	SessionID string `json:"sid"`
	// Issuer is where the impersonator signed in, or "".
	Issuer string `json:"iss"`
	// Type is "" of a person and "agent" of an agent. Whatever it is, somebody else than the user
	// acts.
	Type string `json:"type"`
}

// claimSet is the payload as it is on the wire. What only one version knows, or what may be malformed without harm,
// stays raw until it is needed: a customized version 2 token may carry anything under the names of version 1.
type claimSet struct {
	Issuer          string          `json:"iss"`
	Subject         string          `json:"sub"`
	SessionID       string          `json:"sid"`
	AuthorizedParty string          `json:"azp"`
	ExpiresAt       *int64          `json:"exp"`
	IssuedAt        *int64          `json:"iat"`
	NotBefore       *int64          `json:"nbf"`
	Version         *int            `json:"v"`
	Status          *string         `json:"sts"`
	FactorAges      json.RawMessage `json:"fva"`
	Features        string          `json:"fea"`
	Plans           string          `json:"pla"`
	Actor           json.RawMessage `json:"act"`

	Organization json.RawMessage `json:"o"`

	OrganizationID          json.RawMessage `json:"org_id"`
	OrganizationSlug        json.RawMessage `json:"org_slug"`
	OrganizationRole        json.RawMessage `json:"org_role"`
	OrganizationPermissions json.RawMessage `json:"org_permissions"`
}

// readClaimSet parses a payload. Names are case-sensitive and may not repeat.
func readClaimSet(payload []byte) (*claimSet, error) {
	set := new(claimSet)
	if !readJSON(payload, set) {
		return nil, refuse(ReasonClaims)
	}
	return set, nil
}

// claims turns a checked payload into Claims.
func (s *claimSet) claims() (*Claims, error) {
	c := &Claims{
		UserID: s.Subject, SessionID: s.SessionID, Issuer: s.Issuer, AuthorizedParty: s.AuthorizedParty,
		IssuedAt: time.Unix(*s.IssuedAt, 0), ExpiresAt: time.Unix(*s.ExpiresAt, 0),
		Version: 1, Pending: s.Status != nil && *s.Status == statusPending,
		FactorVerificationAge: factorAges(s.FactorAges),
		Features:              splitScoped(s.Features), Plans: splitScoped(s.Plans),
	}
	if s.Version != nil {
		c.Version = *s.Version
	}
	var err error
	if c.Actor, err = s.actor(); err != nil {
		return nil, err
	}
	switch c.Version {
	case 1:
		c.Organization, err = s.organizationV1()
	case 2:
		c.Organization, c.ambiguous, err = s.organizationV2(c.Features)
	default:
		err = refuse(ReasonVersion)
	}
	if err != nil {
		return nil, err
	}
	if c.Organization != nil && !validID(c.Organization.ID, "org_") {
		return nil, refuse(ReasonOrganization)
	}
	return c, nil
}

// actor returns nil where nobody is impersonated. An actor that cannot be read refuses the token, because what must not
// be done by an impersonator would otherwise be open to one.
func (s *claimSet) actor() (*Actor, error) {
	if absent(s.Actor) {
		return nil, nil
	}
	actor := new(Actor)
	if json.Unmarshal(s.Actor, actor) != nil || actor.Subject == "" {
		return nil, refuse(ReasonActor)
	}
	return actor, nil
}

func (s *claimSet) organizationV1() (*ActiveOrganization, error) {
	organization := new(ActiveOrganization)
	for _, claim := range []struct {
		raw  json.RawMessage
		into any
	}{
		{s.OrganizationID, &organization.ID},
		{s.OrganizationSlug, &organization.Slug},
		{s.OrganizationRole, &organization.Role},
		{s.OrganizationPermissions, &organization.Permissions},
	} {
		if !absent(claim.raw) && json.Unmarshal(claim.raw, claim.into) != nil {
			return nil, refuse(ReasonClaims)
		}
	}
	if organization.ID == "" {
		return nil, nil
	}
	organization.Permissions = sorted(organization.Permissions)
	return organization, nil
}

func (s *claimSet) organizationV2(features []string) (organization *ActiveOrganization, ambiguous bool, err error) {
	if absent(s.Organization) {
		return nil, false, nil
	}
	var o struct {
		ID          string `json:"id"`
		Slug        string `json:"slg"`
		Role        string `json:"rol"`
		Permissions string `json:"per"`
		Masks       string `json:"fpm"`
	}
	if json.Unmarshal(s.Organization, &o) != nil {
		return nil, false, refuse(ReasonClaims)
	}
	if o.ID == "" {
		return nil, false, nil
	}
	organization = &ActiveOrganization{ID: o.ID, Slug: o.Slug}
	if o.Role != "" {
		organization.Role = orgPrefix + o.Role
	}
	organization.Permissions, ambiguous = decodePermissions(features, o.Permissions, o.Masks)
	return organization, ambiguous, nil
}

// factorAges returns nil for anything but two whole numbers from -1 up.
func factorAges(raw json.RawMessage) *[2]int {
	var ages []*int
	if absent(raw) || json.Unmarshal(raw, &ages) != nil || len(ages) != 2 {
		return nil
	}
	for _, age := range ages {
		if age == nil || *age < -1 {
			return nil
		}
	}
	return &[2]int{*ages[0], *ages[1]}
}

func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// validID tells whether an id is one of Clerk's, of the kind that the prefix names. Ids reach URLs and database
// settings, so nothing else passes.
func validID(id, prefix string) bool {
	rest, found := strings.CutPrefix(id, prefix)
	if !found || rest == "" || len(id) > maxID {
		return false
	}
	for _, c := range []byte(rest) {
		if !base64URL(c) {
			return false
		}
	}
	return true
}

// readJSON decodes one JSON object that strangers may have written: valid UTF-8, not nested without end, no name twice.
func readJSON(data []byte, into any) bool {
	return len(data) > 0 && data[0] == '{' && utf8.Valid(data) && depth(data) <= maxDepth && json.Unmarshal(data, into) == nil
}

// depth returns how deep arrays and objects nest. It is right for JSON and harmless for anything else.
func depth(data []byte) int {
	deepest, current, quoted := 0, 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			current++
			deepest = max(deepest, current)
		case c == '}' || c == ']':
			current--
		}
	}
	return deepest
}
