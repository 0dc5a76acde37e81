package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

func TestSettingsThatAreRefused(t *testing.T) {
	t.Parallel()
	const (
		notSecret      = "is not a secret key: it begins with sk_test_ or sk_live_, see Clerk's dashboard"
		notPublishable = "is not a publishable key: it begins with pk_test_ or pk_live_, see Clerk's dashboard"
		damaged        = "is damaged or cut short"
		notSigning     = "is not a signing secret: it is whsec_ and base64, see Clerk's dashboard"
		emptySigning   = "has an empty secret, with which anyone could sign"
		notURL         = "must be an https:// URL"
		notOrigin      = "must be origins separated by commas"
		notAddress     = "must be host:port"
		notLoopback    = "must be a loopback address"
	)
	for _, test := range []struct {
		env                  environment
		variable, bad, wants string
	}{
		{development(), "CLERK_SECRET_KEY", publishable("test", "a.example.com"), notSecret},
		{development(), "CLERK_SECRET_KEY", "sk_test_", notSecret},
		{development(), "CLERK_SECRET_KEY", "sk_prod_abcdef", notSecret},
		{development(), "CLERK_SECRET_KEY", "sk_test_abc def", notSecret},
		{development(), "CLERK_PUBLISHABLE_KEY", secretTest, notPublishable},
		{development(), "CLERK_PUBLISHABLE_KEY", "pk_test_", damaged},
		{development(), "CLERK_PUBLISHABLE_KEY", "pk_test_%%%", damaged},
		{development(), "CLERK_PUBLISHABLE_KEY", publishable("test", "localhost"), damaged},
		{development(), "CLERK_PUBLISHABLE_KEY", publishable("test", "a.example.com/path"), damaged},
		{development(), "CLERK_PUBLISHABLE_KEY", publishable("test", "user@a.example.com"), damaged},
		{development(), "CLERK_PUBLISHABLE_KEY", publishable("test", "a.example.com$"), damaged},
		{development(), "CLERK_PUBLISHABLE_KEY", publishable("test", "ä.example.com"), damaged},
		{development(), "CLERK_PUBLISHABLE_KEY", strings.TrimSuffix(publishable("test", "aaa.example.com"), "JA"), damaged},
		{production(), "CLERK_WEBHOOK_SIGNING_SECRET", "whsec_", emptySigning},
		{production(), "CLERK_WEBHOOK_SIGNING_SECRET", webhookOne + ",", emptySigning},
		{production(), "CLERK_WEBHOOK_SIGNING_SECRET", webhookOne + ",whsec_", emptySigning},
		{production(), "CLERK_WEBHOOK_SIGNING_SECRET", ",", emptySigning},
		{production(), "CLERK_WEBHOOK_SIGNING_SECRET", "whsec_not base64!", notSigning},
		{production(), "CLERK_WEBHOOK_SIGNING_SECRET", strings.TrimPrefix(webhookOne, "whsec_"), notSigning},
		{production(), "CLERK_WEBHOOK_SECRET", secretLive, notSigning},
		{development(), "CLERK_WEBHOOK_SIGNING_SECRET", "whsec_", emptySigning},
		{nil, "TENANTRY_MAX_ANSWER", "8MiB", "must be a whole number from 65536 to 2147483647"},
		{nil, "TENANTRY_MAX_ANSWER", "65535", "must be a whole number from 65536 to 2147483647"},
		{nil, "TENANTRY_MAX_ANSWER", "9223372036854775808", "must be a whole number from 65536 to 2147483647"},
		{nil, "TENANTRY_MAX_IN_FLIGHT", "0", "must be a whole number from 1 to 2147483647"},
		{nil, "TENANTRY_MAX_IN_FLIGHT", "-1", "must be a whole number from 1 to 2147483647"},
		{development(), "CLERK_ISSUER", "clerk.example.com", notURL},
		{development(), "CLERK_ISSUER", "http://clerk.example.com", notURL},
		{development(), "CLERK_ISSUER", "https://user:pass@clerk.example.com", notURL},
		{development(), "CLERK_ISSUER", "https://clerk.example.com/?a=b", notURL},
		{production(), "CLERK_API_URL", "http://api.clerk.com/v1", notURL},
		{production(), "CLERK_API_URL", "https://", notURL},
		{production(), "CLERK_AUTHORIZED_PARTIES", "app.example.com", notOrigin},
		{production(), "CLERK_AUTHORIZED_PARTIES", "https://app.example.com/", notOrigin},
		{production(), "CLERK_AUTHORIZED_PARTIES", "https://app.example.com/home", notOrigin},
		{production(), "CLERK_AUTHORIZED_PARTIES", "https://*.example.com", notOrigin},
		{production(), "CLERK_AUTHORIZED_PARTIES", "*", notOrigin},
		{production(), "CLERK_AUTHORIZED_PARTIES", "https://app.example.com,,https://b.example.com", notOrigin},
		{production(), "CLERK_AUTHORIZED_PARTIES", "https://user@app.example.com", notOrigin},
		{production(), "CLERK_AUTHORIZED_PARTIES", "https://app.example.com https://b.example.com", notOrigin},
		{production(), "CLERK_ALLOW_MISSING_AZP", "perhaps", "must be true or false"},
		{production(), "TENANTRY_INTROSPECTION", "2", "must be true or false"},
		{production(), "DATABASE_URL", "mysql://app:pa55word@db/app", "must begin with postgres://"},
		{production(), "DATABASE_URL", "postgres://app:pa55#word%@db:5432/app", "cannot be read as a URL"},
		{production(), "DATABASE_MIGRATE_URL", "host=db user=app", "must begin with postgres://"},
		{production(), "TENANTRY_SCOPE", "session", "must be connection or transaction"},
		{production(), "TENANTRY_POOL_SIZE", "1", "must be a number from 2 to 1000"},
		{production(), "TENANTRY_POOL_SIZE", "1001", "must be a number from 2 to 1000"},
		{production(), "TENANTRY_POOL_SIZE", "many", "must be a number from 2 to 1000"},
		{production(), "TENANTRY_ADDR", "8080", notAddress},
		{production(), "TENANTRY_ADDR", "127.0.0.1:http", notAddress},
		{production(), "TENANTRY_ADDR", "127.0.0.1:70000", notAddress},
		{production(), "PORT", "http", "must be a port number"},
		{nil, "TENANTRY_ADDR", "0.0.0.0:8080", notLoopback},
		{nil, "TENANTRY_ADDR", "192.168.1.7:8080", notLoopback},
		{nil, "TENANTRY_ADDR", "example.com:8080", notLoopback},
		{nil, "TENANTRY_LOG_LEVEL", "loud", "must be debug, info, warn or error"},
		{nil, "TENANTRY_LOG_FORMAT", "xml", "must be text or json"},
	} {
		t.Run(test.variable, func(t *testing.T) {
			t.Parallel()
			expectProblems(t, run(t, test.env.with(test.variable, test.bad)), test.variable+" "+test.wants)
		})
	}
	for _, env := range []environment{production(), development().with("DATABASE_URL", databaseOwn)} {
		expectProblems(t, run(t, env, "--reset"), "--reset is for local state")
	}
}

func TestJWTKey(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, bytes []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
	}
	encode := func(key any) string {
		bytes, err := x509.MarshalPKIXPublicKey(key)
		return block("PUBLIC KEY", bytes, err)
	}
	good := encode(&rsaKey.PublicKey)
	for name, given := range map[string]string{
		"as it is":          good,
		"without last line": strings.TrimSpace(good),
		"escaped":           strings.ReplaceAll(good, "\n", `\n`),
	} {
		o := run(t, production().with("CLERK_JWT_KEY", given))
		if o.config == nil || o.config.JWTKey != good || o.config.JWKSURL != "" || o.config.Issuer != "https://clerk.example.com" {
			t.Errorf("%s: exit %d, stderr %q", name, o.code, o.stderr)
		}
	}
	private, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	for name, given := range map[string]string{
		"no PEM":            "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
		"a private key":     block("PRIVATE KEY", private, err),
		"an elliptic one":   encode(&ecKey.PublicKey),
		"damaged":           block("PUBLIC KEY", []byte("damaged"), nil),
		"two keys":          good + good,
		"cut in the middle": good[:len(good)/2],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectProblems(t, run(t, production().with("CLERK_JWT_KEY", given)),
				"CLERK_JWT_KEY is not one RSA public key in PEM (-----BEGIN PUBLIC KEY-----), see Clerk's dashboard")
		})
	}
}

func TestOriginsAreWrittenAsBrowsersDo(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"https://app.example.com":      "https://app.example.com",
		"HTTPS://App.Example.com":      "https://app.example.com",
		"https://app.example.com:443":  "https://app.example.com",
		"https://app.example.com:8443": "https://app.example.com:8443",
		"http://localhost:80":          "http://localhost",
		"http://[::1]:80":              "http://[::1]",
		"http://[::1]:3000":            "http://[::1]:3000",
		"capacitor://localhost":        "capacitor://localhost",
	} {
		if got, ok := parseOrigin(given); !ok || got != want {
			t.Errorf("%s: got %q, %v; want %q", given, got, ok, want)
		}
	}
	for _, given := range []string{"", "null", "//app.example.com", "https:app", "https://", "https://a.b?", "https://a.b#", "https://a.b:"} {
		if got, ok := parseOrigin(given); ok {
			t.Errorf("%q was taken as %q", given, got)
		}
	}
}
