package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// inbox is a database with some events, as an operator meets it.
func inbox(t *testing.T) (*store.Store, environment) {
	t.Helper()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	received := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for i, e := range []store.Event{
		{ID: "msg_done", Type: "user.created", UserID: "user_1", At: 1782900060003, State: store.EventPending, Body: []byte(`{"data":{"first_name":"Ada"}}`)},
		{ID: "msg_dead", Type: "role.created", State: store.EventDead, Body: []byte(`{"data":{"name":"Sec` + "\u0085" + `ret"}}`), Error: "the role's key is missing"},
		{ID: "msg_garbled", State: store.EventDead, Body: []byte("\x1b[2Jnot JSON"), Error: "the body is not an event"},
		{ID: "msg_erased", Type: "user.updated", UserID: "user_2", State: store.EventDead, Error: "odd\x1b[2J"},
		{ID: "msg_ignored", Type: "email.created", State: store.EventIgnored},
	} {
		e.ReceivedAt = received.Add(time.Duration(i) * time.Minute)
		if _, err := s.StoreEvent(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	err := s.Mirror(t.Context(), func(tx *store.MirrorTx) error {
		return tx.FinishEvent(store.Event{ID: "msg_done", Type: "user.created", UserID: "user_1", At: 1782900060003, State: store.EventDone}, true, received)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, environment{"DATABASE_URL": config.URL, "DATABASE_MIGRATE_URL": dbtest.OwnerURL(config), "TENANTRY_SCOPE": string(config.Scope)}
}

// listed are the ids in a listing, in its order, by the first column.
func listed(stdout string) string {
	var ids []string
	for _, line := range strings.Split(strings.TrimSpace(stdout), "\n")[1:] {
		ids = append(ids, strings.TrimPrefix(strings.Fields(line)[0], "msg_"))
	}
	return strings.Join(ids, " ")
}

func TestMirrorEventsLists(t *testing.T) {
	t.Parallel()
	_, env := inbox(t)
	for args, want := range map[string]string{
		"":                           "ignored erased garbled dead done",
		"list":                       "ignored erased garbled dead done",
		"--dead":                     "erased garbled dead",
		"--type user.created":        "done",
		"--dead --type role.created": "dead",
		"--limit 2":                  "ignored erased",
		"--dead --limit 1":           "erased",
	} {
		o := run(t, env, strings.Fields("mirror events "+args)...)
		if o.code != 0 || o.stderr != "" || listed(o.stdout) != want {
			t.Errorf("%q: exit %d, stderr %q, want %s in\n%s", args, o.code, o.stderr, want, o.stdout)
		}
		for _, leak := range []string{"Ada", "Sec", "\x1b"} {
			if strings.Contains(o.stdout, leak) {
				t.Errorf("%q shows %q", args, leak)
			}
		}
	}
	if o := run(t, env, "mirror", "events", "--type", "role.deleted"); o.code != 0 || o.stdout != "no such events\n" {
		t.Errorf("nothing to list: exit %d, %q", o.code, o.stdout)
	}
	var events []map[string]any
	o := run(t, env, "mirror", "events", "--dead", "--json")
	if err := json.Unmarshal([]byte(o.stdout), &events); err != nil || len(events) != 3 || events[2]["id"] != "msg_dead" ||
		events[2]["error"] != "the role's key is missing" || events[2]["state"] != "dead" || events[2]["body"] != nil {
		t.Errorf("as JSON: %v, %s", err, o.stdout)
	}
	if o := run(t, env, "mirror", "events", "--type", "role.deleted", "--json"); o.stdout != "[]\n" {
		t.Errorf("nothing as JSON: %q", o.stdout)
	}
}

func TestMirrorEventsShow(t *testing.T) {
	t.Parallel()
	_, env := inbox(t)
	for args, want := range map[string][]string{
		"msg_done":           {"user.created", "done", "user_1", "2026-07-01T10:01:00.003Z", "29 bytes (--body shows it)"},
		"msg_done --body":    {"29 bytes\n", "\n{\n  \"data\": {\n    \"first_name\": \"Ada\"\n  }\n}\n"},
		"msg_dead":           {"the role's key is missing", "2026-11-01T12:01:00.000Z"},
		"msg_dead --body":    {`Sec\u0085ret`},
		"msg_garbled --body": {`\u001b[2Jnot JSON`},
		"msg_erased --body":  {"not kept", `odd\u001b[2J`},
		"msg_dead --json":    {`"state": "dead"`},
	} {
		o := run(t, env, append([]string{"mirror", "events", "show"}, strings.Fields(args)...)...)
		for _, part := range want {
			if o.code != 0 || o.stderr != "" || !strings.Contains(o.stdout, part) {
				t.Errorf("%q: exit %d, stderr %q, want %q in\n%s", args, o.code, o.stderr, part, o.stdout)
			}
		}
		if !strings.Contains(args, "--body") && (strings.Contains(o.stdout, "Ada") || strings.Contains(o.stdout, "Sec")) || strings.Contains(o.stdout, "\x1b") {
			t.Errorf("%q shows the body or a control character:\n%s", args, o.stdout)
		}
	}
	var shown struct {
		Body       struct{ Data map[string]string }
		BodyBase64 []byte
	}
	o := run(t, env, "mirror", "events", "show", "msg_done", "--body", "--json")
	if err := json.Unmarshal([]byte(o.stdout), &shown); err != nil || shown.Body.Data["first_name"] != "Ada" {
		t.Errorf("JSON with its body: %v, %s", err, o.stdout)
	}
	o = run(t, env, "mirror", "events", "show", "msg_garbled", "--body", "--json")
	if err := json.Unmarshal([]byte(o.stdout), &shown); err != nil || string(shown.BodyBase64) != "\x1b[2Jnot JSON" {
		t.Errorf("JSON with a body that is none: %v, %s", err, o.stdout)
	}
	if o := run(t, env, "mirror", "events", "show", "msg_none"); o.code != 1 || !strings.Contains(o.stderr, "no event msg_none") || o.stdout != "" {
		t.Errorf("an unknown event: exit %d, %q", o.code, o.stderr)
	}
}

func TestMirrorEventsRetry(t *testing.T) {
	t.Parallel()
	s, env := inbox(t)
	states := func() string {
		events, err := s.InboxEvents(t.Context(), store.InboxFilter{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var text []string
		for _, e := range events {
			text = append(text, strings.TrimPrefix(e.ID, "msg_")+" "+string(e.State))
			if e.State == store.EventPending && (e.Error != "" || e.DoneAt != nil || e.Attempts != 0 || !e.NextAt.Equal(e.ReceivedAt)) {
				t.Errorf("pending, but %+v", e)
			}
		}
		return strings.Join(text, ", ")
	}
	before := states()
	for id, want := range map[string]string{
		"msg_done": "not a dead letter", "msg_ignored": "not a dead letter", "msg_erased": "body was erased", "msg_none": "no event msg_none",
	} {
		if o := run(t, env, "mirror", "events", "retry", id); o.code != 1 || !strings.Contains(o.stderr, want) || o.stdout != "" {
			t.Errorf("%s: exit %d, %q", id, o.code, o.stderr)
		}
	}
	if got := states(); got != before {
		t.Errorf("refused, and yet %s became %s", before, got)
	}
	if o := run(t, env, "mirror", "events", "retry", "msg_dead"); o.code != 0 || !strings.HasPrefix(o.stdout, "msg_dead is pending again") {
		t.Errorf("exit %d, %q, %q", o.code, o.stdout, o.stderr)
	}
	// The other dead ones are untouched.
	if got := states(); got != "ignored ignored, erased dead, garbled dead, dead pending, done done" {
		t.Errorf("after one: %s", got)
	}
	if o := run(t, env, "mirror", "events", "retry", "--all-dead"); o.code != 0 || !strings.HasPrefix(o.stdout, "1 dead letters are pending again") {
		t.Errorf("exit %d, %q, %q", o.code, o.stdout, o.stderr)
	}
	if got := states(); got != "ignored ignored, erased dead, garbled pending, dead pending, done done" {
		t.Errorf("after all: %s", got)
	}
}

func TestMirrorEventsUsage(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"mirror events show":                     "<id>",
		"mirror events retry":                    "--all-dead",
		"mirror events retry msg_1 --all-dead":   "--all-dead",
		"mirror events --limit -1":               "--limit",
		"mirror events --limit 10001":            "--limit",
		"mirror events --limit many":             "--limit",
		"mirror events --scope session":          "TENANTRY_SCOPE must be",
		"mirror events show msg_1 --scope=tx":    "TENANTRY_SCOPE must be",
		"mirror events retry msg_1 --scope=full": "TENANTRY_SCOPE must be",
		"mirror":                                 "events",
	} {
		if o := run(t, nil, strings.Fields(args)...); o.code != 2 || !strings.Contains(o.stderr, want) || o.stdout != "" {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", args, o.code, o.stdout, o.stderr)
		}
	}
	const secret = "pa55word"
	for _, env := range []environment{{"DATABASE_URL": ""}, {"DATABASE_URL": "mysql://" + secret}, {"DATABASE_MIGRATE_URL": databaseDir}} {
		if o := run(t, env, "mirror", "events"); o.code != 2 || !strings.Contains(o.stderr, "DATABASE_URL") || strings.Contains(o.stderr, secret) {
			t.Errorf("%v: exit %d, stderr %q", env, o.code, o.stderr)
		}
	}
	if o := run(t, environment{"DATABASE_URL": "postgres://app:" + secret + "@127.0.0.1:1/app"}, "mirror", "events"); o.code != 1 || strings.Contains(o.stderr, secret) {
		t.Errorf("a database that is away: exit %d, stderr %q", o.code, o.stderr)
	}
}

func TestMirrorEventsFindThePrivateDatabase(t *testing.T) {
	t.Parallel()
	folder := func(running *Running) string {
		dir := t.TempDir()
		state := filepath.Join(dir, ".tenantry")
		if err := os.Mkdir(state, 0o700); err != nil {
			t.Fatal(err)
		}
		if running != nil {
			if _, err := Announce(state, *running); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	const url = "http://127.0.0.1:8080"
	for name, test := range map[string]struct {
		dir, want string
	}{
		"no server":             {folder(nil), "no server runs here"},
		"a server without one":  {folder(&Running{URL: url}), "set DATABASE_URL"},
		"one that has stopped":  {folder(&Running{URL: url, Database: "postgres://tenantry@/tenantry_local?host=/nonexistent&port=5432"}), "has stopped"},
		"another machine":       {folder(&Running{URL: url, Database: "postgres://tenantry@db.example.com/x"}), "on this machine"},
		"another machine's too": {folder(&Running{URL: url, Database: "postgres://tenantry@/x?host=db.example.com"}), "on this machine"},
	} {
		for _, args := range []string{"mirror events", "mirror events show msg_1", "mirror events retry --all-dead"} {
			if o := run(t, nil, append(strings.Fields(args), "--dir", test.dir)...); o.code != 1 || !strings.Contains(o.stderr, test.want) || o.stdout != "" {
				t.Errorf("%s, %s: exit %d, stdout %q, stderr %q", name, args, o.code, o.stdout, o.stderr)
			}
		}
	}
}
