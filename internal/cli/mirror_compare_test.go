package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/local/clerk"
	"github.com/tenantry/tenantry/store"
)

// ownClerk is a Clerk instance with keys and an empty database that belongs to it.
type ownClerk struct {
	clerk *clerk.Clerk
	url   string
	store *store.Store
	env   environment
	// hear, if set, is called before each request is answered.
	hear atomic.Pointer[func(path string)]
}

func newOwnClerk(t *testing.T) *ownClerk {
	t.Helper()
	o := &ownClerk{}
	o.clerk, o.url = serveClerk(t, o)
	config := dbtest.Config(t)
	if _, err := store.Claim(t.Context(), dbtest.OwnerURL(config), o.issuer()); err != nil {
		t.Fatal(err)
	}
	o.store = dbtest.OpenWith(t, config)
	o.env = environment{
		"DATABASE_URL": config.URL, "DATABASE_MIGRATE_URL": dbtest.OwnerURL(config), "TENANTRY_SCOPE": string(config.Scope),
		"CLERK_SECRET_KEY": o.clerk.SecretKey(), "CLERK_PUBLISHABLE_KEY": o.clerk.PublishableKey(),
		"CLERK_ISSUER": o.issuer(), "CLERK_API_URL": o.url + LocalBackendPath,
	}
	return o
}

func serveClerk(t *testing.T, o *ownClerk) (*clerk.Clerk, string) {
	t.Helper()
	local, err := clerk.Open(clerk.Config{Rights: threeRoles, Dir: t.TempDir(), RateLimit: -1})
	if err != nil {
		t.Fatal(err)
	}
	handler := local.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hear := o.hear.Load(); hear != nil {
			(*hear)(r.URL.Path)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return local, server.URL
}

func (o *ownClerk) issuer() string { return o.url + "/__clerk" }

// withoutKeys are the variables of the database only.
func (o *ownClerk) withoutKeys() environment {
	return o.env.without("CLERK_SECRET_KEY", "CLERK_PUBLISHABLE_KEY", "CLERK_ISSUER", "CLERK_API_URL")
}

// jwtKey is some key in PEM.
func jwtKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// folder is one in which a server runs.
func folder(t *testing.T, running Running) string {
	t.Helper()
	dir := t.TempDir()
	state := filepath.Join(dir, ".tenantry")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Announce(state, running); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestMirrorComparesWithTheClerkOfTheKeys(t *testing.T) {
	t.Parallel()
	own := newOwnClerk(t)
	o := run(t, own.env, "mirror", "verify")
	if o.code != 1 || !strings.Contains(o.stdout, "22 rows are not as Clerk has them") || !strings.Contains(o.stderr, "comparing the copy with "+own.issuer()) {
		t.Errorf("verify of an empty copy: exit %d, stdout %s, stderr %s", o.code, o.stdout, o.stderr)
	}
	// A PEM does not say whose it is, so the issuer's keys are fetched all the same.
	var found reportJSON
	o = run(t, own.env.with("CLERK_JWT_KEY", jwtKey(t)), "mirror", "backfill", "--json")
	if err := json.Unmarshal([]byte(o.stdout), &found); err != nil || o.code != 0 || o.stderr != "" || found.Drift != 22 || found.Kinds["users"].Changed != 4 {
		t.Errorf("backfill: exit %d, %v, stdout %s, stderr %s", o.code, err, o.stdout, o.stderr)
	}
	if o := run(t, own.env, "mirror", "verify"); o.code != 0 || !strings.Contains(o.stdout, "the copy is as Clerk is") {
		t.Errorf("verify: exit %d, stdout %s, stderr %s", o.code, o.stdout, o.stderr)
	}
}

func TestMirrorRefusesWhatDoesNotBelongTogether(t *testing.T) {
	t.Parallel()
	own := newOwnClerk(t)
	other, otherURL := serveClerk(t, own)
	unclaimed := dbtest.Config(t)
	nobody := dbtest.Config(t)
	if _, err := store.Claim(t.Context(), dbtest.OwnerURL(nobody), "http://127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	database := func(c store.Config) environment {
		return own.env.with("DATABASE_URL", c.URL).with("DATABASE_MIGRATE_URL", dbtest.OwnerURL(c)).with("TENANTRY_SCOPE", string(c.Scope))
	}
	running := Running{URL: own.url, Clerk: &LocalClerk{Issuer: "https://local.example", InstanceID: "ins_1", SecretKey: own.clerk.SecretKey()}}
	for name, test := range map[string]struct {
		env  environment
		code int
		want string
	}{
		"another instance's key":    {own.env.with("CLERK_SECRET_KEY", other.SecretKey()).with("CLERK_API_URL", otherURL+LocalBackendPath), 1, "CLERK_SECRET_KEY is the key of another Clerk instance than " + own.issuer()},
		"a key that is not taken":   {own.env.with("CLERK_SECRET_KEY", secretTest), 1, "does not take the secret key"},
		"another issuer":            {own.env.with("CLERK_ISSUER", otherURL+"/__clerk"), 1, "this database holds the organizations of " + own.issuer()},
		"nobody's database":         {database(unclaimed), 1, "belongs to no Clerk instance yet"},
		"keys that cannot be had":   {database(nobody).with("CLERK_ISSUER", "http://127.0.0.1:1"), 1, "the keys of http://127.0.0.1:1 could not be fetched"},
		"one key of two":            {own.env.without("CLERK_PUBLISHABLE_KEY"), 2, "CLERK_PUBLISHABLE_KEY is missing"},
		"a PEM and no keys":         {own.withoutKeys().with("CLERK_JWT_KEY", jwtKey(t)), 2, "CLERK_SECRET_KEY is missing since CLERK_JWT_KEY is set"},
		"live keys, no database":    {production().without("DATABASE_URL"), 2, "DATABASE_URL is missing with live keys"},
		"no keys and no server":     {own.withoutKeys().with("TENANTRY_DIR", t.TempDir()), 1, "for a Clerk of yours set CLERK_SECRET_KEY and CLERK_PUBLISHABLE_KEY"},
		"a server with its own":     {own.withoutKeys().with("TENANTRY_DIR", folder(t, Running{URL: own.url})), 1, "works with a Clerk of yours"},
		"another database":          {own.withoutKeys().with("TENANTRY_DIR", folder(t, running)), 1, "this database holds the organizations of " + own.issuer()},
		"a password without a host": {own.env.with("DATABASE_URL", "mysql://pa55word"), 2, "DATABASE_URL must begin with postgres://"},
	} {
		for _, command := range []string{"verify", "repair", "backfill"} {
			if command != "verify" && strings.Contains(name, "keys that") {
				continue // it takes its time
			}
			o := run(t, test.env, "mirror", command)
			if o.code != test.code || !strings.Contains(o.stderr, test.want) || o.stdout != "" {
				t.Errorf("%s, %s: exit %d, stdout %q, stderr %s", name, command, o.code, o.stdout, o.stderr)
			}
			for _, secret := range []string{own.clerk.SecretKey(), other.SecretKey(), secretTest, secretLive, "pa55word"} {
				if strings.Contains(o.stderr, secret) {
					t.Errorf("%s shows a secret: %s", name, o.stderr)
				}
			}
		}
	}
	counts, err := own.store.RowCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counts {
		if c.Live+c.Dead > 0 {
			t.Errorf("refused, and yet there are %+v", c)
		}
	}
}

// Without keys it is the local Clerk of the server in the folder, here with a PostgreSQL of one's own.
func TestMirrorComparesWithTheLocalClerk(t *testing.T) {
	t.Parallel()
	own := newOwnClerk(t)
	local := &LocalClerk{Issuer: own.issuer(), InstanceID: own.clerk.InstanceID(), SecretKey: own.clerk.SecretKey()}
	env := own.withoutKeys().with("TENANTRY_DIR", folder(t, Running{URL: own.url, Clerk: local}))
	if o := run(t, env, "mirror", "backfill"); o.code != 0 || !strings.Contains(o.stdout, "22 rows were not as Clerk has them") {
		t.Errorf("backfill: exit %d, stdout %s, stderr %s", o.code, o.stdout, o.stderr)
	}
	local.InstanceID = "ins_other"
	env = own.withoutKeys().with("TENANTRY_DIR", folder(t, Running{URL: own.url, Clerk: local}))
	if o := run(t, env, "mirror", "backfill"); o.code != 1 || !strings.Contains(o.stderr, "another Clerk instance") {
		t.Errorf("another instance behind the URL: exit %d, stderr %s", o.code, o.stderr)
	}
}

// interrupted runs a command and presses Ctrl-C when the users are asked for.
func interrupted(t *testing.T, own *ownClerk, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hear := func(path string) {
		if strings.HasSuffix(path, "/v1/users") {
			cancel()
		}
	}
	own.hear.Store(&hear)
	defer own.hear.Store(nil)
	var stdout, stderr bytes.Buffer
	code := Main(ctx, args, &stdout, &stderr, own.env.lookup, nil, Roles{}, nil, nil)
	return outcome{code: code, stdout: stdout.String(), stderr: stderr.String()}
}

func TestMirrorComparisonIsInterrupted(t *testing.T) {
	t.Parallel()
	own := newOwnClerk(t)
	if o := interrupted(t, own, "mirror", "verify"); o.code != 1 || o.stdout != "" || !strings.HasSuffix(o.stderr, "tenantry: stopped; nothing was changed\n") {
		t.Errorf("verify: exit %d, stdout %s, stderr %s", o.code, o.stdout, o.stderr)
	}
	if o := interrupted(t, own, "mirror", "repair", "--json"); o.code != 1 || o.stdout != "" || !strings.Contains(o.stderr, "goes on where it was") {
		t.Errorf("repair: exit %d, stdout %s, stderr %s", o.code, o.stdout, o.stderr)
	}
	if o := run(t, own.env, "mirror", "status"); o.code != 0 || !strings.Contains(o.stdout, "cut off, since ") || !strings.Contains(o.stdout, "2 of the organizations listed") {
		t.Errorf("status: exit %d, stdout %s, stderr %s", o.code, o.stdout, o.stderr)
	}
	var found reportJSON
	o := run(t, own.env, "mirror", "repair", "--json")
	if err := json.Unmarshal([]byte(o.stdout), &found); err != nil || o.code != 0 || !found.Resumed || found.Kinds["organizations"].Listed != 2 || found.Kinds["members"].Listed != 4 {
		t.Errorf("started again: exit %d, %v, stdout %s, stderr %s", o.code, err, o.stdout, o.stderr)
	}
}

func TestMirrorComparesBesideAnother(t *testing.T) {
	t.Parallel()
	own := newOwnClerk(t)
	led, err := own.store.Lead(t.Context(), "sweep", func(context.Context) error {
		for _, command := range []string{"verify", "repair", "backfill"} {
			if o := run(t, own.env, "mirror", command); o.code != 1 || !strings.Contains(o.stderr, "another process compares") || !strings.Contains(o.stderr, "`tenantry mirror status`") {
				t.Errorf("%s: exit %d, stderr %s", command, o.code, o.stderr)
			}
		}
		if o := run(t, own.env, "mirror", "status"); o.code != 0 || !strings.Contains(o.stdout, "comparing  yes") {
			t.Errorf("status: exit %d, stdout %s, stderr %s", o.code, o.stdout, o.stderr)
		}
		return nil
	})
	if !led || err != nil {
		t.Error(led, err)
	}
}
