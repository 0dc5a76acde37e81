package page_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/tenantry/tenantry/internal/browsertest"
)

// tab is the page in a browser. At the test's end the page must have left
// nothing on the console and asked for nothing outside.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func open(t *testing.T, url string) tab {
	t.Helper()
	tab := tab{t, browsertest.New(t)}
	tab.do(chromedp.Navigate(url))
	tab.waitFor(`!!document.querySelector('#viewer[aria-busy="false"] #viewer-name')`)
	t.Cleanup(func() {
		if problems := browsertest.ConsoleErrors(tab.ctx); len(problems) > 0 {
			t.Errorf("on the console: %q", problems)
		}
		if outside := browsertest.OutsideRequests(tab.ctx); len(outside) > 0 {
			t.Errorf("asked for outside: %q", outside)
		}
	})
	return tab
}

func (tab tab) do(steps ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	if err := chromedp.Do(tab.ctx, steps...); err != nil {
		tab.t.Fatal(err)
	}
}

// waitFor waits until a JavaScript expression is true.
func (tab tab) waitFor(condition string) {
	tab.t.Helper()
	if _, err := chromedp.Run(tab.ctx, chromedp.Poll[bool](condition, chromedp.WithPollingTimeout(10*time.Second))); err != nil {
		tab.t.Fatalf("%s: %v; the page says:\n%s", condition, err, tab.text("body"))
	}
}

// waitText waits until an element holds a text.
func (tab tab) waitText(selector, want string) {
	tab.t.Helper()
	tab.waitFor(`(document.querySelector(` + strconv.Quote(selector) + `)?.innerText ?? "").includes(` + strconv.Quote(want) + `)`)
}

func (tab tab) text(selector string) string {
	tab.t.Helper()
	return evaluate[string](tab, `document.querySelector(`+strconv.Quote(selector)+`)?.innerText ?? ""`)
}

func evaluate[T any](tab tab, expression string) T {
	tab.t.Helper()
	value, err := chromedp.Run(tab.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tab.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

func (tab tab) click(selector string) {
	tab.t.Helper()
	tab.do(chromedp.Click(chromedp.CSS(selector)))
}

// choose picks a person, and waits until the server said who they are.
func (tab tab) choose(person, name string) {
	tab.t.Helper()
	tab.click(`.person:has(input[value="` + person + `"])`)
	tab.waitText("#viewer-name", name)
}

// run runs a prepared operation and waits for its answer.
func (tab tab) run(operation string) {
	tab.t.Helper()
	before := evaluate[int](tab, `document.querySelectorAll(".past").length`)
	tab.click(`[data-operation="` + operation + `"]`)
	tab.waitFor(`document.querySelectorAll(".past").length === ` + strconv.Itoa(before+1))
}

// layoutShift is how much of the page has moved so far, as browsers score it.
const layoutShift = `new Promise((resolve) => {
	let sum = 0;
	new PerformanceObserver((list) => list.getEntries().forEach((entry) => { sum += entry.value; })).observe({ type: "layout-shift", buffered: true });
	setTimeout(() => resolve(sum), 200);
})`
