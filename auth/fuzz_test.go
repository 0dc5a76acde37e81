package auth

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// FuzzVerify looks for tokens that are accepted although nobody signed them. The only one that may be is the one that
// openssl signed, whose private key no longer exists.
func FuzzVerify(f *testing.F) {
	known := readTestdata(f, "known.jwt")
	v := newVerifier(f, Config{
		PEM: readTestdata(f, "known.pem"),
		Now: func() time.Time { return time.Unix(1767225630, 0) },
	})
	key := v.keys.(fixedKey).key.rsa
	f.Add(known)
	parts := strings.Split(known, ".")
	f.Add(parts[0] + ".." + parts[2])
	f.Add(b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".")
	f.Add(b64([]byte(`{"alg":"RS256","crit":["b64"],"b64":false}`)) + "." + parts[1] + "." + parts[2])
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		claims, err := v.Verify(t.Context(), token)
		if (claims == nil) == (err == nil) {
			t.Fatalf("got %v and %v", claims, err)
		}
		var refusal *Refusal
		if err != nil {
			if !errors.As(err, &refusal) || refusal.Reason == "" {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		dot := strings.LastIndexByte(token, '.')
		signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
		digest := sha256.Sum256([]byte(token[:dot]))
		if err != nil || rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) != nil {
			t.Fatalf("accepted without a valid signature: %s", token)
		}
	})
}

// FuzzSignedToken gives any header and payload a valid signature, so that what lies behind it is reached. Whatever is
// accepted must then be a session of a user of our instance that is alive.
func FuzzSignedToken(f *testing.F) {
	v := newVerifier(f, Config{AuthorizedParties: []string{"https://app.example.test"}})
	good := goodClaims(testNow)
	f.Add(goodHeader().json(), good.json())
	f.Add(`{"alg":"RS256","kid":"","cat":"cl_I7d4PD111III"}`, good.with(object{"fea": "u:x,o:a", "act": object{"sub": "user_2S"}}).json())
	f.Add(`{"alg":"RS256"}`, good.with(object{"v": nil, "o": nil, "org_id": "org_2A", "org_permissions": []string{"org:a:b"}}).json())
	f.Add(`{"alg":"none"}`, put(`"sub":"user_2Gus"`))
	f.Add(`{"alg":"RS256","typ":"at+jwt"}`, `{"sub":"mch_2A"}`)
	f.Fuzz(func(t *testing.T, header, payload string) {
		claims, err := v.Verify(t.Context(), sign(ourKey(), header, payload))
		if err != nil {
			if !errors.Is(err, ErrUnauthenticated) || claims != nil {
				t.Fatalf("got %v and %v", claims, err)
			}
			return
		}
		checkAccepted(t, claims, header, payload)
	})
}

// checkAccepted reads an accepted token again with the standard library, which takes the last of several equal names.
func checkAccepted(t *testing.T, claims *Claims, header, payload string) {
	t.Helper()
	var h, p map[string]any
	if err := errors.Join(json.Unmarshal([]byte(header), &h), json.Unmarshal([]byte(payload), &p)); err != nil {
		t.Fatal(err)
	}
	switch {
	case h["alg"] != "RS256" || h["crit"] != nil || h["jwk"] != nil:
		t.Fatalf("accepted with header %s", header)
	case p["iss"] != testIssuer || p["sub"] != claims.UserID || p["sid"] != claims.SessionID || p["azp"] != "https://app.example.test":
		t.Fatalf("accepted as %+v: %s", claims, payload)
	case !strings.HasPrefix(claims.UserID, "user_") || claims.SessionID == "":
		t.Fatalf("accepted without user or session: %s", payload)
	case p["exp"] != float64(claims.ExpiresAt.Unix()) || claims.ExpiresAt.Add(leeway).Before(testNow):
		t.Fatalf("accepted after its end: %s", payload)
	case p["act"] != nil && claims.Actor == nil:
		t.Fatalf("the actor is lost: %s", payload)
	case p["sts"] == statusPending && !claims.Pending:
		t.Fatalf("pending and yet active: %s", payload)
	case claims.Organization != nil && !slices.IsSorted(claims.Organization.Permissions):
		t.Fatalf("not sorted: %v", claims.Organization.Permissions)
	}
}
