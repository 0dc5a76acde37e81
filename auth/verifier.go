package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	lru "github.com/hashicorp/golang-lru/v2"
)

// leeway is how far our clock may be from Clerk's.
const leeway = 5 * time.Second

// verifiedSize bounds the cache of verified tokens.
const verifiedSize = 4096

// Config says whose tokens a Verifier accepts.
type Config struct {
	// Issuer is the instance's Frontend API URL, which iss must equal to the letter.
	Issuer string
	// JWKSURL is where the instance's keys are: https, or http on this machine. Either it or PEM is given.
	JWKSURL string
	// PEM is the instance's public key; with it nothing is fetched.
	PEM string
	// AuthorizedParties are the origins whose tokens are accepted. Empty: all.
	AuthorizedParties []string
	// AllowMissingAuthorizedParty accepts tokens without azp although AuthorizedParties are given: native apps send no
	// Origin, so theirs have none.
	AllowMissingAuthorizedParty bool

	// Keeper keeps the last good set of keys over a restart; nobody unless given.
	Keeper KeyKeeper

	HTTPClient *http.Client
	Now        func() time.Time
	Logger     *slog.Logger
}

// KeyKeeper keeps a key set, as it was fetched and when. Whoever can write to it can make tokens.
type KeyKeeper interface {
	// KeptKeys returns nil where none is kept.
	KeptKeys(ctx context.Context) (body []byte, fetched time.Time, err error)
	KeepKeys(ctx context.Context, body []byte, fetched time.Time) error
}

// Verifier verifies Clerk session tokens without asking Clerk.
type Verifier struct {
	config   Config
	keys     keyring
	verified *lru.Cache[[sha256.Size]byte, verifiedToken]
	// instance is the id of the key that verified the last token.
	instance atomic.Pointer[string]
	warned   sync.Once
}

// verifiedToken is a token whose signature and claims held; it is good until it expires or its key is dropped.
type verifiedToken struct {
	claims *Claims
	key    *publicKey
}

// NewVerifier returns an error if the configuration cannot be right. It asks nobody: keys are fetched by Run.
func NewVerifier(c Config) (*Verifier, error) {
	if u, err := url.Parse(c.Issuer); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("auth: the issuer must be the URL of the instance's Frontend API")
	}
	if (c.JWKSURL == "") == (c.PEM == "") {
		return nil, errors.New("auth: either the URL of the keys or a PEM is needed")
	}
	if slices.Contains(c.AuthorizedParties, "") {
		return nil, errors.New("auth: an authorized party is empty")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	keys, err := newKeyring(c)
	if err != nil {
		return nil, err
	}
	verified, err := lru.New[[sha256.Size]byte, verifiedToken](verifiedSize)
	if err != nil {
		return nil, err
	}
	return &Verifier{config: c, keys: keys, verified: verified}, nil
}

func newKeyring(c Config) (keyring, error) {
	if c.PEM != "" {
		key, err := parsePEM(c.PEM)
		if err != nil {
			return nil, err
		}
		return fixedKey{key}, nil
	}
	if u, err := url.Parse(c.JWKSURL); err != nil || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("auth: keys must come over https, or over http from this machine: %q", c.JWKSURL)
	}
	return newRemoteKeys(c)
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// Run fetches the keys and keeps them fresh until ctx ends. With a PEM it returns at once.
func (v *Verifier) Run(ctx context.Context) { v.keys.run(ctx) }

// Ready returns ErrKeysUnavailable while there are no keys to verify tokens with.
func (v *Verifier) Ready() error { return v.keys.ready() }

// InstanceID returns the id of the Clerk instance, which is the id of its key, or "" while it is not known: before the
// keys were fetched, or with a PEM before the first token was verified.
func (v *Verifier) InstanceID() string {
	id := v.keys.only()
	if last := v.instance.Load(); id == "" && last != nil {
		id = *last
	}
	if !strings.HasPrefix(id, "ins_") {
		return ""
	}
	return id
}

// Verify returns what a token says, if it is a valid session token of the instance. The claims are shared: read only.
// It returns a *Refusal if the token is not accepted, and ErrKeysUnavailable if that cannot be judged.
func (v *Verifier) Verify(ctx context.Context, token string) (*Claims, error) {
	if len(token) > maxToken {
		return nil, refuse(ReasonSize)
	}
	digest := sha256.Sum256([]byte(token))
	if known, found := v.verified.Get(digest); found {
		if err := v.checkExpiry(known.claims.ExpiresAt); err != nil {
			v.verified.Remove(digest)
			return nil, err
		}
		if v.keys.holds(known.key) {
			return known.claims, nil
		}
		v.verified.Remove(digest)
	}
	parts, err := splitToken(token)
	if err != nil {
		return nil, err
	}
	key, id, err := v.checkSignature(ctx, token, parts)
	if err != nil {
		return nil, err
	}
	claims, err := v.readClaims(parts.payload)
	if err != nil {
		return nil, err
	}
	if last := v.instance.Load(); last == nil || *last != id {
		v.instance.Store(&id)
	}
	v.verified.Add(digest, verifiedToken{claims, key})
	return claims, nil
}

// checkSignature returns the key that signed the token and the id the token gives it.
func (v *Verifier) checkSignature(ctx context.Context, token string, parts tokenParts) (*publicKey, string, error) {
	header, err := readHeader(parts.header)
	if err != nil {
		return nil, "", err
	}
	keys, err := v.keys.find(ctx, header.KeyID)
	if err != nil {
		return nil, "", err
	}
	if len(keys) == 0 {
		return nil, "", refuse(ReasonKey)
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, "", refuse(ReasonHeader)
	}
	for _, key := range keys {
		if _, err := signed.Verify(key.rsa); err == nil {
			return key, header.KeyID, nil
		}
	}
	return nil, "", refuse(ReasonSignature)
}

// readClaims decodes and judges the payload of a token whose signature holds.
func (v *Verifier) readClaims(payload []byte) (*Claims, error) {
	set, err := readClaimSet(payload)
	if err != nil {
		return nil, err
	}
	if err := v.check(set); err != nil {
		return nil, err
	}
	claims, err := set.claims()
	if err != nil {
		return nil, err
	}
	if claims.ambiguous {
		v.warned.Do(func() {
			v.config.Logger.Warn("a token's permissions can be read in two ways (user features before organization "+
				"features); only what both grant is granted", "organization", claims.Organization.ID)
		})
	}
	return claims, nil
}
