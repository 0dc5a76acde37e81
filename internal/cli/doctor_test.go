package cli

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/local/clerk"
	"github.com/tenantry/tenantry/internal/mirror"
	"github.com/tenantry/tenantry/internal/spectest"
	"github.com/tenantry/tenantry/store"
)

// instance is a local Clerk, reached as a development instance is.
func instance(t *testing.T) environment {
	t.Helper()
	local, err := clerk.Open(clerk.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(local.Handler())
	t.Cleanup(server.Close)
	return environment{
		"CLERK_SECRET_KEY": local.SecretKey(), "CLERK_PUBLISHABLE_KEY": publishable("test", "quiet-owl-7.clerk.accounts.dev"),
		"CLERK_API_URL": server.URL + "/__clerk/backend/v1", "CLERK_ISSUER": server.URL + "/__clerk", "TENANTRY_DIR": t.TempDir(),
	}
}

func TestDoctorClerkShowsATable(t *testing.T) {
	t.Parallel()
	env := instance(t)
	o := run(t, env, "doctor", "--clerk")
	if o.code != 0 || !strings.HasPrefix(o.stdout, "ASSUMPTION ") || !strings.Contains(o.stdout, " do not hold, ") {
		t.Errorf("exit %d, stderr %q\n%s", o.code, o.stderr, o.stdout)
	}
	for _, want := range []string{"proves nothing about Clerk", "without a database there are no events"} {
		if !strings.Contains(o.stderr, want) {
			t.Errorf("stderr lacks %q: %s", want, o.stderr)
		}
	}
	for _, line := range strings.Split(o.stdout, "\n") {
		if len([]rune(line)) > 150 {
			t.Errorf("too wide: %q", line)
		}
	}
	for _, secret := range []string{env["CLERK_SECRET_KEY"], "Ada", "@acme", "user_", "org_"} {
		if strings.Contains(o.stdout+o.stderr, secret) {
			t.Errorf("shows %q", secret)
		}
	}
}

// The local Clerk is written to; it has no sessions, so no token is made in the Backend API.
func TestDoctorClerkWrites(t *testing.T) {
	t.Parallel()
	var diagnosis mirror.Diagnosis
	o := run(t, instance(t), "doctor", "--clerk", "--write", "--json")
	if err := json.Unmarshal([]byte(o.stdout), &diagnosis); err != nil || o.code != 0 || !diagnosis.Wrote || len(diagnosis.LeftBehind) > 0 {
		t.Fatalf("exit %d, %v, stderr %q\n%s", o.code, err, o.stderr, o.stdout)
	}
	for _, f := range diagnosis.Findings {
		if f.Name == "token" && !strings.Contains(f.Reason, "the session could not be made: HTTP status 404") {
			t.Errorf("token: %+v", f)
		}
		tried := strings.HasPrefix(f.Name, "updated-") || f.Name == "rejoin" || f.Name == "deleted-updated"
		if tried && f.Result != mirror.Holds {
			t.Errorf("%+v", f)
		}
	}
}

// What does not hold: the keys are not the issuer's, and the database's events name another instance.
func TestDoctorClerkEndsWith1WhereSomethingDangerousDoesNotHold(t *testing.T) {
	t.Parallel()
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"keys":[{"kid":"ins_other"}]}`)
	}))
	t.Cleanup(issuer.Close)
	s, database := inbox(t)
	body := []byte(`{"type":"organization.created","timestamp":1782900060003,"instance_id":"ins_other","data":{"id":"org_1","name":"Secret"}}`)
	if _, err := s.StoreEvent(t.Context(), store.Event{ID: "msg_other", Type: "organization.created", Body: body, State: store.EventDead, ReceivedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	env := instance(t).with("CLERK_ISSUER", issuer.URL)
	for name, value := range database {
		env = env.with(name, value)
	}
	o := run(t, env, "doctor", "--clerk", "--json")
	var diagnosis mirror.Diagnosis
	if err := json.Unmarshal([]byte(o.stdout), &diagnosis); err != nil || o.code != 1 || !strings.Contains(o.stderr, "tenantry: something dangerous does not hold") {
		t.Fatalf("exit %d, %v, stderr %q\n%s", o.code, err, o.stderr, o.stdout)
	}
	wrong := ""
	for _, f := range diagnosis.Findings {
		if f.Result == mirror.DoesNotHold {
			wrong += f.Name + " "
		}
	}
	if wrong != "key-set event-instance schema-permissions " || strings.Contains(o.stdout, "Secret") {
		t.Errorf("does not hold: %s\n%s", wrong, o.stdout)
	}
	if o := run(t, env, "doctor", "--clerk"); o.code != 1 || strings.Count(o.stdout, "DOES NOT HOLD:") != 2 {
		t.Errorf("exit %d\n%s", o.code, o.stdout)
	}
}

func TestDoctorUsage(t *testing.T) {
	t.Parallel()
	asked := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set(spectest.HeaderStandIn, "it has no body")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(api.Close)
	nowhere := environment{"CLERK_API_URL": api.URL + "/v1", "TENANTRY_DIR": t.TempDir()}
	live, test := nowhere, nowhere
	for name, value := range production().without("DATABASE_URL") {
		live = live.with(name, value)
	}
	for name, value := range development() {
		test = test.with(name, value)
	}
	for name, c := range map[string]struct {
		env  environment
		args string
		code int
		want []string
	}{
		"no keys":                  {nil, "--clerk", 2, []string{"CLERK_SECRET_KEY is missing", "CLERK_PUBLISHABLE_KEY is missing"}},
		"one key":                  {test.without("CLERK_SECRET_KEY"), "--clerk", 2, []string{"CLERK_SECRET_KEY is missing"}},
		"two kinds of keys":        {test.with("CLERK_SECRET_KEY", secretLive), "--clerk", 2, []string{"both must be of the same instance"}},
		"writing with live keys":   {live, "--clerk --write", 2, []string{"--write is for development instances"}},
		"writing without --clerk":  {test, "--write", 2, []string{"goes with --clerk"}},
		"another scope":            {test, "--clerk --scope=session", 2, []string{"TENANTRY_SCOPE must be"}},
		"a key that is not taken":  {test, "--clerk --write", 1, []string{"does not take the secret key"}},
		"no database to look at":   {nowhere.without("CLERK_API_URL"), "", 1, []string{"no server runs here"}},
		"a database that is away":  {environment{"DATABASE_URL": "postgres://app:pa55word@127.0.0.1:1/app"}, "", 1, []string{"tenantry: "}},
		"a database without a URL": {environment{"DATABASE_URL": "mysql://pa55word"}, "", 2, []string{"DATABASE_URL must begin"}},
	} {
		o := run(t, c.env, append([]string{"doctor"}, strings.Fields(c.args)...)...)
		for _, want := range c.want {
			if o.code != c.code || !strings.Contains(o.stderr, want) {
				t.Errorf("%s: exit %d, stderr %q", name, o.code, o.stderr)
			}
		}
		for _, secret := range []string{"pa55word", secretLive, secretTest} {
			if strings.Contains(o.stdout+o.stderr, secret) {
				t.Errorf("%s: shows a secret", name)
			}
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times, want once, by the key that is not taken", asked)
	}
}

// One database after the other: nothing found, a warning, a danger beside it.
func TestDoctorOfTheDatabase(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	env := environment{"DATABASE_URL": config.URL, "DATABASE_MIGRATE_URL": dbtest.OwnerURL(config), "TENANTRY_SCOPE": string(config.Scope)}
	owner, err := pgx.Connect(t.Context(), dbtest.OwnerURL(config))
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.Background())
	for _, step := range []struct {
		sql, result string
		code        int
		lines       []string
	}{
		{"SELECT", "ok", 0, []string{"fence               ok", ", 0 dangers"}},
		{"CREATE INDEX by_author ON public.documents (author_id)", "warning", 0, []string{
			"index               WARNING  public.documents has the index public.by_author", "DROP INDEX public.by_author;\nCREATE INDEX by_author ON public.documents USING btree (organization_id, author_id);", ", 0 dangers",
		}},
		{"CREATE TABLE public.test_notes (organization_id text NOT NULL)", "danger", 1, []string{
			"fence               DANGER   public.test_notes is not fenced", "CALL tenantry.own_table('public.test_notes');", ", 1 danger\n",
		}},
		{"GRANT TRUNCATE ON public.documents TO PUBLIC", "danger", 1, []string{"fence               DANGER", "table-rights        DANGER", ", 2 dangers"}},
	} {
		if _, err := owner.Exec(t.Context(), step.sql); err != nil {
			t.Fatal(err)
		}
		o := run(t, env, "doctor")
		if o.code != step.code || (o.code == 1) != strings.Contains(o.stderr, "not safe to serve from") {
			t.Errorf("%s: exit %d, stderr %q", step.sql, o.code, o.stderr)
		}
		for _, line := range step.lines {
			if !strings.Contains(o.stdout, line) {
				t.Errorf("%s: %q is missing from\n%s", step.sql, line, o.stdout)
			}
		}
		expectExamination(t, run(t, env, "doctor", "--json"), step.code, step.result)
	}
}

// expectExamination wants this to be the worst that is found.
func expectExamination(t *testing.T, o outcome, code int, worst string) {
	t.Helper()
	var written struct {
		Dangerous bool
		Checks    []struct {
			Name, Holds, Severity, Result string
			Violations                    []store.Violation
		}
	}
	if err := json.Unmarshal([]byte(o.stdout), &written); err != nil || o.code != code || written.Dangerous != (code == 1) {
		t.Fatalf("exit %d, %v, stderr %q\n%s", o.code, err, o.stderr, o.stdout)
	}
	results := map[string]int{}
	for _, checked := range written.Checks {
		if checked.Name != "version" { // which depends on the PostgreSQL of this machine
			results[checked.Result]++
		}
		if checked.Violations == nil || checked.Holds == "" || (checked.Result == "ok") != (len(checked.Violations) == 0) {
			t.Errorf("%+v", checked)
		}
	}
	if results[worst] == 0 || worst != "danger" && results["danger"] > 0 || worst == "ok" && results["warning"] > 0 {
		t.Errorf("%v, want %s", results, worst)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":               "",
		"one":            "one",
		"one two":        "one|two",
		"a b c d e":      "a b c|d e",
		"abcdefghijk l":  "abcde|fghij|k l",
		"ü ü ü ü":        "ü ü ü|ü",
		"ab abcdefg\tab": "ab|abcde|fg ab",
	} {
		if got := strings.Join(wrap(text, 5), "|"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
