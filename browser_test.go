package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

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
	ask := func(url, token, headers string) string {
		t.Helper()
		script := fmt.Sprintf(`fetch(%q, {
			method: "POST",
			headers: {"Content-Type": "application/json", "Authorization": "Bearer %s", %s},
			body: JSON.stringify({query: "{ organization { name } }"}) + " ".repeat(200_000),
		}).then(async r => r.status + " " + r.headers.get("X-Request-Id").length + " " + (await r.json()).data?.organization.name, e => "refused: " + e.name)`,
			url, token, headers)
		said, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		return said
	}
	for what, headers := range map[string]string{
		"nothing more":         ``,
		"a request id":         `"X-Request-Id": "00000000-0000-0000-0000-000000000000"`,
		"tracing":              `"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "sentry-trace": "1-2-1", "baggage": "a=b"`,
		"Apollo":               `"apollographql-client-name": "web", "apollo-require-preflight": "true"`,
		"something else":       `"X-Something-Else": "x"`,
		"a header in capitals": `"X-REQUESTED-WITH": "x"`,
	} {
		if said := ask(p.url+"/graphql", p.token("ada", "acme"), headers); said != "200 36 Acme" {
			t.Errorf("with %s: %q", what, said)
		}
	}
	if said := ask(p.url+"/graphql", "garbage", ""); said != "401 36 undefined" {
		t.Errorf("with a garbage token: %q", said)
	}
	if said := ask(p.url+"/livez", "garbage", ""); said != "refused: TypeError" {
		t.Errorf("another path: %q", said)
	}
	control := fmt.Sprintf(`fetch("%s/__clerk/control/v1/state").then(r => "let in: " + r.status, e => "refused: " + e.name)`, p.url)
	if said, err := chromedp.Run(ctx, chromedp.Evaluate[string](control, chromedp.EvalAwaitPromise)); err != nil || said != "refused: TypeError" {
		t.Errorf("the local Clerk's controls from another origin: %q %v", said, err)
	}
	if outside := browsertest.OutsideRequests(ctx); len(outside) > 0 {
		t.Errorf("requests outside: %q", outside)
	}
}

// The page at / works with the running program: Max is refused, is removed, and the answer changes before one's eyes.
func TestPageWithTheProgram(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	ctx := browsertest.New(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(p.url+"/")); err != nil {
		t.Fatal(err)
	}
	see := func(selector, text string) {
		t.Helper()
		script := fmt.Sprintf(`(async () => { for (let i = 0; i < 200; i++) {
			const shown = document.querySelector(%q)?.innerText ?? "";
			if (shown.includes(%q)) return "";
			await new Promise(r => setTimeout(r, 50));
		} return document.querySelector(%q)?.innerText ?? "nothing"; })()`, selector, text, selector)
		if shown, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise)); err != nil || shown != "" {
			t.Fatalf("%s does not show %q but %q %v", selector, text, shown, err)
		}
	}
	click := func(selector string) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.Click(selector)); err != nil {
			t.Fatalf("click %s: %v", selector, err)
		}
	}
	runs := func() int {
		t.Helper()
		count, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelectorAll(".past").length`))
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	operation := func(name string) {
		t.Helper()
		before := runs()
		click(fmt.Sprintf("[data-operation=%q]", name))
		for deadline := time.Now().Add(10 * time.Second); runs() == before && time.Now().Before(deadline); {
			time.Sleep(20 * time.Millisecond)
		}
	}

	see("#viewer-name", "Max Planck")
	operation("first-page")
	see("#json", "Acme field notes 30")
	operation("next-page")
	see("#json", "Acme field notes 25")
	operation("create")
	see("#answer-chips", "200")
	operation("foreign")
	see("#json", `"document": null`)
	operation("delete")
	see("#answer-chips", "FORBIDDEN")
	browsertest.Screenshot(t, ctx, "program-forbidden")
	operation("first-page")
	see("#answer-chips", "200")
	click("#membership-change")
	see("#answer-chips", "NO_ACTIVE_ORGANIZATION")
	see("#membership-outcome", "ebhook delivered")
	browsertest.Screenshot(t, ctx, "program-removed")
	click("#membership-change")
	see("#json", "Acme field notes")
	browsertest.Screenshot(t, ctx, "program-back")

	if errors := browsertest.ConsoleErrors(ctx); len(errors) > 0 {
		t.Errorf("errors in the console: %q", errors)
	}
	if outside := browsertest.OutsideRequests(ctx); len(outside) > 0 {
		t.Errorf("requests outside: %q", outside)
	}
}
