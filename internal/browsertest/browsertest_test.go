package browsertest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tenantry/tenantry/internal/browsertest"
)

func serve(t *testing.T, html string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><link rel=icon href=data:,><title>t</title>" + html))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestCleanPageLeavesNothing(t *testing.T) {
	t.Parallel()
	ctx := browsertest.New(t)
	page := serve(t, `<p id=state></p><script>
		console.log("hello"); console.warn("hm");
		fetch("/refused").then((r) => { document.title = r.status; });
	</script>`)
	if err := chromedp.Do(ctx, chromedp.Navigate(page)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.title === "401"`)); err != nil {
		t.Fatal(err)
	}
	if noted := append(browsertest.ConsoleErrors(ctx), browsertest.OutsideRequests(ctx)...); len(noted) > 0 {
		t.Errorf("noted %q", noted)
	}
}

func TestWhatGoesWrongIsNoted(t *testing.T) {
	t.Parallel()
	ctx := browsertest.New(t)
	page := serve(t, `<meta http-equiv="Content-Security-Policy" content="style-src 'none'"><body>
		<script>
		console.error("spilt", {milk: 1});
		document.body.append(document.createElement("style"));
		addEventListener("unhandledrejection", () => setTimeout(() => { document.title = "away"; }, 100)); // what follows is noted by then
		fetch("https://example.com/away").catch(() => { throw new Error("uncaught"); });
	</script>`)
	if err := chromedp.Do(ctx, chromedp.Navigate(page)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.title === "away"`)); err != nil {
		t.Fatal(err)
	}
	problems := strings.Join(browsertest.ConsoleErrors(ctx), "\n")
	for _, want := range []string{"spilt", "Error: uncaught", "Content Security Policy"} {
		if !strings.Contains(problems, want) {
			t.Errorf("%q was not noted in:\n%s", want, problems)
		}
	}
	outside := browsertest.OutsideRequests(ctx)
	if len(outside) != 1 || outside[0] != "https://example.com/away" {
		t.Errorf("requests outside: %q", outside)
	}
}

func TestLookAndScreenshot(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TENANTRY_SCREENSHOTS", filepath.Join(dir, "shots"))
	ctx := browsertest.New(t)
	if err := chromedp.Do(ctx, browsertest.Look(390, 844, browsertest.Dark), chromedp.Navigate(serve(t, "<p>x"))); err != nil {
		t.Fatal(err)
	}
	dark, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`innerWidth === 390 && matchMedia("(prefers-color-scheme: dark)").matches`))
	if err != nil || !dark {
		t.Errorf("narrow and dark: %t, %v", dark, err)
	}
	browsertest.Screenshot(t, ctx, "narrow")
	png, err := os.ReadFile(filepath.Join(dir, "shots", "narrow.png"))
	if err != nil || !strings.HasPrefix(string(png), "\x89PNG") {
		t.Errorf("screenshot: %v", err)
	}
}

// skipping is a test that skips without taking this one along.
type skipping struct {
	testing.TB
	said string
}

func (s *skipping) Helper() {}

func (s *skipping) Skipf(format string, args ...any) {
	s.said = fmt.Sprintf(format, args...)
	panic(s)
}

func TestWithoutChromium(t *testing.T) {
	t.Setenv("TENANTRY_CHROMIUM", filepath.Join(t.TempDir(), "none"))
	s := &skipping{TB: t}
	func() {
		defer func() { _ = recover() }()
		browsertest.New(s)
	}()
	if !strings.Contains(s.said, "TENANTRY_CHROMIUM") {
		t.Errorf("without a browser: %q", s.said)
	}
}
