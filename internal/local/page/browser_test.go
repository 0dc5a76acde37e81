package page_test

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/tenantry/tenantry/internal/browsertest"
)

func TestPersonAndOrganizationDecideWhatIsShown(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	tab := open(t, s.URL)

	tab.waitText("#viewer-name", "Max Planck")
	tab.waitText("#viewer-role", "org:member")
	lacking := `.chip.lacking[data-permission="org:documents:delete"]`
	if tab.text(lacking) == "" || tab.text(`.chip.held[data-permission="org:documents:read"]`) == "" {
		t.Errorf("Max's permissions:\n%s", tab.text("#permissions"))
	}
	if tab.text(`.chip.held[data-permission="org:reports:print"]`) == "" {
		t.Error("a permission that no role of the local Clerk has is not shown")
	}
	if refused := evaluate[bool](tab, `document.querySelector('[name=organization][value=globex]').disabled`); !refused {
		t.Error("Max can choose an organization that he is not in")
	}

	tab.choose("ada", "Ada Lovelace")
	tab.waitText("#viewer-role", "org:admin")
	if tab.text(lacking) != "" {
		t.Error("Ada is shown without a permission that she has")
	}
	tab.click(`.organization:has([value="globex"])`)
	tab.waitText("#viewer-place", "in Globex")
	tab.waitText("#viewer-role", "org:member")
	tab.click(`.organization:has([value=""])`)
	tab.waitText("#viewer-body", "names no organization")

	tab.choose("nora", "Nora Noether")
	tab.waitText("#viewer-place", "no active organization")

	s.received()
	tab.choose("", "Nobody")
	tab.waitText("#viewer-body", "UNAUTHENTICATED")
	for _, token := range s.received() {
		if token != "" {
			t.Error("nobody sent a token")
		}
	}
	browsertest.Screenshot(t, tab.ctx, "page-nobody")
}

func TestOperationShowsStatusAndCodes(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	tab := open(t, s.URL)

	tab.run("first-page")
	tab.waitText("#answer-chips", "200")
	if chips := tab.text("#answer-chips"); !strings.Contains(chips, "ms") {
		t.Errorf("no duration in %q", chips)
	}
	tab.waitText("#json", `<img src=x onerror=\"`)
	if title := evaluate[string](tab, "document.title"); title == "run" || evaluate[int](tab, `document.querySelectorAll("#json img, #json script").length`) > 0 {
		t.Error("data became HTML")
	}

	tab.run("delete")
	tab.waitText("#answer-person", "as Max in Acme")
	tab.waitText("#answer-chips", "FORBIDDEN")
	tab.waitText("#explanations", "org:documents:delete")
	browsertest.Screenshot(t, tab.ctx, "page-forbidden")

	tab.run("foreign")
	tab.waitText("#explanations", "Gus reads it there")
	tab.waitText("#json", `"document": null`)

	tab.run("forged")
	tab.waitText("#answer-chips", "401")
	tab.waitText("#answer-chips", "UNAUTHENTICATED")

	tab.choose("nora", "Nora Noether")
	tab.run("delete")
	tab.waitText("#answer-chips", "NO_ACTIVE_ORGANIZATION")

	// The oldest run, looked at again.
	tab.click("#history li:last-child button")
	tab.waitText("#answer-operation", "First page")
	tab.waitText("#answer-person", "as Max in Acme")
}

func TestRemovedMemberIsRefusedWithTheSameToken(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	tab := open(t, s.URL)
	tab.run("first-page")
	tab.waitText("#answer-chips", "200")
	tab.waitText("#membership-state", "is a member")
	before := s.received()

	tab.click("#membership-change")
	tab.waitText("#membership-outcome", "Webhook delivered in")
	tab.waitText("#membership-outcome", "“First page” now: 200 NO_ACTIVE_ORGANIZATION")
	tab.waitText("#membership-state", "is not a member")
	tab.waitText("#answer-chips", "NO_ACTIVE_ORGANIZATION")
	tab.waitText("#explanations", "the membership ended")
	tab.waitText("#viewer-body", "the membership ended")
	for _, token := range s.received() {
		if token != before[0] {
			t.Error("another token was sent right after the removal")
		}
	}
	browsertest.Screenshot(t, tab.ctx, "page-removed")

	// The next token would be a new one, and Clerk signs none.
	tab.run("members")
	tab.waitText("#answer-chips", "no token")
	tab.waitText("#explanations", "not a member any more")
	if sent := s.received(); len(sent) > 0 {
		t.Error("something was sent without a token")
	}
	tab.click(".switch")
	tab.run("members")
	tab.waitText("#answer-chips", "NO_ACTIVE_ORGANIZATION")
	if sent := s.received(); len(sent) != 1 || sent[0] != before[0] {
		t.Error("the kept token was not sent")
	}

	tab.do(chromedp.SetValue(chromedp.CSS("#membership-role"), "org:admin"))
	tab.click("#membership-change")
	tab.waitText("#membership-outcome", "“Members” now: 200.")
	tab.waitText("#viewer-role", "org:admin")
	tab.waitText("#membership-change", "Remove Max")
}

// The local Clerk's clock is late here, so that a new token has 9 s left.
func TestTokenIsKeptOrRenewed(t *testing.T) {
	t.Parallel()
	s := serve(t, func() time.Time { return time.Now().Add(-51 * time.Second) })
	tab := open(t, s.URL)
	s.received()
	tab.run("viewer")
	tab.run("viewer")
	if sent := s.received(); len(sent) != 2 || sent[0] == sent[1] {
		t.Errorf("a token that ends within 10 s was sent again: %d tokens", len(sent))
	}
	tab.click(".switch")
	tab.run("viewer")
	tab.run("viewer")
	if sent := s.received(); len(sent) != 2 || sent[0] != sent[1] {
		t.Errorf("the token was not kept: %d tokens", len(sent))
	}
	tab.waitText("#token-state", "s left")
	tab.waitText("#token-state", "expired")
	tab.run("viewer")
	tab.waitText("#answer-chips", "200")
}

func TestOwnQueryByKeyboard(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	tab := open(t, s.URL)
	active := `document.activeElement.id`

	tab.do(
		chromedp.Evaluate[chromedp.Void](`query.select()`),
		chromedp.KeyEvent("{ viewer {"), chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent("user { name } } }"),
		chromedp.KeyEvent(kb.Tab),
	)
	if got := evaluate[string](tab, "query.value"); got != "{ viewer {\n  user { name } } }  " {
		t.Errorf("typed %q", got)
	}
	if got := evaluate[string](tab, active); got != "query" {
		t.Errorf("Tab went to %q", got)
	}
	tab.do(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(kb.ModifierCtrl)))
	tab.waitText("#answer-operation", "Own query")
	tab.waitText("#json", "Max Planck")

	tab.do(chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(kb.Tab))
	if got := evaluate[string](tab, active); got != "variables" {
		t.Errorf("Esc and Tab went to %q", got)
	}
	for _, test := range []struct{ variables, says string }{
		{"{", "not JSON"}, {"[1]", "must be an object"}, {"null", "must be an object"},
	} {
		s.received()
		tab.do(chromedp.SetValue(chromedp.CSS("#variables"), test.variables), chromedp.Click(chromedp.CSS("#run")))
		tab.waitText("#variables-problem", test.says)
		if len(s.received()) > 0 {
			t.Errorf("%s was sent", test.variables)
		}
	}
}

func TestServerThatIsGone(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	tab := open(t, s.URL)
	tab.waitText("#pulse", "Serving")
	const warned = `document.getElementById("gone").checkVisibility()`
	if evaluate[bool](tab, warned) {
		t.Error("a server that answers is said to be gone")
	}
	s.CloseClientConnections()
	s.Listener.Close()
	tab.run("viewer")
	tab.waitText("#answer-chips", "no answer")
	tab.waitFor(warned)
	tab.waitText("#pulse", "Not answering")
	browsertest.Screenshot(t, tab.ctx, "page-gone")
}

// The line is run by a shell in which curl and go say what they were given.
func TestCurlLineAsksTheSame(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	tab := open(t, s.URL)
	line := func(run string) string {
		t.Helper()
		return evaluate[string](tab, `import("/page/curl.js").then((curl) => curl.curlFor(`+run+`))`)
	}
	for _, test := range []struct{ run, want string }{
		{
			`{query: "{\n  viewer { user { name } }\n}", variables: {}, person: "max", organization: "acme"}`,
			`Authorization: Bearer <run . token --as max --org acme>|{"query":"{ viewer { user { name } } }","variables":{}}`,
		},
		{
			`{query: "{ a(b: \"it's  $HOME \\\"x\\\"\") }", variables: {"c": "'; $(exit 1) \u0060"}, person: "nora", organization: ""}`,
			`Authorization: Bearer <run . token --as nora>|{"query":"{ a(b: \"it's  $HOME \\\"x\\\"\") }","variables":{"c":"'; $(exit 1) ` + "`" + `"}}`,
		},
		{`{query: "{a}", variables: {}, person: "", organization: ""}`, `{"query":"{a}","variables":{}}`},
		{`{query: "{a}", variables: {}, person: "max", organization: "", forged: true}`, `Authorization: Bearer <run . token --as max>x|{"query":"{a}","variables":{}}`},
	} {
		script := `curl() { printf '%s|' "$@"; }; go() { printf '<%s>' "$*"; }` + "\n" + line(test.run)
		out, err := exec.Command("sh", "-c", script).CombinedOutput()
		got := strings.ReplaceAll(strings.ReplaceAll(string(out), "-H|", ""), "-d|", "")
		want := "-s|" + s.URL + "/graphql|Content-Type: application/json|Accept: application/graphql-response+json|" + test.want + "|"
		if err != nil || got != want {
			t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
		}
	}
}

func TestPageFitsAndIsLabelled(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	tab := open(t, s.URL)
	if moved := evaluate[float64](tab, layoutShift); moved > 0.05 {
		t.Errorf("the page moved by %.3f while it was loaded", moved)
	}
	tab.run("delete")
	for _, look := range []struct {
		width, height int64
		scheme        browsertest.Scheme
	}{
		{1280, 900, browsertest.Light},
		{1280, 900, browsertest.Dark},
		{900, 900, browsertest.Light},
		{390, 844, browsertest.Light},
		{390, 844, browsertest.Dark},
		{320, 700, browsertest.Light},
	} {
		tab.do(browsertest.Look(look.width, look.height, look.scheme))
		name := "page-" + string(look.scheme) + "-" + strconv.FormatInt(look.width, 10)
		browsertest.FullScreenshot(t, tab.ctx, name)
		if wide := evaluate[int64](tab, "document.documentElement.scrollWidth"); wide > look.width {
			t.Errorf("%s is %d wide", name, wide)
		}
		if pale, err := browsertest.PaleTexts(tab.ctx); err != nil || len(pale) > 0 {
			t.Errorf("%s: hard to read: %q %v", name, pale, err)
		}
	}
	unlabelled := evaluate[[]string](tab, `[...document.querySelectorAll("input, select, textarea, button")]
		.filter((e) => !(e.tagName === "BUTTON" ? e.innerText : [...(e.labels ?? [])].map((l) => l.innerText).join("")).trim())
		.map((e) => e.outerHTML)`)
	if len(unlabelled) > 0 {
		t.Errorf("without a label: %q", unlabelled)
	}
}
