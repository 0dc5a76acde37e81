package auth

import "errors"

var (
	// ErrUnauthenticated is what every Refusal wraps: the caller is not who they say, or does not say it well. HTTP 401.
	ErrUnauthenticated = errors.New("unauthenticated")
	// ErrKeysUnavailable says that no token can be judged because Clerk's keys could not be had. HTTP 503.
	ErrKeysUnavailable = errors.New("the keys that verify session tokens are not available")
)

// Refusal says that a token or its header is not accepted, and why. The reason is for logs; clients are told only that
// they are not authenticated.
type Refusal struct {
	// Reason is one of the constants below.
	Reason string
}

func (r *Refusal) Error() string { return "unauthenticated: " + r.Reason }

// Unwrap makes errors.Is(err, ErrUnauthenticated) hold for every Refusal.
func (r *Refusal) Unwrap() error { return ErrUnauthenticated }

func refuse(reason string) error { return &Refusal{Reason: reason} }

// Why a request was refused, in the order in which it is looked at. The words are stable: dashboards count them.
const (
	// The Authorization header.
	ReasonSeveralHeaders = "several_headers" // more than one Authorization header
	ReasonScheme         = "scheme"          // not "Bearer <token>"
	ReasonEmptyToken     = "empty_token"     // "Bearer" and nothing after it

	// The token, before its signature is checked.
	ReasonSize            = "size"             // longer than any real session token
	ReasonShape           = "shape"            // not three parts of base64url
	ReasonHeader          = "header"           // the header is no plain JSON object
	ReasonAlgorithm       = "algorithm"        // not RS256
	ReasonHeaderParameter = "header_parameter" // brings its own key, or asks for an extension
	ReasonType            = "type"             // typ says that it is no JWT
	ReasonCategory        = "category"         // cat says that it is no session token
	ReasonKey             = "key"              // kid is missing, or no key of this instance
	ReasonSignature       = "signature"        // not signed with that key

	// The claims, once the signature holds.
	ReasonClaims          = "claims"  // the payload is no plain JSON object, or a claim has the wrong type
	ReasonVersion         = "version" // v is neither 1 nor 2
	ReasonIssuer          = "issuer"  // another instance
	ReasonExpMissing      = "exp_missing"
	ReasonIatMissing      = "iat_missing"
	ReasonExpired         = "expired"
	ReasonNotYetValid     = "not_yet_valid" // nbf or iat lies in the future
	ReasonSubMissing      = "sub_missing"
	ReasonSubject         = "subject"          // not a user
	ReasonSidMissing      = "sid_missing"      // no session, as in a token from a JWT template
	ReasonSession         = "session"          // sid is no session id
	ReasonStatus          = "status"           // sts is neither active nor pending
	ReasonAuthorizedParty = "authorized_party" // azp is not on the list, or missing
	ReasonOrganization    = "organization"     // the organization's id is no id
	ReasonActor           = "actor"            // act is there and does not name who acts

	// The mirror.
	ReasonUserDeleted    = "user_deleted"    // the user no longer exists
	ReasonUserBarred     = "user_barred"     // Clerk banned or deprovisioned the user
	ReasonSessionRevoked = "session_revoked" // the session is over, though the token lives
)
