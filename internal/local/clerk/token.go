package clerk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// tokenLife is how long a session token lives; Clerk's default.
const tokenLife = 60 * time.Second

// tokenRequest asks for a token by ids; empty OrganizationID: none active.
type tokenRequest struct {
	UserID         string
	OrganizationID string
	Version        int    // 1 or 2
	Origin         string // becomes azp; Clerk leaves azp out where there is none
	// ProvedMinutesAgo is the age of the first factor.
	ProvedMinutesAgo int
	// Actor is who acts in the user's name; nil for the user.
	Actor *actorClaim
}

// actorClaim is the act claim. Clerk leaves the type out for people.
type actorClaim struct {
	Issuer    string `json:"iss"`
	SessionID string `json:"sid"`
	Subject   string `json:"sub"`
	Type      string `json:"type,omitempty"`
}

// actors are those who can act in a user's name here.
var actors = map[string]*actorClaim{
	"person": {Issuer: "https://dashboard.clerk.com", SessionID: "sess_support", Subject: "user_support"},
	"agent":  {Issuer: "https://" + frontendHost, SessionID: "sess_agent", Subject: "agent_local", Type: "agent"},
}

// sessionClaims are the claims of a session token; which of them are set
// depends on the version.
type sessionClaims struct {
	Actor           *actorClaim        `json:"act,omitempty"`
	AuthorizedParty string             `json:"azp,omitempty"`
	ExpiresAt       int64              `json:"exp"`
	Features        string             `json:"fea,omitempty"`
	FactorAge       [2]int             `json:"fva"`
	IssuedAt        int64              `json:"iat"`
	Issuer          string             `json:"iss"`
	ID              string             `json:"jti,omitempty"`
	NotBefore       int64              `json:"nbf"`
	Organization    *organizationClaim `json:"o,omitempty"`
	SessionID       string             `json:"sid"`
	Status          string             `json:"sts"`
	Subject         string             `json:"sub"`
	Version         int                `json:"v,omitempty"`

	// Version 1 only. No permission is an empty list, no organization none.
	OrganizationID          string    `json:"org_id,omitempty"`
	OrganizationSlug        string    `json:"org_slug,omitempty"`
	OrganizationRole        string    `json:"org_role,omitempty"`
	OrganizationPermissions *[]string `json:"org_permissions,omitempty"`
}

// organizationClaim is the o of version 2. Its role has no org: prefix.
type organizationClaim struct {
	ID                    string `json:"id"`
	Slug                  string `json:"slg,omitempty"`
	Role                  string `json:"rol,omitempty"`
	Permissions           string `json:"per,omitempty"`
	FeaturePermissionMask string `json:"fpm,omitempty"`
}

// token signs a session token from the newest state. It returns a *apiError if
// the person is not, or no longer, a member of the organization asked for.
func (c *Clerk) token(request tokenRequest) (signed string, expires time.Time, err error) {
	claims, err := c.current.Load().claims(request, c.now())
	if err != nil {
		return "", time.Time{}, err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("encode claims: %w", err)
	}
	object, err := c.signer.Sign(payload)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign a token: %w", err)
	}
	signed, err = object.CompactSerialize()
	if err != nil {
		return "", time.Time{}, fmt.Errorf("encode a token: %w", err)
	}
	return signed, time.Unix(claims.ExpiresAt, 0).UTC(), nil
}

func (s *state) claims(request tokenRequest, now time.Time) (*sessionClaims, error) {
	u, known := s.userByID(request.UserID)
	if !known {
		return nil, s.unknownUser(request.UserID)
	}
	if u.Banned {
		return nil, bannedUser(u)
	}
	issued := now.Unix()
	claims := &sessionClaims{
		Actor:           request.Actor,
		AuthorizedParty: request.Origin,
		ExpiresAt:       issued + int64(tokenLife/time.Second),
		// A second factor is not enrolled.
		FactorAge: [2]int{request.ProvedMinutesAgo, -1},
		IssuedAt:  issued,
		Issuer:    "https://" + frontendHost,
		NotBefore: issued - 10,
		SessionID: sessionID(u.ID),
		Status:    "active",
		Subject:   u.ID,
	}
	if request.Version == 2 {
		claims.Version = 2
		claims.ID = randomHex(10)
	}
	if request.OrganizationID == "" {
		return claims, nil
	}

	o, known := s.organizationByID(request.OrganizationID)
	if !known {
		return nil, s.unknownOrganization(request.OrganizationID)
	}
	m, member := s.membershipOf(o.ID, u.ID)
	if !member {
		return nil, notMember(o, u)
	}
	r, _ := s.roleByKey(m.Role) // known, or loading and updating would have refused it
	granted := s.customPermissions(r)
	if request.Version == 1 {
		claims.OrganizationID, claims.OrganizationSlug, claims.OrganizationRole = o.ID, o.Slug, r.Key
		claims.OrganizationPermissions = &granted
		return claims, nil
	}
	features := s.features()
	per, fpm := packPermissions(features, granted)
	claims.Features = featureClaim(features)
	claims.Organization = &organizationClaim{
		ID: o.ID, Slug: o.Slug, Role: strings.TrimPrefix(r.Key, "org:"),
		Permissions: per, FeaturePermissionMask: fpm,
	}
	return claims, nil
}

// sessionID is the one session that a person has here; there is no sign-in.
func sessionID(userID string) string { return "sess_" + strings.TrimPrefix(userID, "user_") }

// featureClaim lists features as the organization's: o:documents,o:reports.
func featureClaim(features []string) string {
	entries := make([]string, len(features))
	for i, feature := range features {
		entries[i] = "o:" + feature
	}
	return strings.Join(entries, ",")
}

// badVersion refuses what is neither version of session tokens.
func badVersion() *apiError {
	return &apiError{
		status: http.StatusUnprocessableEntity, code: "form_param_value_invalid",
		message: "is invalid", long: "version must be 2 or 1.", param: "version",
	}
}
