package clerk

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestOfficialClient calls the local Clerk over HTTP with @clerk/backend, Clerk's own client for
// servers. What is asked and expected is in testdata/npm/backend.test.mjs.
func TestOfficialClient(t *testing.T) {
	t.Parallel()
	const folder = "testdata/npm"
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: this test needs Node.js 20.9 or newer")
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "@clerk", "backend")); err != nil {
		t.Skip("@clerk/backend is not installed: run `npm ci` in local/clerk/" + folder)
	}
	c := openUnlimited(t)
	a := serve(t, c)
	var session tokenOutput
	a.ok("POST", tokensPath, object{"user": "ada", "organization": "acme"}, &session)

	cmd := exec.CommandContext(t.Context(), node, "--test", "backend.test.mjs")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(),
		"CLERK_API_URL="+a.base+"/__clerk/backend", "CLERK_SECRET_KEY="+c.SecretKey(), "CLERK_SESSION_TOKEN="+session.Token)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// Clerk's client for servers reads an answer of any other media type as text, also one with a charset.
func TestAnswersAreExactlyJSON(t *testing.T) {
	t.Parallel()
	b := serveBackend(t, openNew(t))
	unkeyed := b.request(http.MethodGet, backendPath+"/users", nil)
	for status, r := range map[int]*http.Request{
		http.StatusOK: b.get("/organizations"), http.StatusNotFound: b.get("/organizations/org_none"), http.StatusUnauthorized: unkeyed,
	} {
		response, data := b.send(r)
		if media := response.Header.Values("Content-Type"); response.StatusCode != status || len(media) != 1 || media[0] != "application/json" {
			t.Errorf("%s: %d %q %s", r.URL.Path, response.StatusCode, media, data)
		}
	}
	for _, path := range []string{publicKeysPath, statePath} {
		if response, _ := b.send(b.request(http.MethodGet, path, nil)); response.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %q", path, response.Header.Get("Content-Type"))
		}
	}
}
