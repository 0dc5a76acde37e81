package auth

import (
	"strings"
	"testing"
)

func TestParseKeySet(t *testing.T) {
	t.Parallel()
	good := jwkOf(testKid, &ourKey().PublicKey)
	private := object{"d": b64(ourKey().D.Bytes()), "p": b64(ourKey().Primes[0].Bytes()), "q": b64(ourKey().Primes[1].Bytes())}
	for name, test := range map[string]struct {
		key    object
		usable bool
	}{
		"as Clerk sends it":  {good, true},
		"without use or alg": {good.with(object{"use": nil, "alg": nil}), true},
		"key_ops verify":     {good.with(object{"key_ops": []string{"verify"}}), true},
		"key_ops empty":      {good.with(object{"key_ops": []string{}}), false},
		"key_ops sign":       {good.with(object{"key_ops": []string{"sign"}}), false},
		"for encryption":     {good.with(object{"use": "enc"}), false},
		"for PS256":          {good.with(object{"alg": "PS256"}), false},
		"without id":         {good.with(object{"kid": nil}), false},
		"1024 bits":          {jwkOf(testKid, &newKey(1024)().PublicKey), false},
		"exponent 1":         {good.with(object{"e": "AQ"}), false},
		"exponent even":      {good.with(object{"e": "BA"}), false},
		"a private key":      {good.with(private), false},
		"a symmetric key":    {object{"kty": "oct", "k": "c2VjcmV0", "kid": testKid, "alg": "HS256"}, false},
		"an EdDSA key":       {object{"kty": "OKP", "crv": "Ed25519", "x": b64(make([]byte, 32)), "kid": testKid}, false},
		"nonsense":           {object{"kty": "RSA", "n": 5}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, skipped, err := parseKeySet([]byte(keySetOf(test.key, good.with(object{"kid": "ins_2Beside"}))))
			if err != nil {
				t.Fatal(err)
			}
			wanted := 1
			if test.usable {
				wanted = 2
			}
			if len(keys) != wanted || len(skipped) != 2-wanted {
				t.Fatalf("%d keys, skipped %v", len(keys), skipped)
			}
			for _, reason := range skipped {
				if strings.Contains(reason.Error(), b64(ourKey().D.Bytes())) {
					t.Error("the report holds a private key")
				}
			}
		})
	}
	for name, body := range map[string]string{
		"nothing": "", "null": "null", "no keys": "{}", "keys null": `{"keys":null}`, "keys twice": `{"keys":[],"keys":[]}`,
		"a page": "<html>", "a list": "[]", "more after it": `{"keys":[]}{}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if keys, _, err := parseKeySet([]byte(body)); err == nil {
				t.Errorf("accepted, with %d keys", len(keys))
			}
		})
	}
}
