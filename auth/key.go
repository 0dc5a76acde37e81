package auth

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// publicKey is one key of the instance. Its address is its identity: a refresh that finds the same key keeps it, so
// that "is this key still held" is a comparison of pointers.
type publicKey struct {
	id  string
	rsa *rsa.PublicKey
}

// keyring is where keys come from: a fetched key set, or a single key that was configured.
type keyring interface {
	// find returns the keys with this id, none if there is none, or ErrKeysUnavailable.
	find(ctx context.Context, id string) ([]*publicKey, error)
	// holds tells whether the key may still be used.
	holds(*publicKey) bool
	// only returns the id of the single key that is held, or "".
	only() string
	ready() error
	run(ctx context.Context)
}

// fixedKey is the key from a PEM. It has no id and answers to every one, as in Clerk's own SDKs.
type fixedKey struct{ key *publicKey }

func (f fixedKey) find(context.Context, string) ([]*publicKey, error) {
	return []*publicKey{f.key}, nil
}
func (f fixedKey) holds(k *publicKey) bool { return k == f.key }
func (f fixedKey) only() string            { return "" }
func (f fixedKey) ready() error            { return nil }
func (f fixedKey) run(context.Context)     {}

// parsePEM reads the public key that Clerk's dashboard shows as "JWKS public key" (PEM, PKIX). Environment files often
// hold it in one line with \n written out, which is taken too.
func parsePEM(text string) (*publicKey, error) {
	block, rest := pem.Decode([]byte(strings.ReplaceAll(text, `\n`, "\n")))
	if block == nil || block.Type != "PUBLIC KEY" || strings.TrimSpace(string(rest)) != "" {
		return nil, errors.New("auth: the key is not one PEM block of type PUBLIC KEY")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, errors.New("auth: the PEM holds no readable public key")
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("auth: the PEM holds no RSA key")
	}
	if err := checkRSA(key); err != nil {
		return nil, err
	}
	return &publicKey{rsa: key}, nil
}

func checkRSA(key *rsa.PublicKey) error {
	if bits := key.N.BitLen(); bits < 2048 || bits > 8192 {
		return fmt.Errorf("auth: an RSA key must have 2048 to 8192 bits, this one has %d", bits)
	}
	if key.E < 3 || key.E%2 == 0 {
		return errors.New("auth: the RSA key's exponent is not usable")
	}
	return nil
}

// parseKeySet reads a JWKS. Keys that cannot verify RS256 signatures are left out and reported, so that one of another
// kind does no harm. Several keys may share an id: Clerk's id is the instance's.
func parseKeySet(body []byte) (keys []*publicKey, skipped []error, err error) {
	var set struct {
		Keys *[]json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, nil, fmt.Errorf("auth: not a key set: %w", err)
	}
	if set.Keys == nil {
		return nil, nil, errors.New("auth: not a key set: no keys in it")
	}
	for _, raw := range *set.Keys {
		key, err := parseKey(raw)
		if err != nil {
			skipped = append(skipped, err)
			continue
		}
		keys = append(keys, key)
	}
	return keys, skipped, nil
}

func parseKey(raw json.RawMessage) (*publicKey, error) {
	// go-jose does not look at key_ops.
	var purpose struct {
		Operations *[]string `json:"key_ops"`
	}
	var jwk jose.JSONWebKey
	if err := errors.Join(json.Unmarshal(raw, &purpose), json.Unmarshal(raw, &jwk)); err != nil {
		return nil, fmt.Errorf("auth: not a key: %w", err)
	}
	key, ok := jwk.Key.(*rsa.PublicKey)
	switch {
	case !ok:
		return nil, fmt.Errorf("auth: key %q is no public RSA key", jwk.KeyID)
	case jwk.KeyID == "" || len(jwk.KeyID) > maxKid:
		return nil, errors.New("auth: a key without a usable id")
	case jwk.Algorithm != "" && jwk.Algorithm != string(jose.RS256):
		return nil, fmt.Errorf("auth: key %q is not for RS256", jwk.KeyID)
	case jwk.Use != "" && jwk.Use != "sig":
		return nil, fmt.Errorf("auth: key %q is not for signatures", jwk.KeyID)
	case purpose.Operations != nil && !slices.Contains(*purpose.Operations, "verify"):
		return nil, fmt.Errorf("auth: key %q is not for verifying", jwk.KeyID)
	}
	if err := checkRSA(key); err != nil {
		return nil, fmt.Errorf("key %q: %w", jwk.KeyID, err)
	}
	return &publicKey{id: jwk.KeyID, rsa: key}, nil
}
