package auth

import (
	"encoding/base64"
	"strings"

	"github.com/go-jose/go-jose/v4/json"
)

// Limits on what is parsed at all. Clerk keeps session tokens below 4 KB, the size of a cookie.
const (
	maxToken  = 8 << 10
	maxHeader = 1 << 10
	maxDepth  = 16
	maxKid    = 128
	maxID     = 100
)

// Classes of token in the header parameter cat, all signed with the same key (Clerk: backend/src/tokens/jwtCategories.ts).
const (
	categorySession = "cl_B7d4PD111AAA"
	categoryNone    = "cl_I7d4PD111III" // the instance opted out of classes
)

const (
	statusActive  = "active"
	statusPending = "pending"
)

// tokenParts are the decoded parts of a compact JWS.
type tokenParts struct{ header, payload []byte }

// splitToken checks the outer form of a token: three parts of base64url without padding, line breaks or unused bits,
// so that one signature belongs to exactly one string.
func splitToken(token string) (tokenParts, error) {
	var parts tokenParts
	header, rest, found := strings.Cut(token, ".")
	payload, signature, again := strings.Cut(rest, ".")
	if !found || !again || len(header) > maxHeader || !plain(header) || !plain(payload) || !plain(signature) {
		return parts, refuse(ReasonShape)
	}
	strict := base64.RawURLEncoding.Strict()
	var err error
	if parts.header, err = strict.DecodeString(header); err != nil {
		return parts, refuse(ReasonShape)
	}
	if parts.payload, err = strict.DecodeString(payload); err != nil {
		return parts, refuse(ReasonShape)
	}
	if _, err = strict.DecodeString(signature); err != nil {
		return parts, refuse(ReasonShape)
	}
	return parts, nil
}

// plain tells whether a part is not empty and of the alphabet: Go's base64 decoder skips line breaks.
func plain(part string) bool {
	for i := range len(part) {
		if !base64URL(part[i]) {
			return false
		}
	}
	return part != ""
}

func base64URL(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// tokenHeader is what is looked at in a header. Parameters that are not named here are ignored, as Clerk asks
// (it adds some, such as oiat).
type tokenHeader struct {
	Algorithm string  `json:"alg"`
	KeyID     string  `json:"kid"`
	Type      *string `json:"typ"`
	Category  *string `json:"cat"`

	// A token may not bring its key along, and no extension is understood.
	KeySetURL      json.RawMessage `json:"jku"`
	Key            json.RawMessage `json:"jwk"`
	CertificateURL json.RawMessage `json:"x5u"`
	Certificate    json.RawMessage `json:"x5c"`
	Critical       json.RawMessage `json:"crit"`
	Unencoded      json.RawMessage `json:"b64"`
}

// readHeader parses a header and refuses what no session token has. Nothing is fetched or looked up before it agrees.
func readHeader(data []byte) (*tokenHeader, error) {
	h := new(tokenHeader)
	if !readJSON(data, h) {
		return nil, refuse(ReasonHeader)
	}
	switch {
	case h.Algorithm != "RS256":
		return nil, refuse(ReasonAlgorithm)
	case h.KeySetURL != nil || h.Key != nil || h.CertificateURL != nil || h.Certificate != nil ||
		h.Critical != nil || h.Unencoded != nil:
		return nil, refuse(ReasonHeaderParameter)
	case h.Type != nil && *h.Type != "JWT":
		return nil, refuse(ReasonType)
	case h.Category != nil && *h.Category != categorySession && *h.Category != categoryNone:
		return nil, refuse(ReasonCategory)
	case len(h.KeyID) > maxKid:
		return nil, refuse(ReasonKey)
	}
	return h, nil
}
