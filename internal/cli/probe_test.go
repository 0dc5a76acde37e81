package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/probe"
)

// answering is a server that gives one answer to whoever asks whose token it is, and another one to the rest.
func answering(t *testing.T, status int, rest string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if strings.Contains(string(body), "viewer { organization { id } }") && token != "expired" {
			fmt.Fprintf(w, `{"data":{"viewer":{"organization":{"id":%q}}}}`, "org_"+token)
			return
		}
		w.WriteHeader(map[bool]int{true: http.StatusUnauthorized, false: status}[token == "expired"])
		fmt.Fprintln(w, rest)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestProbeSaysWhatItNeeds(t *testing.T) {
	t.Parallel()
	other := answering(t, http.StatusBadRequest, `{"errors":[{"message":"Cannot query field \"notes\" on type \"Query\".","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`)
	page := answering(t, http.StatusOK, "<!doctype html>")
	elsewhere, _ := project(t, http.StatusOK, "{}")
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--write"}, 2, "--write goes with --url"},
		{[]string{"--depth", "7"}, 2, "--depth 1 to 6"},
		{[]string{"--probes=-1"}, 2, "--probes is at least 1"},
		{[]string{"--dir", t.TempDir()}, 1, "no server runs here"},
		{[]string{"--dir", t.TempDir()}, 1, "name them with --url, --token-a and --token-b"},
		{[]string{"--dir", elsewhere}, 1, "--url, --token-a and --token-b"},
		{[]string{"--url", "api.example.com"}, 1, "https://api.example.com"},
		{[]string{"--url", "http://api.example.com", "--token-a", "one", "--token-b", "two"}, 1, "must begin with https://"},
		{[]string{"--url", other, "--token-a", "one"}, 1, "takes --token-a and --token-b"},
		{[]string{"--url", other, "--token-a", "one", "--token-b", "one"}, 1, "both of org_one"},
		{[]string{"--url", other, "--token-a", "one", "--token-b", "expired"}, 1, "--token-b: the server does not take the token"},
		{[]string{"--url", other, "--token-a", "one", "--token-b", "@" + filepath.Join(t.TempDir(), "none")}, 1, "no such file"},
		{[]string{"--url", other, "--token-a", "one", "--token-b", "two"}, 1, "run the command from the commit that it serves"},
		{[]string{"--url", page, "--token-a", "expired", "--token-b", "two"}, 1, "--token-a: the server does not take the token"},
	} {
		o := run(t, nil, append([]string{"probe"}, test.args...)...)
		if o.code != test.code || o.stdout != "" || !strings.Contains(o.stderr, test.want) {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", test.args, o.code, o.stdout, o.stderr)
		}
	}
	o := run(t, environment{"TENANTRY_PROBE_TOKEN_A": "one", "TENANTRY_PROBE_TOKEN_B": "one"}, "probe", "--url", other)
	if o.code != 1 || !strings.Contains(o.stderr, "both of org_one") {
		t.Errorf("tokens by variables: exit %d, stderr %q", o.code, o.stderr)
	}
}

func TestProbeTakesTokensFromFilesAndStdin(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first\n")
	fromFile, err := tokenFrom("@"+file, nil)
	if err != nil {
		t.Fatal(err)
	}
	stdin := bufio.NewReader(strings.NewReader("a line\nanother"))
	lineA, errA := tokenFrom("-", stdin)
	lineB, errB := tokenFrom("-", stdin)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	if _, err := tokenFrom("-", stdin); err == nil {
		t.Error("a third line is taken where there are two")
	}
	if got, err := fromFile(t.Context()); got != "first" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	write("second")
	for want, token := range map[string]func() (string, error){
		"second":  func() (string, error) { return fromFile(t.Context()) },
		"a line":  func() (string, error) { return lineA(t.Context()) },
		"another": func() (string, error) { return lineB(t.Context()) },
	} {
		if got, err := token(); got != want || err != nil {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}

func TestProbeReport(t *testing.T) {
	t.Parallel()
	o := probeOutcome{
		url: "https://api.example.com/graphql", took: 12340 * time.Millisecond, untried: []string{"mutations: nothing is changed"},
		report: probe.Report{
			Seed: 7, Operations: 3, Probes: 40, Pairs: 1, Leaks: 2, Denied: map[string]string{"Organization.auditLog": "FORBIDDEN"},
			Fields: probe.Coverage{
				Of: 10, Reached: 6, Missed: []string{"Note.body", "Note.title", "Organization.auditLog"},
				Excused: map[string]string{"Mutation.deleteOrganization": "it would delete it"},
			},
			Positions: probe.Coverage{Of: 10, Reached: 8, Missed: []string{"Query.note(id): foreign"}, Excused: map[string]string{"Mutation.deleteOrganization(input.expectedName)": "it would delete it"}},
			Findings:  []probe.Finding{{What: "leak", Position: "Query.note(id)", Detail: "\"canary\x1b\" came back", Operation: `query Probe { note(id: "x") { title } }`, Variables: `{"v0":"x"}`}},
		},
	}
	var text bytes.Buffer
	if err := o.write(&text); err != nil {
		t.Fatal(err)
	}
	const want = `https://api.example.com/graphql: seed 7, 3 operations, 40 fields answered, 1 answers compared, in 12.3s
not tried:
  mutations: nothing is changed
out of reach, with the reason:
  Mutation.deleteOrganization, Mutation.deleteOrganization(input.expectedName): it would delete it
not reached:
  Organization.auditLog: FORBIDDEN, the tokens need the right
  Note: body, title
  Query.note(id): foreign value was never given
leak at Query.note(id): "canary\u001b" came back
  operation: query Probe { note(id: "x") { title } }
  variables: {"v0":"x"}
and 1 more
2 leaks, 80 % of 10 fields and 10 id positions
`
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", text.String(), want)
	}
	var decoded struct {
		Good      bool
		Summary   string
		Untried   []string
		Positions struct{ Missed []string }
		Findings  []struct{ What, Position, Operation string }
	}
	raw, err := json.Marshal(o.json())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &decoded); err != nil {
		t.Fatal(err)
	}
	if decoded.Good || decoded.Summary != "2 leaks, 80 % of 10 fields and 10 id positions" || len(decoded.Untried) != 1 ||
		decoded.Positions.Missed[0] != "Query.note(id): foreign" || decoded.Findings[0].Position != "Query.note(id)" {
		t.Errorf("%s", raw)
	}
}
