package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// shapes are what may be pasted into a variable around a secret: right, cut short, swapped with another, misspelt.
var shapes = []func(secret string) string{
	func(s string) string { return s },
	func(s string) string { return "sk_test_" + s },
	func(s string) string { return "sk_live_" + s },
	func(s string) string { return "sk_prod_" + s },
	func(s string) string { return "sk_live_" + s + " " + s },
	func(s string) string { return "pk_test_" + s },
	func(s string) string { return "pk_live_" + s + "%" },
	func(s string) string { return "whsec_" + s },
	func(s string) string { return "whsec_" + base64.StdEncoding.EncodeToString([]byte(s)) },
	func(s string) string { return "whsec_" + s + "!,whsec_" },
	func(s string) string { return "postgres://app:" + s + "@db.example.com:5432/app" },
	func(s string) string { return "postgres://app:" + s + "#%zz@db.example.com:port/app" },
	func(s string) string { return "host=db password=" + s },
	func(s string) string { return "https://app:" + s + "@example.com" },
	func(s string) string { return "https://example.com/?key=" + s },
	func(s string) string { return "-----BEGIN PRIVATE KEY-----\n" + s + "\n-----END PRIVATE KEY-----" },
	func(s string) string { return "127.0.0.1:" + s },
	func(s string) string { return s + ":8080:" + s },
	func(s string) string { return s + "," + s },
}

// allVariables is every variable the program reads.
var allVariables = []string{
	"CLERK_SECRET_KEY", "CLERK_PUBLISHABLE_KEY", "CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_WEBHOOK_SECRET", "CLERK_JWT_KEY",
	"CLERK_ISSUER", "CLERK_API_URL", "CLERK_AUTHORIZED_PARTIES", "CLERK_ALLOW_MISSING_AZP", "DATABASE_URL",
	"DATABASE_MIGRATE_URL", "TENANTRY_SCOPE", "TENANTRY_ADDR", "TENANTRY_INTROSPECTION", "TENANTRY_LOG_LEVEL",
	"TENANTRY_LOG_FORMAT", "PORT", "TENANTRY_PROBE_TOKEN_A", "TENANTRY_PROBE_TOKEN_B",
}

func TestNoValueOfAVariableIsEverPrinted(t *testing.T) {
	t.Parallel()
	commands := [][]string{nil, {"serve"}, {"--help"}, {"serve", "--scop"}, {"token"}, {"token", "--as", "max", "--dir", t.TempDir()}, {"clerk"}, {"version"}, {"probe", "--url", "http://127.0.0.1:1"}, {"probe", "--write"}}
	refused := 0
	rapid.Check(t, func(rt *rapid.T) {
		secret := rapid.StringMatching(`S3cr3t[A-Za-z0-9]{12,30}`).Draw(rt, "secret")
		env := rapid.SampledFrom([]environment{{}, development(), production()}).Draw(rt, "environment")
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(allVariables), 1, 6, rapid.ID[string]).Draw(rt, "variables") {
			env = env.with(name, rapid.SampledFrom(shapes).Draw(rt, name)(secret))
		}
		o := run(t, env, rapid.SampledFrom(commands).Draw(rt, "command")...)
		if o.code == 2 {
			refused++
		}
		for _, printed := range []string{o.stdout, o.stderr} {
			if strings.Contains(strings.ToLower(printed), strings.ToLower(secret)) {
				rt.Fatalf("printed a secret: %s", printed)
			}
		}
	})
	if refused == 0 {
		t.Error("no case was refused, so nothing was looked at")
	}
}

func TestPrintingAConfigShowsNoSecret(t *testing.T) {
	t.Parallel()
	env := production().with("DATABASE_MIGRATE_URL", databaseDir).with("CLERK_WEBHOOK_SECRET", webhookTwo)
	c := run(t, env).config
	if c == nil {
		t.Fatal("the environment was refused")
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
		slog.New(handler).Info("starting", "config", *c, "pointer", c)
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for way, printed := range map[string]string{
		"%v": fmt.Sprintf("%v", *c), "%+v": fmt.Sprintf("%+v", c), "%#v": fmt.Sprintf("%#v", *c), "String": c.String(),
		"slog": log.String(), "json": string(encoded),
	} {
		if !strings.Contains(printed, "production") || !strings.Contains(printed, "https://clerk.example.com") {
			t.Errorf("%s says too little: %s", way, printed)
		}
		for _, secret := range []string{secretLive, webhookOne, webhookTwo, "pa55word", "db.example.com"} {
			if strings.Contains(printed, secret) {
				t.Errorf("%s shows a secret: %s", way, printed)
			}
		}
	}
}
