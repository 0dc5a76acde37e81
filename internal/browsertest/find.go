package browsertest

import (
	"os"
	"os/exec"
	"testing"
)

// candidates are looked for on PATH, then as they are.
var candidates = []string{
	"chromium",
	"chromium-browser",
	"google-chrome",
	"google-chrome-stable",
	"chrome",
	"/Applications/Chromium.app/Contents/MacOS/Chromium",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
}

// find gives the path of a Chromium. Without one the test is skipped, so that the suite passes on any machine; where no
// skip is allowed, as in .ci/run, the skip is seen.
func find(t testing.TB) string {
	t.Helper()
	wanted := candidates
	if named := os.Getenv("TENANTRY_CHROMIUM"); named != "" {
		wanted = []string{named}
	}
	for _, name := range wanted {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skipf("no Chromium or Chrome among %q, so no browser was opened: install one (Debian: apt-get install chromium), "+
		"or name one in TENANTRY_CHROMIUM", wanted)
	return ""
}
