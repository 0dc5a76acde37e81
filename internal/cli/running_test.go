package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestAnnounceAndWithdraw(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "server.json")
	withdraw, err := Announce(dir, Running{URL: "http://127.0.0.1:8080"})
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(content, &raw); err != nil || raw["url"] != "http://127.0.0.1:8080" || raw["pid"] != float64(os.Getpid()) {
		t.Errorf("the note is %s (%v)", content, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	// A later server's note replaces this one, and stays when the earlier server goes.
	if err := os.WriteFile(path, []byte(`{"url":"http://127.0.0.1:9090","pid":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := withdraw(); err != nil {
		t.Fatal(err)
	}
	if running, err := ReadRunning(dir); err != nil || running.URL != "http://127.0.0.1:9090" {
		t.Errorf("the later server's note: %+v, %v", running, err)
	}
	withdraw, err = Announce(dir, Running{URL: "http://127.0.0.1:8080"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := withdraw(); err != nil {
			t.Errorf("withdraw: %v", err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := Announce(filepath.Join(dir, "absent"), Running{URL: "http://127.0.0.1:8080"}); err == nil {
		t.Error("announced in a folder that does not exist")
	}
}

func TestANoteOfNoServerHereIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ content, want string }{
		"damaged":         {`{"url":`, "is damaged"},
		"empty":           {``, "is damaged"},
		"another machine": {`{"url":"http://198.51.100.7:8080","pid":1}`, "loopback"},
		"a name":          {`{"url":"http://example.com:8080","pid":1}`, "loopback"},
		"not HTTP":        {`{"url":"file://127.0.0.1/etc","pid":1}`, "loopback"},
		"nothing named":   {`{}`, "loopback"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "server.json"), []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRunning(dir); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
