package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tenantry/tenantry/internal/browsertest"
	"github.com/tenantry/tenantry/internal/dbtest"
)

// A frontend on another port of this machine calls the API from a real browser.
func TestFrontendOnAnotherPort(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	frontend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<!doctype html><link rel="icon" href="data:,"><title>Frontend</title>`)
	}))
	defer frontend.Close()
	ctx := browsertest.New(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(frontend.URL)); err != nil {
		t.Fatal(err)
	}
	ask := func(header string) string {
		t.Helper()
		script := fmt.Sprintf(`fetch(%q, {
			method: "POST",
			headers: {"Content-Type": "application/json", %s: "Bearer %s"},
			body: JSON.stringify({query: "{ organization { name } }"}),
		}).then(async r => r.status + " " + r.headers.get("X-Request-Id").length + " " + (await r.json()).data.organization.name, e => "refused: " + e.name)`,
			p.url+"/graphql", header, p.token("ada", "acme"))
		said, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		return said
	}
	if said := ask(`"Authorization"`); said != "200 36 Acme" {
		t.Errorf("with a token: %q", said)
	}
	if said := ask(`"X-Something-Else"`); said != "refused: TypeError" {
		t.Errorf("with a header that is not allowed: %q", said)
	}
	control := fmt.Sprintf(`fetch("%s/__clerk/control/v1/state").then(r => "let in: " + r.status, e => "refused: " + e.name)`, p.url)
	if said, err := chromedp.Run(ctx, chromedp.Evaluate[string](control, chromedp.EvalAwaitPromise)); err != nil || said != "refused: TypeError" {
		t.Errorf("the local Clerk's controls from another origin: %q %v", said, err)
	}
	if outside := browsertest.OutsideRequests(ctx); len(outside) > 0 {
		t.Errorf("requests outside: %q", outside)
	}
}
