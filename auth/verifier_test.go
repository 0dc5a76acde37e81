package auth

import (
	"crypto/rsa"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var ignoreUnexported = cmpopts.IgnoreUnexported(Claims{})

func readTestdata(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The token in testdata was made and signed by openssl, not by Go.
func TestVerifyReadsATokenOfAnotherImplementation(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, Config{
		PEM: readTestdata(t, "known.pem"),
		Now: func() time.Time { return time.Unix(1767225630, 0) },
	})
	if id := v.InstanceID(); id != "" {
		t.Errorf("instance %q is known before any token", id)
	}
	got, err := v.Verify(t.Context(), readTestdata(t, "known.jwt"))
	if err != nil {
		t.Fatal(err)
	}
	want := &Claims{
		UserID: "user_2KnownAnswer", SessionID: "sess_2KnownAnswer", Issuer: testIssuer,
		AuthorizedParty: "https://app.example.test",
		IssuedAt:        time.Unix(1767225600, 0), ExpiresAt: time.Unix(1767225660, 0), Version: 2,
		FactorVerificationAge: &[2]int{3, -1},
		Organization: &ActiveOrganization{
			ID: "org_2KnownAnswer", Slug: "acme", Role: "org:member",
			Permissions: []string{"org:documents:create", "org:documents:read", "org:documents:update"},
		},
		Features: []string{"o:documents", "u:beta"}, Plans: []string{"o:pro"},
	}
	if diff := cmp.Diff(want, got, ignoreUnexported); diff != "" {
		t.Error(diff)
	}
	if id := v.InstanceID(); id != "ins_2KnownAnswer" {
		t.Errorf("instance %q, want the token's kid", id)
	}
}

func TestVerifyReadsVersion1(t *testing.T) {
	t.Parallel()
	claims := goodClaims(testNow).with(object{
		"v": nil, "o": nil, "fea": nil, "pla": nil, "sts": nil, "fva": nil,
		"org_id": "org_2Acme", "org_slug": "acme", "org_role": "org:admin",
		"org_permissions": []string{"org:documents:read", "org:documents:create"},
		"act":             object{"iss": "https://dashboard.clerk.com", "sid": "sess_2Support", "sub": "user_2Support"},
	})
	got, err := newVerifier(t, Config{}).Verify(t.Context(), mint(claims))
	if err != nil {
		t.Fatal(err)
	}
	want := &Claims{
		UserID: "user_2Ada", SessionID: "sess_2Ada", Issuer: testIssuer, AuthorizedParty: "https://app.example.test",
		IssuedAt: time.Unix(testNow.Unix(), 0), ExpiresAt: time.Unix(testNow.Unix()+60, 0), Version: 1,
		Actor: &Actor{Subject: "user_2Support", SessionID: "sess_2Support", Issuer: "https://dashboard.clerk.com"},
		Organization: &ActiveOrganization{
			ID: "org_2Acme", Slug: "acme", Role: "org:admin",
			Permissions: []string{"org:documents:create", "org:documents:read"},
		},
	}
	if diff := cmp.Diff(want, got, ignoreUnexported); diff != "" {
		t.Error(diff)
	}
}

func TestVerifyAuthorizedParty(t *testing.T) {
	t.Parallel()
	list := []string{"https://app.example.test", "https://admin.example.test"}
	for name, test := range map[string]struct {
		parties      []string
		allowMissing bool
		party        any
		refused      bool
	}{
		"no list, any party":               {party: "https://evil.example"},
		"no list, no party":                {},
		"on the list":                      {parties: list, party: "https://admin.example.test"},
		"not on the list":                  {parties: list, party: "https://evil.example", refused: true},
		"only begins like one on the list": {parties: list, party: "https://app.example.test.evil.example", refused: true},
		"other case":                       {parties: list, party: "https://APP.example.test", refused: true},
		"missing":                          {parties: list, refused: true},
		"missing is allowed":               {parties: list, allowMissing: true},
		"missing is allowed, but it is a wrong one": {parties: list, allowMissing: true, party: "https://evil.example", refused: true},
		"empty": {parties: list, party: "", refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVerifier(t, Config{AuthorizedParties: test.parties, AllowMissingAuthorizedParty: test.allowMissing})
			_, err := v.Verify(t.Context(), mint(goodClaims(testNow).with(object{"azp": test.party})))
			if test.refused {
				wantRefusal(t, err, ReasonAuthorizedParty)
			} else if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// The edges of all times, with 5 s of leeway.
func TestVerifyTimes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		exp, nbf, iat int64 // seconds from now
		reason        string
	}{
		"alive":                       {exp: 60},
		"expired within the leeway":   {exp: -4},
		"expired at the leeway":       {exp: -5, reason: ReasonExpired},
		"long expired":                {exp: -3600, reason: ReasonExpired},
		"valid from within leeway":    {exp: 60, nbf: 5},
		"not yet valid":               {exp: 60, nbf: 6, reason: ReasonNotYetValid},
		"issued within the leeway":    {exp: 60, iat: 5},
		"issued in the future":        {exp: 60, iat: 6, reason: ReasonNotYetValid},
		"expired before it was valid": {exp: -10, nbf: 20, reason: ReasonExpired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := testNow.Unix()
			_, err := newVerifier(t, Config{}).Verify(t.Context(), mint(goodClaims(testNow).with(object{
				"exp": now + test.exp, "nbf": now + test.nbf, "iat": now + test.iat,
			})))
			if test.reason != "" {
				wantRefusal(t, err, test.reason)
			} else if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestVerifiedTokensAreKeptUntilTheyExpire(t *testing.T) {
	t.Parallel()
	now := testNow
	v := newVerifier(t, Config{Now: func() time.Time { return now }})
	token := mint(goodClaims(testNow))
	first, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	now = testNow.Add(64 * time.Second)
	second, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if first != second {
		t.Error("the token was verified again")
	}
	now = testNow.Add(65 * time.Second)
	for range 2 {
		_, err = v.Verify(t.Context(), token)
		wantRefusal(t, err, ReasonExpired)
	}
	if v.verified.Len() != 0 {
		t.Error("the expired token is still kept")
	}
}

func TestRefusedTokensAreNotKept(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, Config{})
	token := mint(goodClaims(testNow).with(object{"sts": "ended"}))
	for range 2 {
		_, err := v.Verify(t.Context(), token)
		wantRefusal(t, err, ReasonStatus)
	}
	if v.verified.Len() != 0 {
		t.Error("a refused token is kept")
	}
}

func TestAmbiguousPermissionsAreReportedOnce(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	v := newVerifier(t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 2 {
		claims := goodClaims(testNow).with(object{"fea": "u:beta,o:documents"})
		claims["jti"] = log.Len()
		if _, err := v.Verify(t.Context(), mint(claims)); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(log.String(), "two ways"); n != 1 {
		t.Errorf("reported %d times: %s", n, log.String())
	}
}

func TestNewVerifierRefusesWhatCannotBeRight(t *testing.T) {
	t.Parallel()
	ourPEM := publicPEM(&ourKey().PublicKey)
	for name, c := range map[string]Config{
		"no issuer":               {PEM: ourPEM},
		"issuer is no URL":        {Issuer: "clerk.example.test", PEM: ourPEM},
		"no keys":                 {Issuer: testIssuer},
		"two sources of keys":     {Issuer: testIssuer, PEM: ourPEM, JWKSURL: "https://clerk.example.test/jwks"},
		"keys over plain http":    {Issuer: testIssuer, JWKSURL: "http://clerk.example.test/.well-known/jwks.json"},
		"keys from a file":        {Issuer: testIssuer, JWKSURL: "file:///etc/jwks.json"},
		"host that looks local":   {Issuer: testIssuer, JWKSURL: "http://127.0.0.1.evil.example/jwks.json"},
		"empty authorized party":  {Issuer: testIssuer, PEM: ourPEM, AuthorizedParties: []string{""}},
		"no PEM":                  {Issuer: testIssuer, PEM: "MIIB"},
		"PEM of another kind":     {Issuer: testIssuer, PEM: strings.ReplaceAll(ourPEM, "PUBLIC KEY", "CERTIFICATE")},
		"PEM with something else": {Issuer: testIssuer, PEM: ourPEM + ourPEM},
		"PEM with exponent 1":     {Issuer: testIssuer, PEM: publicPEM(&rsa.PublicKey{N: ourKey().N, E: 1})},
		"PEM of a short key":      {Issuer: testIssuer, PEM: publicPEM(&newKey(1024)().PublicKey)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := NewVerifier(c); err == nil {
				t.Error("accepted")
			}
		})
	}
	for name, c := range map[string]Config{
		"PEM":                       {Issuer: testIssuer, PEM: ourPEM},
		"PEM in one line":           {Issuer: testIssuer, PEM: strings.ReplaceAll(ourPEM, "\n", `\n`)},
		"keys over https":           {Issuer: testIssuer, JWKSURL: "https://clerk.example.test/.well-known/jwks.json"},
		"keys from this machine":    {Issuer: testIssuer, JWKSURL: "http://127.0.0.1:8080/jwks.json"},
		"keys from this machine v6": {Issuer: testIssuer, JWKSURL: "http://[::1]:8080/jwks.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := NewVerifier(c); err != nil {
				t.Error(err)
			}
		})
	}
}
