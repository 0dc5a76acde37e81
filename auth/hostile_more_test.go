package auth

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"math/big"
	"strings"
)

// hostileAlgorithms are more ways to speak of another algorithm or of another kind of token.
func hostileAlgorithms() []hostile {
	some := []hostile{
		headed("typ in small letters", object{"typ": "jwt"}, ReasonType),
		headed("typ JWE", object{"typ": "JWE"}, ReasonType),
		headed("typ logout+jwt", object{"typ": "logout+jwt"}, ReasonType),
		headed("typ is a list", object{"typ": []string{"JWT"}}, ReasonHeader),
		headed("cat of a session in small letters", object{"cat": "cl_b7d4pd111aaa"}, ReasonCategory),
		headed("cat of a session with a space", object{"cat": "cl_B7d4PD111AAA "}, ReasonCategory),
		headed("cat is a list", object{"cat": []string{"cl_B7d4PD111AAA"}}, ReasonHeader),
		headed("crit empty", object{"crit": []string{}}, ReasonHeaderParameter),
		headed("crit names exp and kid", object{"crit": []string{"exp", "kid"}}, ReasonHeaderParameter),
		headed("b64 true", object{"b64": true}, ReasonHeaderParameter),
		headed("jku of our own instance", object{"jku": testIssuer + "/.well-known/jwks.json"}, ReasonHeaderParameter),
		headed("jku empty", object{"jku": ""}, ReasonHeaderParameter),
		headed("x5u of a file", object{"x5u": "file:///etc/passwd"}, ReasonHeaderParameter),
		headed("jwk null", object{"jwk": rawJSON("null")}, ReasonHeaderParameter),
		rawHeader("kid twice", `{"alg":"RS256","kid":"ins_2Test","kid":"ins_2Evil"}`, ReasonHeader),
		rawHeader("typ twice", `{"alg":"RS256","kid":"ins_2Test","typ":"at+jwt","typ":"JWT"}`, ReasonHeader),
		rawHeader("cat twice", `{"alg":"RS256","kid":"ins_2Test","cat":"cl_B7d4PD333AAA","cat":"cl_B7d4PD111AAA"}`, ReasonHeader),
		rawHeader("an unknown parameter twice", `{"alg":"RS256","kid":"ins_2Test","oiat":1,"oiat":2}`, ReasonHeader),
		rawHeader("alg null", `{"alg":null,"kid":"ins_2Test"}`, ReasonAlgorithm),
		rawHeader("alg with a Kelvin sign for K and a long s", `{"alg":"R\u017f256","kid":"ins_2Test"}`, ReasonAlgorithm),
		rawHeader("BOM before the header", "\ufeff"+`{"alg":"RS256","kid":"ins_2Test"}`, ReasonHeader),
		rawHeader("NUL behind the header", "{\"alg\":\"RS256\",\"kid\":\"ins_2Test\"}\x00", ReasonHeader),
		rawHeader("header with a comma too many", `{"alg":"RS256","kid":"ins_2Test",}`, ReasonHeader),
		rawHeader("header in single quotes", `{'alg':'RS256'}`, ReasonHeader),
		rawHeader("header is a number", `7`, ReasonHeader),
		rawHeader("header is empty", `{}`, ReasonAlgorithm),
	}
	for _, alg := range []string{"nOnE", "NONE", "HS256", "HS512", "RS512", "PS384", "PS512", "ES384", "ES256K", "EdDSA", "RS256 ", "RS256\x00", "rsa", "dir", "RSA-OAEP"} {
		some = append(some, headed("alg "+strings.TrimRight(alg, "\x00")+" well signed as RS256", object{"alg": alg}, ReasonAlgorithm))
	}
	return some
}

// encoded is a well-signed token of parts that are encoded already.
func encoded(name, header, payload, reason string) hostile {
	digest := sha256.Sum256([]byte(header + "." + payload))
	signature, err := rsa.SignPKCS1v15(nil, ourKey(), crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return hostile{name, header + "." + payload + "." + b64(signature), reason}
}

// hostileEncodings are well-signed over an encoding that means the same to a lenient reader.
func hostileEncodings() []hostile {
	header, payload := b64([]byte(goodHeader().json())), b64([]byte(goodClaims(testNow).json()))
	for len(payload)%4 == 0 { // as one with unused bits is needed
		payload = b64([]byte(goodClaims(testNow).with(object{"x": strings.Repeat("x", len(payload)%7)}).json() + " "))
	}
	last := len(payload) - 1
	unused := payload[:last] + string(nextBase64(payload[last]))
	return []hostile{
		encoded("padding behind the header", header+"=", payload, ReasonShape),
		encoded("padding behind the payload", header, payload+strings.Repeat("=", 4-len(payload)%4), ReasonShape),
		encoded("unused bits of the payload", header, unused, ReasonShape),
		encoded("space in the header", header[:4]+" "+header[4:], payload, ReasonShape),
		encoded("tab in the payload", header, payload[:4]+"\t"+payload[4:], ReasonShape),
		encoded("carriage return and line feed at the payload's end", header, payload+"\r\n", ReasonShape),
		encoded("a percent sign in the payload", header, "%65"+payload[1:], ReasonShape),
		encoded("standard alphabet in the payload", header, strings.ReplaceAll(b64([]byte(put(`"x":"???>>>"`))), "_", "/"), ReasonShape),
		encoded("a header in hexadecimal", "7b22616c67223a225253323536227d", payload, ReasonShape),
		encoded("one character alone in the payload", header, payload+strings.Repeat("A", 1+(8-len(payload)%4)%4), ReasonShape),
	}
}

// hostileNumbers are signatures that are numbers near to the right one, or right for another hash.
func hostileNumbers(good string) []hostile {
	parts := strings.Split(good, ".")
	input := parts[0] + "." + parts[1]
	signed := func(hash crypto.Hash, digest []byte) string {
		signature, err := rsa.SignPKCS1v15(nil, ourKey(), hash, digest)
		if err != nil {
			panic(err)
		}
		return input + "." + b64(signature)
	}
	sum1, sum384, sum512 := sha1.Sum([]byte(input)), sha512.Sum384([]byte(input)), sha512.Sum512([]byte(input))
	sum256 := sha256.Sum256([]byte(input))
	right, err := rsa.SignPKCS1v15(nil, ourKey(), crypto.SHA256, sum256[:])
	if err != nil {
		panic(err)
	}
	n := ourKey().N
	more := new(big.Int).Add(new(big.Int).SetBytes(right), n).Bytes()
	return []hostile{
		{"signature over SHA-1", signed(crypto.SHA1, sum1[:]), ReasonSignature},
		{"signature over SHA-384", signed(crypto.SHA384, sum384[:]), ReasonSignature},
		{"signature over SHA-512", signed(crypto.SHA512, sum512[:]), ReasonSignature},
		{"signature over a bare digest", signed(0, sum256[:]), ReasonSignature},
		{"signature plus the modulus", input + "." + b64(more), ReasonSignature},
		{"signature with a zero before it", input + "." + b64(append([]byte{0}, right...)), ReasonSignature},
		{"signature with a zero behind it", input + "." + b64(append(right[:len(right):len(right)], 0)), ReasonSignature},
		{"signature is the modulus", input + "." + b64(n.Bytes()), ReasonSignature},
		{"signature is one", input + "." + b64(append(make([]byte, 255), 1)), ReasonSignature},
		{"signature of a part of the input", parts[0] + "." + parts[1] + "." + strings.Split(sign(ourKey(), "", goodClaims(testNow).json()), ".")[2], ReasonSignature},
		{"M2M token, opaque", "mt_2Machine", ReasonShape},
		{"OAuth token, opaque", "oat_2Access", ReasonShape},
		{"API key", "ak_2Key", ReasonShape},
		{"the scheme once more", "Bearer " + good, ReasonShape},
		{"two tokens", good + "," + good, ReasonShape},
	}
}

// hostileLookalikes are claims that begin, end or look like the right ones.
func hostileLookalikes() []hostile {
	const party = "https://app.example.test"
	some := []hostile{
		claimed("issuer null", object{"iss": rawJSON("null")}, ReasonIssuer),
		claimed("sub null", object{"sub": rawJSON("null")}, ReasonSubMissing),
		claimed("sid null", object{"sid": rawJSON("null")}, ReasonSidMissing),
		claimed("sid empty", object{"sid": ""}, ReasonSidMissing),
		claimed("sid is a number", object{"sid": 7}, ReasonClaims),
		claimed("sid with a slash", object{"sid": "sess_2/../x"}, ReasonSession),
		claimed("sid too long", object{"sid": "sess_" + strings.Repeat("a", maxID)}, ReasonSession),
		claimed("sid with NUL", object{"sid": "sess_2\x00"}, ReasonSession),
		claimed("sub of a user in capitals", object{"sub": "USER_2Ada"}, ReasonSubject),
		claimed("sub with a space behind it", object{"sub": "user_2Ada "}, ReasonSubject),
		claimed("sub with a Cyrillic a", object{"sub": "user_2Ad\u0430"}, ReasonSubject),
		claimed("sub of an organization", object{"sub": "org_2Acme"}, ReasonSubject),
		claimed("sub is a list", object{"sub": []string{"user_2Ada"}}, ReasonClaims),
		claimed("sub is an object", object{"sub": object{"id": "user_2Ada"}}, ReasonClaims),
		claimed("azp null", object{"azp": rawJSON("null")}, ReasonAuthorizedParty),
		claimed("azp empty", object{"azp": ""}, ReasonAuthorizedParty),
		claimed("azp is a star", object{"azp": "*"}, ReasonAuthorizedParty),
		claimed("azp is the word null", object{"azp": "null"}, ReasonAuthorizedParty),
		claimed("o.id with a line break", object{"o": object{"id": "org_2Acme\n"}}, ReasonOrganization),
		claimed("o.id is the prefix only", object{"o": object{"id": "org_"}}, ReasonOrganization),
		claimed("o.id too long", object{"o": object{"id": "org_" + strings.Repeat("a", maxID)}}, ReasonOrganization),
		claimed("o is a list", object{"o": []string{"org_2Acme"}}, ReasonClaims),
		claimed("o.rol is a list", object{"o": object{"id": "org_2Acme", "rol": []string{"admin"}}}, ReasonClaims),
		claimed("o.fpm is a number", object{"o": object{"id": "org_2Acme", "fpm": 15}}, ReasonClaims),
		claimed("o.slg is a number", object{"o": object{"id": "org_2Acme", "slg": 1}}, ReasonClaims),
		claimed("org_id of version 1 with a quote", object{"v": nil, "org_id": "org_2'"}, ReasonOrganization),
		claimed("org_role of version 1 is a list", object{"v": nil, "org_id": "org_2Acme", "org_role": []string{"org:admin"}}, ReasonClaims),
		claimed("org_permissions of version 1 has a number", object{"v": nil, "org_id": "org_2Acme", "org_permissions": []any{"org:a:b", 1}}, ReasonClaims),
		claimed("act empty", object{"act": object{}}, ReasonActor),
		claimed("act.sub empty", object{"act": object{"sub": ""}}, ReasonActor),
		claimed("act.sub is a number", object{"act": object{"sub": 7}}, ReasonActor),
		claimed("act is false", object{"act": false}, ReasonActor),
		claimed("v 0", object{"v": 0}, ReasonVersion),
		claimed("v negative", object{"v": -2}, ReasonVersion),
		claimed("v is a fraction", object{"v": 2.5}, ReasonClaims),
		claimed("v beyond all numbers", object{"v": rawJSON("99999999999999999999")}, ReasonClaims),
		claimed("sts ACTIVE", object{"sts": "ACTIVE"}, ReasonStatus),
		claimed("sts is a list", object{"sts": []string{"active"}}, ReasonClaims),
		claimed("pla is a list", object{"pla": []string{"o:pro"}}, ReasonClaims),
	}
	for _, issuer := range []string{
		testIssuer + ":443", testIssuer + " ", " " + testIssuer, testIssuer + "@evil.example", testIssuer + "#", testIssuer + "?", testIssuer + "\x00",
		"https://clerk.example.test.", "https://user@clerk.example.test", "https://clerk%2eexample.test", "https://clеrk.example.test", // a Cyrillic e
		"//clerk.example.test", "clerk.example.test", "https://x.clerk.accounts.dev", "http://x.clerk.accounts.evil.test", "https://clerk.", "",
	} {
		some = append(some, claimed("issuer "+strings.ReplaceAll(issuer, "\x00", "NUL")+" for ours", object{"iss": issuer}, ReasonIssuer))
	}
	for _, azp := range []string{party + "/", party + ":443", "http://app.example.test", "https://app.example.test.evil.example", "https://evil.example/" + party, "https://APP.example.test", party + " "} {
		some = append(some, claimed("azp "+azp+" for ours", object{"azp": azp}, ReasonAuthorizedParty))
	}
	return some
}

// hostileTimes are times that are none.
func hostileTimes() []hostile {
	var some []hostile
	for _, name := range []string{"exp", "iat", "nbf"} {
		for _, value := range []string{"true", "[]", "{}", `"1795348800"`, "1795348830.5", "99999999999999999999", "-9223372036854775809", "1e19", "253402300800", "0", "-1"} {
			some = append(some, claimed(name+" "+value, object{name: rawJSON(value)}, ReasonClaims))
		}
	}
	return append(some,
		claimed("exp null", object{"exp": rawJSON("null")}, ReasonExpMissing),
		claimed("iat null", object{"iat": rawJSON("null")}, ReasonIatMissing),
		claimed("expired at the edge of the leeway", object{"exp": testNow.Unix() - 5}, ReasonExpired),
		claimed("made beyond the leeway", object{"iat": testNow.Unix() + 6}, ReasonNotYetValid),
		claimed("valid beyond the leeway", object{"nbf": testNow.Unix() + 6}, ReasonNotYetValid),
		claimed("times in milliseconds", object{"exp": testNow.UnixMilli() + 60_000, "iat": testNow.UnixMilli()}, ReasonClaims),
		rawPayload("exp NaN", put(`"exp2":NaN`), ReasonClaims),
		rawPayload("exp Infinity", put(`"exp2":-Infinity`), ReasonClaims),
		rawPayload("exp in hexadecimal", put(`"exp2":0x6B0A`), ReasonClaims),
		rawPayload("exp with a leading zero", put(`"exp2":01795348800`), ReasonClaims),
	)
}

// hostileTexts are payloads that readers of JSON differ about.
func hostileTexts() []hostile {
	good := goodClaims(testNow).json()
	some := []hostile{
		rawPayload("BOM before the payload", "\ufeff"+good, ReasonClaims),
		rawPayload("NUL behind the payload", good+"\x00", ReasonClaims),
		rawPayload("NUL in a text", put("\"x\":\"\x00\""), ReasonClaims),
		rawPayload("a line break in a text", put("\"x\":\"\n\""), ReasonClaims),
		rawPayload("payload with a comma too many", good[:len(good)-1]+",}", ReasonClaims),
		rawPayload("payload with a comment", put(`"x":1/* */`), ReasonClaims),
		rawPayload("payload in single quotes", strings.ReplaceAll(good, `"`, "'"), ReasonClaims),
		rawPayload("payload in UTF-16", "\xff\xfe{\x00}\x00", ReasonClaims),
		rawPayload("an overlong form of UTF-8", put("\"x\":\"\xc0\xae\""), ReasonClaims),
		rawPayload("a surrogate in UTF-8", put("\"x\":\"\xed\xa0\x80\""), ReasonClaims),
		rawPayload("an escape that is none", put(`"x":"\x41"`), ReasonClaims),
		rawPayload("half an escape", put(`"x":"\u12"`), ReasonClaims),
		rawPayload("payload is an empty object", `{}`, ReasonIssuer),
		rawPayload("payload is a number", `1795348800`, ReasonClaims),
		rawPayload("space before the payload", " "+good, ReasonClaims),
		rawPayload("one level too deep", put(`"x":`+strings.Repeat("[", maxDepth)+strings.Repeat("]", maxDepth)), ReasonClaims),
		rawPayload("o.per nested deep", goodClaims(testNow).with(object{"o": rawJSON(`{"id":"org_2Acme","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`)}).json(), ReasonClaims),
		rawPayload("sub with a long s for its s", strings.Replace(good, `"sub"`, `"\u017fub"`, 1), ReasonSubMissing),
		rawPayload("sid with a capital letter", strings.Replace(good, `"sid"`, `"Sid"`, 1), ReasonSidMissing),
		rawPayload("exp with a space in its name", strings.Replace(good, `"exp"`, `"exp "`, 1), ReasonExpMissing),
	}
	for _, name := range []string{"iss", "sid", "azp", "iat", "nbf", "v", "sts", "fva", "fea", "pla", "jti"} {
		some = append(some, rawPayload(name+" twice", put(`"`+name+`":null`), ReasonClaims))
	}
	return some
}
