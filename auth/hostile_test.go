package auth

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"strings"
	"testing"
)

// hostile is a token that must be refused, and for which reason.
type hostile struct {
	name, token, reason string
}

// claimed is a well-signed token with changed claims, headed one with a changed header.
func claimed(name string, changes object, reason string) hostile {
	return hostile{name, mint(goodClaims(testNow).with(changes)), reason}
}

func headed(name string, changes object, reason string) hostile {
	return hostile{name, sign(ourKey(), goodHeader().with(changes).json(), goodClaims(testNow).json()), reason}
}

// rawHeader and rawPayload are well-signed tokens of which one part is given as text.
func rawHeader(name, header, reason string) hostile {
	return hostile{name, sign(ourKey(), header, goodClaims(testNow).json()), reason}
}

func rawPayload(name, payload, reason string) hostile {
	return hostile{name, sign(ourKey(), goodHeader().json(), payload), reason}
}

// put returns the payload of a good token with text inserted as its first members.
func put(members string) string {
	return "{" + members + "," + strings.TrimPrefix(goodClaims(testNow).json(), "{")
}

func TestHostileTokens(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, Config{AuthorizedParties: []string{"https://app.example.test"}})
	good := mint(goodClaims(testNow))
	if _, err := v.Verify(t.Context(), good); err != nil {
		t.Fatalf("the token that all others are made from is refused: %v", err)
	}
	seen := map[string]bool{}
	tokens := hostileTokens(good)
	if len(tokens) < 120 {
		t.Errorf("only %d hostile tokens", len(tokens))
	}
	t.Logf("%d hostile tokens", len(tokens))
	for _, test := range tokens {
		if seen[test.name] {
			t.Errorf("two cases are named %q", test.name)
		}
		seen[test.name] = true
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			claims, err := v.Verify(t.Context(), test.token)
			if claims != nil {
				t.Errorf("claims came back: %+v", claims)
			}
			wantRefusal(t, err, test.reason)
		})
	}
}

func hostileTokens(good string) []hostile {
	var all []hostile
	for _, some := range [][]hostile{
		hostileForms(good), hostileHeaders(), hostileSignatures(good), hostileClaims(), hostilePayloads(),
		hostileAlgorithms(), hostileEncodings(), hostileNumbers(good), hostileLookalikes(), hostileTimes(), hostileTexts(),
	} {
		all = append(all, some...)
	}
	return all
}

func hostileForms(good string) []hostile {
	parts := strings.Split(good, ".")
	header, payload, signature := parts[0], parts[1], parts[2]
	last := signature[:len(signature)-1]
	return []hostile{
		{"nothing", "", ReasonShape},
		{"a word", "token", ReasonShape},
		{"dots only", "..", ReasonShape},
		{"two parts", header + "." + payload, ReasonShape},
		{"four parts", good + ".x", ReasonShape},
		{"encrypted form, five parts", good + "." + payload + "." + signature, ReasonShape},
		{"JSON form", `{"payload":"` + payload + `","protected":"` + header + `","signature":"` + signature + `"}`, ReasonShape},
		{"detached payload", header + ".." + signature, ReasonShape},
		{"no signature", header + "." + payload + ".", ReasonShape},
		{"padding", header + "." + payload + "." + signature + "==", ReasonShape},
		{"standard base64", header + "." + payload + ".+/" + signature[2:], ReasonShape},
		{"line break in the payload", header + "." + payload[:8] + "\n" + payload[8:] + "." + signature, ReasonShape},
		{"space before it", " " + good, ReasonShape},
		{"NUL after it", good + "\x00", ReasonShape},
		{"not UTF-8", good + "\xff", ReasonShape},
		{"unused bits of the last character set", header + "." + payload + "." + last + string(nextBase64(signature[len(signature)-1])), ReasonShape},
		{"huge", strings.Repeat("a", maxToken+1), ReasonSize},
		{"huge and well signed", sign(ourKey(), goodHeader().json(), goodClaims(testNow).with(object{"x": strings.Repeat("x", maxToken)}).json()), ReasonSize},
		{"long header", sign(ourKey(), goodHeader().with(object{"x": strings.Repeat("x", maxHeader)}).json(), goodClaims(testNow).json()), ReasonShape},
	}
}

// nextBase64 returns a character of the alphabet that differs from c in the lowest bit only.
func nextBase64(c byte) byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, c)^1]
}

func hostileHeaders() []hostile {
	jwk := object{"kty": "RSA", "n": b64(foreignKey().N.Bytes()), "e": "AQAB", "alg": "RS256"}
	return []hostile{
		headed("alg none", object{"alg": "none"}, ReasonAlgorithm),
		headed("alg None", object{"alg": "None"}, ReasonAlgorithm),
		headed("alg rs256 in small letters", object{"alg": "rs256"}, ReasonAlgorithm),
		headed("alg RS384", object{"alg": "RS384"}, ReasonAlgorithm),
		headed("alg PS256", object{"alg": "PS256"}, ReasonAlgorithm),
		headed("alg ES256", object{"alg": "ES256"}, ReasonAlgorithm),
		headed("alg empty", object{"alg": ""}, ReasonAlgorithm),
		headed("no alg", object{"alg": nil}, ReasonAlgorithm),
		headed("alg is a list", object{"alg": []string{"RS256"}}, ReasonHeader),
		rawHeader("alg twice", `{"alg":"none","alg":"RS256","kid":"ins_2Test"}`, ReasonHeader),
		rawHeader("alg twice, once escaped", `{"alg":"none","\u0061lg":"RS256","kid":"ins_2Test"}`, ReasonHeader),
		rawHeader("Alg with a capital letter", `{"Alg":"RS256","kid":"ins_2Test"}`, ReasonAlgorithm),
		rawHeader("header is a list", `["RS256"]`, ReasonHeader),
		rawHeader("header is null", `null`, ReasonHeader),
		rawHeader("header is cut off", `{"alg":"RS256"`, ReasonHeader),
		rawHeader("something after the header", `{"alg":"RS256"}{}`, ReasonHeader),
		rawHeader("header is not UTF-8", "{\"alg\":\"RS256\",\"x\":\"\xff\"}", ReasonHeader),
		rawHeader("header nested deep", `{"alg":"RS256","x":`+strings.Repeat("[", 200)+strings.Repeat("]", 200)+`}`, ReasonHeader),
		headed("jku", object{"jku": "https://evil.example/jwks.json"}, ReasonHeaderParameter),
		headed("x5u", object{"x5u": "https://evil.example/cert.pem"}, ReasonHeaderParameter),
		headed("x5c", object{"x5c": []string{"MIIB"}}, ReasonHeaderParameter),
		headed("crit", object{"crit": []string{"exp"}}, ReasonHeaderParameter),
		headed("crit and b64", object{"crit": []string{"b64"}, "b64": false}, ReasonHeaderParameter),
		headed("b64", object{"b64": false}, ReasonHeaderParameter),
		rawHeader("crit null", `{"alg":"RS256","kid":"ins_2Test","crit":null}`, ReasonHeaderParameter),
		{"signed with the key it brings along", sign(foreignKey(), goodHeader().with(object{"jwk": jwk}).json(), goodClaims(testNow).json()), ReasonHeaderParameter},
		headed("typ at+jwt, an OAuth access token", object{"typ": "at+jwt"}, ReasonType),
		headed("typ application/at+jwt", object{"typ": "application/at+jwt"}, ReasonType),
		headed("typ JWS", object{"typ": "JWS"}, ReasonType),
		headed("typ empty", object{"typ": ""}, ReasonType),
		headed("cat of a JWT template's token", object{"cat": "cl_B7d4PD222AAA"}, ReasonCategory),
		headed("cat of a machine's token", object{"cat": "cl_B7d4PD333AAA"}, ReasonCategory),
		headed("cat unknown", object{"cat": "session"}, ReasonCategory),
		headed("cat empty", object{"cat": ""}, ReasonCategory),
		headed("kid too long", object{"kid": strings.Repeat("k", maxKid+1)}, ReasonKey),
		headed("kid is a number", object{"kid": 7}, ReasonHeader),
	}
}

func hostileSignatures(good string) []hostile {
	parts := strings.Split(good, ".")
	other := strings.Split(mint(goodClaims(testNow).with(object{"sub": "user_2Gus"})), ".")
	header := goodHeader().with(object{"alg": "HS256"}).json()
	confused := b64([]byte(header)) + "." + parts[1]
	mac := hmac.New(sha256.New, []byte(publicPEM(&ourKey().PublicKey)))
	mac.Write([]byte(confused))
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	pss, err := rsa.SignPSS(rand.Reader, ourKey(), crypto.SHA256, digest[:], nil)
	if err != nil {
		panic(err)
	}
	signature := []byte(parts[2])
	signature[10] = nextBase64(signature[10])
	return []hostile{
		{"HS256 with the public key as its secret", confused + "." + b64(mac.Sum(nil)), ReasonAlgorithm},
		{"RS256 with a MAC for a signature", parts[0] + "." + parts[1] + "." + b64(mac.Sum(nil)), ReasonSignature},
		{"none with an empty signature", b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", ReasonShape},
		{"another user's payload", parts[0] + "." + other[1] + "." + parts[2], ReasonSignature},
		{"another token's signature", parts[0] + "." + parts[1] + "." + other[2], ReasonSignature},
		{"one bit of the signature flipped", parts[0] + "." + parts[1] + "." + string(signature), ReasonSignature},
		{"half a signature", parts[0] + "." + parts[1] + "." + parts[2][:len(parts[2])/2&^3], ReasonSignature},
		{"signature of zeros", parts[0] + "." + parts[1] + "." + b64(make([]byte, 256)), ReasonSignature},
		{"PSS signature under RS256", parts[0] + "." + parts[1] + "." + b64(pss), ReasonSignature},
		{"another instance's key under our kid", sign(foreignKey(), goodHeader().json(), goodClaims(testNow).json()), ReasonSignature},
		{"changed header", b64([]byte(goodHeader().with(object{"oiat": 1}).json())) + "." + parts[1] + "." + parts[2], ReasonSignature},
	}
}

func hostileClaims() []hostile {
	now := testNow.Unix()
	return []hostile{
		claimed("foreign issuer", object{"iss": "https://clerk.evil.example"}, ReasonIssuer),
		claimed("issuer with a slash more", object{"iss": testIssuer + "/"}, ReasonIssuer),
		claimed("issuer that begins like ours", object{"iss": testIssuer + ".evil.example"}, ReasonIssuer),
		claimed("issuer in capitals", object{"iss": "https://CLERK.example.test"}, ReasonIssuer),
		claimed("issuer over http", object{"iss": "http://clerk.example.test"}, ReasonIssuer),
		claimed("no issuer", object{"iss": nil}, ReasonIssuer),
		claimed("issuer is a list", object{"iss": []string{testIssuer}}, ReasonClaims),
		claimed("expired", object{"exp": now - 60}, ReasonExpired),
		claimed("no exp", object{"exp": nil}, ReasonExpMissing),
		claimed("exp is text", object{"exp": "1895348800"}, ReasonClaims),
		claimed("exp negative", object{"exp": -1}, ReasonClaims),
		claimed("exp beyond all times", object{"exp": int64(1) << 62}, ReasonClaims),
		claimed("exp beyond all numbers", object{"exp": rawJSON("1e400")}, ReasonClaims),
		claimed("not yet valid", object{"nbf": now + 60}, ReasonNotYetValid),
		claimed("nbf is text", object{"nbf": "now"}, ReasonClaims),
		claimed("made tomorrow", object{"iat": now + 86400, "exp": now + 86460}, ReasonNotYetValid),
		claimed("no iat", object{"iat": nil}, ReasonIatMissing),
		claimed("no sub", object{"sub": nil}, ReasonSubMissing),
		claimed("sub empty", object{"sub": ""}, ReasonSubMissing),
		claimed("sub of a machine", object{"sub": "mch_2Machine"}, ReasonSubject),
		claimed("sub of a machine after a user", object{"sub": "mch_user_2Ada"}, ReasonSubject),
		claimed("sub is the prefix only", object{"sub": "user_"}, ReasonSubject),
		claimed("sub with a quote", object{"sub": "user_2Ada'; --"}, ReasonSubject),
		claimed("sub with a slash", object{"sub": "user_2Ada/../user_2Gus"}, ReasonSubject),
		claimed("sub with NUL", object{"sub": "user_2Ada\x00"}, ReasonSubject),
		claimed("sub too long", object{"sub": "user_" + strings.Repeat("a", maxID)}, ReasonSubject),
		claimed("sub is a number", object{"sub": 7}, ReasonClaims),
		claimed("no sid, as in a template's token", object{"sid": nil}, ReasonSidMissing),
		claimed("sid with a line break", object{"sid": "sess_2\nuser=admin"}, ReasonSession),
		claimed("sts ended", object{"sts": "ended"}, ReasonStatus),
		claimed("sts empty", object{"sts": ""}, ReasonStatus),
		claimed("sts is a number", object{"sts": 1}, ReasonClaims),
		claimed("azp of another app", object{"azp": "https://evil.example"}, ReasonAuthorizedParty),
		claimed("no azp", object{"azp": nil}, ReasonAuthorizedParty),
		claimed("azp is a list", object{"azp": []string{"https://app.example.test"}}, ReasonClaims),
		claimed("v 3", object{"v": 3}, ReasonVersion),
		claimed("v is text", object{"v": "2"}, ReasonClaims),
		claimed("o is text", object{"o": "org_2Acme"}, ReasonClaims),
		claimed("o.id is a list", object{"o": object{"id": []string{"org_2Acme"}}}, ReasonClaims),
		claimed("o.id of a user", object{"o": object{"id": "user_2Ada"}}, ReasonOrganization),
		claimed("o.id with a quote", object{"o": object{"id": "org_2Acme' OR '1'='1"}}, ReasonOrganization),
		claimed("o.per is a list", object{"o": object{"id": "org_2Acme", "per": []string{"read"}}}, ReasonClaims),
		claimed("fea is a list", object{"fea": []string{"o:documents"}}, ReasonClaims),
		claimed("org_id of version 1 is a number", object{"v": nil, "org_id": 7}, ReasonClaims),
		claimed("org_permissions of version 1 is text", object{"v": nil, "org_id": "org_2Acme", "org_permissions": "org:a:b"}, ReasonClaims),
		claimed("act is text", object{"act": "user_2Support"}, ReasonActor),
		claimed("act without sub", object{"act": object{"iss": "https://dashboard.clerk.com"}}, ReasonActor),
		claimed("act is a list", object{"act": []string{"user_2Support"}}, ReasonActor),
	}
}

func hostilePayloads() []hostile {
	good := goodClaims(testNow).json()
	return []hostile{
		rawPayload("payload is empty text", `""`, ReasonClaims),
		rawPayload("payload is null", `null`, ReasonClaims),
		rawPayload("payload is a list", `[`+good+`]`, ReasonClaims),
		rawPayload("payload is cut off", good[:len(good)-1], ReasonClaims),
		rawPayload("something after the payload", good+`{}`, ReasonClaims),
		rawPayload("payload is no JSON", `sub=user_2Ada`, ReasonClaims),
		rawPayload("sub twice", put(`"sub":"user_2Gus"`), ReasonClaims),
		rawPayload("sub twice, once escaped", put(`"\u0073ub":"user_2Gus"`), ReasonClaims),
		rawPayload("exp twice", put(`"exp":1895348800`), ReasonClaims),
		rawPayload("an unknown claim twice", put(`"x":1,"x":2`), ReasonClaims),
		rawPayload("o twice", put(`"o":{"id":"org_2Globex"}`), ReasonClaims),
		rawPayload("o.id twice", goodClaims(testNow).with(object{"o": rawJSON(`{"id":"org_2Acme","id":"org_2Globex"}`)}).json(), ReasonClaims),
		rawPayload("act.sub twice", put(`"act":{"sub":"user_2A","sub":"user_2B"}`), ReasonActor),
		rawPayload("payload is not UTF-8", put("\"x\":\"\xff\xfe\""), ReasonClaims),
		rawPayload("sub in half a surrogate pair", goodClaims(testNow).with(object{"sub": rawJSON(`"user_\ud800"`)}).json(), ReasonSubject),
		rawPayload("lists nested deep", put(`"x":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)), ReasonClaims),
		rawPayload("objects nested deep", put(`"x":`+strings.Repeat(`{"a":`, 500)+"1"+strings.Repeat("}", 500)), ReasonClaims),
		rawPayload("names in capitals", strings.NewReplacer(`"sub"`, `"SUB"`).Replace(good), ReasonSubMissing),
	}
}
