package auth

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"
)

const (
	testIssuer = "https://clerk.example.test"
	testKid    = "ins_2Test"
)

// testNow is when most tests take place.
var testNow = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Keys are made once per test binary: ours, another instance's, and one that replaces ours.
var ourKey, foreignKey, nextKey = newKey(2048), newKey(2048), newKey(2048)

func newKey(bits int) func() *rsa.PrivateKey {
	return sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		return key
	})
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// object is a JSON object under construction.
type object map[string]any

// with returns a copy with changes; a value of nil removes the name.
func (o object) with(changes object) object {
	changed := maps.Clone(o)
	for name, value := range changes {
		if value == nil {
			delete(changed, name)
			continue
		}
		changed[name] = value
	}
	return changed
}

func (o object) json() string {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func goodHeader() object {
	return object{"alg": "RS256", "typ": "JWT", "kid": testKid, "cat": "cl_B7d4PD111AAA", "oiat": 1795348800}
}

// goodClaims are those of a real version 2 token, made at the given time.
func goodClaims(at time.Time) object {
	return object{
		"iss": testIssuer, "sub": "user_2Ada", "sid": "sess_2Ada", "azp": "https://app.example.test",
		"iat": at.Unix(), "exp": at.Unix() + 60, "nbf": at.Unix() - 10, "jti": "f00", "v": 2, "sts": "active",
		"fva": []int{3, -1}, "pla": "o:pro", "fea": "o:documents,u:beta",
		"o": object{"id": "org_2Acme", "slg": "acme", "rol": "admin", "per": "create,delete,read,update", "fpm": "15"},
	}
}

// sign makes a token of any header and payload, good or bad.
func sign(key *rsa.PrivateKey, header, payload string) string {
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return input + "." + b64(signature)
}

func mint(claims object) string { return sign(ourKey(), goodHeader().json(), claims.json()) }

func publicPEM(key *rsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// newVerifier returns one with our key that stands still at testNow, unless the configuration says otherwise.
func newVerifier(t testing.TB, c Config) *Verifier {
	t.Helper()
	if c.Issuer == "" {
		c.Issuer = testIssuer
	}
	if c.PEM == "" && c.JWKSURL == "" {
		c.PEM = publicPEM(&ourKey().PublicKey)
	}
	if c.Now == nil {
		c.Now = func() time.Time { return testNow }
	}
	v, err := NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// wantRefusal fails unless err is a Refusal for that reason.
func wantRefusal(t testing.TB, err error, reason string) {
	t.Helper()
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("got error %v, want a refusal for %q", err, reason)
	}
	if refusal.Reason != reason {
		t.Fatalf("refused for %q, want %q", refusal.Reason, reason)
	}
	if !errors.Is(err, ErrUnauthenticated) {
		t.Fatal("a refusal must be ErrUnauthenticated")
	}
}

// rawJSON stands in an object as it is written.
type rawJSON string

func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }
