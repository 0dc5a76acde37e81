package mirror

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

// tokenSeen is what a check looks at of a session token. The token itself is not kept.
type tokenSeen struct {
	kid, issuer  string
	life         int64 // seconds from iat to exp
	version      int
	organization bool // one is active
	system       bool // its permissions hold system permissions
}

// readTokenSeen reads a token without verifying it: it comes from the Backend API itself.
func readTokenSeen(jwt string) (*tokenSeen, error) {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return nil, errors.New("the answer holds no token")
	}
	var header struct {
		Kid text `json:"kid"`
	}
	var claims struct {
		Issuer       text            `json:"iss"`
		IssuedAt     int64           `json:"iat"`
		Expires      int64           `json:"exp"`
		Version      int             `json:"v"`
		Organization json.RawMessage `json:"o"`
		OldID        text            `json:"org_id"`
		Permissions  json.RawMessage `json:"org_permissions"`
		Features     text            `json:"fea"`
	}
	for part, into := range map[string]any{parts[0]: &header, parts[1]: &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || json.Unmarshal(raw, into) != nil {
			return nil, errors.New("the token cannot be read")
		}
	}
	said := string(claims.Organization) + string(claims.Permissions) + string(claims.Features)
	return &tokenSeen{
		kid: string(header.Kid), issuer: string(claims.Issuer), life: claims.Expires - claims.IssuedAt,
		version: max(claims.Version, 1), organization: len(claims.Organization) > 0 || claims.OldID != "",
		system: strings.Contains(said, "sys_"),
	}, nil
}
