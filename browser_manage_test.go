package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/tenantry/tenantry/internal/browsertest"
	"github.com/tenantry/tenantry/internal/dbtest"
)

// manager is the page's view of an organization in a browser.
type manager struct {
	t   *testing.T
	ctx context.Context
}

func (m manager) do(steps ...chromedp.Action[chromedp.Void]) {
	m.t.Helper()
	if err := chromedp.Do(m.ctx, steps...); err != nil {
		m.t.Fatal(err)
	}
}

// await waits until a JavaScript expression is true.
func (m manager) await(condition string) {
	m.t.Helper()
	if _, err := chromedp.Run(m.ctx, chromedp.Poll[bool](condition, chromedp.WithPollingTimeout(15*time.Second))); err != nil {
		shown, _ := chromedp.Run(m.ctx, chromedp.Evaluate[string](`document.body.innerText`))
		m.t.Fatalf("%s: %v; the page says:\n%s", condition, err, shown)
	}
}

// see waits until an element shows a text.
func (m manager) see(selector, text string) {
	m.t.Helper()
	m.await(fmt.Sprintf(`(document.querySelector(%q)?.innerText ?? "").includes(%q)`, selector, text))
}

func (m manager) shown(selector string) string {
	m.t.Helper()
	text, err := chromedp.Run(m.ctx, chromedp.Evaluate[string](fmt.Sprintf(`document.querySelector(%q)?.innerText ?? ""`, selector)))
	if err != nil {
		m.t.Fatal(err)
	}
	return text
}

func (m manager) click(selector string) {
	m.t.Helper()
	m.await(fmt.Sprintf(`!!document.querySelector(%q) && !document.querySelector(%q).matches(":disabled, :disabled *")`, selector, selector))
	m.do(chromedp.Click(chromedp.CSS(selector)))
}

// write types into a field, as somebody would.
func (m manager) write(selector, text string) {
	m.t.Helper()
	m.do(chromedp.Focus(chromedp.CSS(selector)), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector(%q).select()`, selector)), chromedp.KeyEvent(text))
}

// pick chooses an option.
func (m manager) pick(selector, value string) {
	m.t.Helper()
	m.await(fmt.Sprintf(`(() => { const select = document.querySelector(%q); if (!select) return false;
		select.value = %q; select.dispatchEvent(new Event("change", { bubbles: true })); return select.value === %q; })()`, selector, value, value))
}

func (m manager) tab(name string) {
	m.t.Helper()
	m.click("#tab-" + name)
}

// manage opens the view as one of the local Clerk's people, in an organization or in none.
func manage(t *testing.T, p *program, person, organization string) manager {
	t.Helper()
	m := manager{t, browsertest.New(t)}
	m.do(chromedp.Navigate(p.url + "/#manage"))
	m.as(person, organization)
	t.Cleanup(func() {
		if errors := browsertest.ConsoleErrors(m.ctx); len(errors) > 0 {
			t.Errorf("errors in the console: %q", errors)
		}
		if outside := browsertest.OutsideRequests(m.ctx); len(outside) > 0 {
			t.Errorf("requests outside: %q", outside)
		}
	})
	return m
}

func (m manager) as(person, organization string) {
	m.t.Helper()
	m.click(fmt.Sprintf(`.person:has(input[value=%q])`, person))
	m.click(fmt.Sprintf(`.organization:has(input[value=%q])`, organization))
	m.await(`document.querySelector("#settings").getAttribute("aria-busy") === "false"`)
}

// TestPageTellsTheManagementStory is TestManagementStory by hand: each click is followed by what the page then shows.
func TestPageTellsTheManagementStory(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	const others = `{ organization { name members { nodes { id name role } } invitations { totalCount } auditLog { totalCount } } }`
	before := p.ask(p.token("ada", "acme"), others, nil).Body
	m := manage(t, p, "nora", "")

	m.see("#memberships", "You belong to no organization yet")
	m.see("#settings-nothing", "create one")
	browsertest.Screenshot(t, m.ctx, "manage-empty")
	m.write("#create-name", "Norakraft")
	m.click("#create-do")
	m.see("#settings-notice", "Norakraft is there")
	m.see(`#memberships [data-slug="norakraft"]`, "org:admin")
	m.click(`#memberships [data-slug="norakraft"] button`)
	m.see("#settings-title", "Norakraft")
	m.see("#members", "Nora Noether (you)")
	m.see("#members-count", "1 ")

	m.tab("invitations")
	m.write(".invitee:nth-child(1) .textfield", "max@acme.example")
	m.click("#invite-another")
	m.write(".invitee:nth-child(2) .textfield", "gus@globex.example")
	m.pick(".invitee:nth-child(2) select", "org:admin")
	m.click("#invite-another")
	m.write(".invitee:nth-child(3) .textfield", "nonsense")
	m.click("#invite-do")
	m.see("#settings-notice", "2 of 3 invited")
	m.see(".invitee:nth-child(1)", "invited")
	m.see(".invitee:nth-child(2)", "invited")
	m.see(".invitee:nth-child(3)", "INVALID_EMAIL")
	m.see("#invitations-count", "2 ")
	browsertest.FullScreenshot(t, m.ctx, "manage-invitations")
	m.click(`[data-email="max@acme.example"] [data-key^="accept"]`)
	m.see("#settings-notice", "Max has accepted")
	m.see("#invitations-count", "1 ")
	m.click(`[data-email="gus@globex.example"] [data-key^="revoke"]`)
	m.click(`[data-email="gus@globex.example"] .sure`)
	m.see("#settings-notice", "is taken back")
	m.see("#invitations", "Nobody is invited")
	m.pick("#invitations-status", "REVOKED")
	m.see(`[data-email="gus@globex.example"]`, "revoked")

	m.tab("members")
	m.see("#members-count", "2 ")
	m.pick(`#members [data-email="max@acme.example"] select`, "org:admin")
	m.see("#settings-notice", "Max Planck is org:admin now")
	m.await(`document.querySelector('#members [data-email="max@acme.example"]').dataset.role === "org:admin"`)
	m.pick(`#members [data-email="max@acme.example"] select`, "org:member")
	m.see("#settings-notice", "Max Planck is org:member now")
	// The last administrator stays one, and the list says so afterwards.
	m.pick(`#members [data-email="nora@example.com"] select`, "org:member")
	m.see("#settings-notice", "LAST_ADMIN")
	m.await(`document.querySelector('#members [data-email="nora@example.com"] select').value === "org:admin"`)
	browsertest.FullScreenshot(t, m.ctx, "manage-members")
	m.write("#members-search", "pla")
	m.see("#members-count", "1 ")
	m.write("#members-search", "lovelace")
	m.see("#members", "Nobody matches")
	m.write("#members-search", kb.Backspace)
	m.pick("#members-order", "NAME_DESC")
	m.await(`document.querySelector("#members li").innerText.includes("Nora")`)
	m.write("#add-user", "user_2LocalAda0000000000000000000")
	m.pick("#add-role", "org:guest")
	m.click("#add-do")
	m.see("#settings-notice", "Ada Lovelace is a member now, as org:guest")
	m.click(`#members [data-email="ada@acme.example"] [data-key^="remove"]`)
	m.click(`#members [data-email="ada@acme.example"] .sure`)
	m.see("#settings-notice", "Ada Lovelace is a member no more")
	m.see("#members-count", "2 ")
	m.click("#panel-members .switch")
	m.see("#members", "left")

	m.tab("profile")
	m.click("#leave")
	m.write("#confirm-name", "Norakraft")
	m.click("#confirm-do")
	m.see("#confirm-outcome", "LAST_ADMIN")
	m.click("#confirm-cancel")
	m.write("#profile-name", "Nora<i>werk</i>")
	m.click("#profile-save")
	m.see("#settings-notice", "name: is not accepted")
	m.write("#profile-name", "Norawerk")
	m.write("#profile-slug", "norawerk")
	m.click("#profile-save")
	m.see("#settings-notice", "It is Norawerk (norawerk) now")
	m.see("#settings-title", "Norawerk")
	m.see(`.organization:has(:checked)`, "Norawerk")

	m.tab("roles")
	m.see(`#roles [data-role="org:admin"]`, "org:sys_profile:delete")
	browsertest.FullScreenshot(t, m.ctx, "manage-roles")
	const hostile = `<img src=x onerror=document.title=1>`
	p.ask(p.token("nora", "norawerk"), `mutation($title: String!) { createDocument(input: {title: $title, content: ""}) { document { id } } }`, variables{"title": hostile})
	m.tab("audit")
	m.see("#audit-count", "13 entries")
	for _, action := range []string{"organization.create", "organization.update", "invitation.create", "invitation.revoke", "member.update_role", "member.add", "member.remove", "member.leave"} {
		m.see(fmt.Sprintf(`#audit [data-action=%q]`, action), "Nora Noether")
	}
	m.see(`#audit [data-action="member.leave"]`, "refused")
	m.see(`#audit [data-action="document.create"]`, hostile)
	m.await(`!document.querySelector("#audit img")`)
	browsertest.FullScreenshot(t, m.ctx, "manage-audit")
	m.pick("#audit-action", "member.add")
	m.see("#audit-count", "1 ")

	m.tab("profile")
	m.click("#delete")
	m.write("#confirm-name", "Norakraft")
	m.await(`document.querySelector("#confirm-do").disabled`)
	m.write("#confirm-name", "Norawerk")
	m.click("#confirm-do")
	m.see("#confirm-outcome", "REVERIFICATION")
	browsertest.Screenshot(t, m.ctx, "manage-reverification")
	m.await(`document.activeElement.id === "confirm-prove"`)
	m.see("#settings-title", "Norawerk")
	m.click("#confirm-prove")
	m.see("#settings-notice", "Norawerk is deleted")
	m.see("#settings-title", "No active organization")
	m.see("#memberships", "You belong to no organization yet")
	if after := p.ask(p.token("ada", "acme"), others, nil).Body; after != before {
		t.Errorf("Acme was\n%s\nand is\n%s", before, after)
	}
}

// What the viewer may not do is not offered, and nothing of another organization is left when somebody changes over.
func TestPageOffersWhatTheViewerMay(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	p.control(http.MethodPatch, "users", variables{"user": "ada", "locked": true})
	m := manage(t, p, "max", "acme")
	m.see("#members-count", "2 ")
	m.see("#members", "ada@acme.example · locked")
	const layoutShift = `new Promise((resolve) => { let sum = 0; new PerformanceObserver((list) => list.getEntries().forEach((e) => { sum += e.value; }))
		.observe({ type: "layout-shift", buffered: true }); setTimeout(() => resolve(sum), 200); })`
	if moved, err := chromedp.Run(m.ctx, chromedp.Evaluate[float64](layoutShift, chromedp.EvalAwaitPromise)); err != nil || moved > 0.1 {
		t.Errorf("the page moved by %.3f while it was loaded: %v", moved, err)
	}
	if offered := m.shown("#members"); strings.Contains(offered, "Remove") || strings.Contains(offered, "Yes") {
		t.Errorf("Max is offered:\n%s", offered)
	}
	m.await(`!document.querySelector("#members select") && document.querySelector("#add-do").matches(":disabled")`)
	m.tab("invitations")
	m.see("#settings-missing", "org:sys_memberships:manage")
	m.tab("audit")
	m.see("#settings-missing", "org:audit_log:read")
	m.tab("profile")
	m.see("#delete-hint", "org:sys_profile:delete")
	m.await(`document.querySelector("#delete").disabled && document.querySelector("#profile-save").matches(":disabled")`)
	// Every text that is ever shown to Gus is kept.
	m.do(chromedp.Evaluate[chromedp.Void](`(() => { window.everSeen = []; new MutationObserver(() => {
			if (document.querySelector("[name=person]:checked").value === "gus") everSeen.push(document.querySelector("#members").innerText);
		}).observe(document.querySelector("#settings"), { childList: true, subtree: true, characterData: true }); })()`))
	m.tab("members")
	m.see("#members", "Max Planck")
	m.as("gus", "globex")
	m.see("#settings-title", "Globex")
	m.see("#members", "gus@globex.example")
	m.await(`everSeen.length > 0 && everSeen.every((text) => !text.includes("Max"))`)
	browsertest.FullScreenshot(t, m.ctx, "manage-globex")
	for _, width := range []int64{1280, 390, 320} {
		for _, scheme := range []browsertest.Scheme{browsertest.Light, browsertest.Dark} {
			m.do(browsertest.Look(width, 844, scheme))
			for _, tab := range []string{"members", "invitations", "audit", "roles", "profile"} {
				m.tab(tab)
				m.await(`document.querySelector("#settings").getAttribute("aria-busy") === "false"`)
				browsertest.FullScreenshot(t, m.ctx, fmt.Sprintf("manage-%s-%s-%d", tab, scheme, width))
				m.await(fmt.Sprintf("document.documentElement.scrollWidth <= %d", width))
				if pale, err := browsertest.PaleTexts(m.ctx); err != nil || len(pale) > 0 {
					t.Errorf("%s, %s, %d: hard to read: %q %v", tab, scheme, width, pale, err)
				}
				m.await(`[...document.querySelectorAll("#settings .card")].every((card) => [...card.querySelectorAll(":not([role=tab])")].every((e) =>
					!e.checkVisibility() || e.getBoundingClientRect().right <= card.getBoundingClientRect().right))`)
			}
		}
	}
	m.await(`[...document.querySelectorAll("#settings :is(input, select, button)")].every((e) =>
		(e.ariaLabel || (e.tagName === "BUTTON" ? e.innerText || e.textContent : [...(e.labels ?? [])].map((l) => l.textContent).join(""))).trim())`)
}

// Who is removed elsewhere loses sight of the members, and is told why.
func TestPageOfAMemberWhoIsRemoved(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	m := manage(t, p, "max", "acme")
	m.see("#members", "ada@acme.example")
	p.control(http.MethodDelete, "memberships", variables{"organization": "acme", "user": "max"})
	m.see("#settings-nothing", "membership")
	m.await(`document.querySelector("#settings-active").hidden && !document.querySelector("#members li")`)
	p.control(http.MethodPost, "memberships", variables{"organization": "acme", "user": "max", "role": "org:member"})
	m.see("#members", "ada@acme.example")
}

// A list comes in pages, stays as long as it was read when something changes, and the keyboard is enough.
func TestPageReadsListsInPages(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	for i := range 3 {
		var people []string
		for j := range 10 {
			people = append(people, fmt.Sprintf(`{email: "person%d%d@example.com", role: "org:member"}`, i, j))
		}
		invite := fmt.Sprintf(`mutation { inviteMembers(input: {invitations: [%s]}) { results { code } } }`, strings.Join(people, ","))
		if got := p.ask(p.token("ada", "acme"), invite, nil); got.Code() != "" || got.At("inviteMembers", "results", 9, "code") != nil {
			t.Fatalf("inviting: %s", got)
		}
	}
	m := manage(t, p, "ada", "acme")
	m.see("#settings-title", "Acme")
	m.do(chromedp.Focus(chromedp.CSS("#tab-members")), chromedp.KeyEvent(kb.ArrowRight))
	m.await(`document.activeElement.id === "tab-invitations" && document.activeElement.ariaSelected === "true"`)
	m.see("#invitations-count", "25 of 30 invitations")
	m.await(`document.querySelectorAll("#invitations li").length === 25`)
	m.click("#invitations-more")
	m.see("#invitations-count", "30 invitations")
	m.await(`document.querySelector("#invitations-more").hidden && document.querySelectorAll("#invitations li").length === 30`)
	m.click(`[data-email="person00@example.com"] [data-key^="revoke"]`)
	m.await(`document.activeElement.innerText === "Keep"`)
	m.click(`[data-email="person00@example.com"] .sure`)
	m.see("#invitations-count", "29 invitations")
	m.await(`document.querySelectorAll("#invitations li").length === 29`)

	// Another organization of the same person, from the keyboard.
	m.do(chromedp.Focus(chromedp.CSS(`#memberships [data-slug="globex"] button`)), chromedp.KeyEvent(kb.Enter))
	m.see("#settings-title", "Globex")
	m.see("#settings-missing", "org:sys_memberships:manage")
	if left := m.shown("#settings"); strings.Contains(left, "@example.com") {
		t.Errorf("Acme's invitations are shown in Globex:\n%s", left)
	}
	m.tab("profile")
	m.do(chromedp.Focus(chromedp.CSS("#leave")), chromedp.KeyEvent(kb.Enter))
	m.await(`document.querySelector("#confirm").open && document.activeElement.id === "confirm-name"`)
	m.do(chromedp.KeyEvent(kb.Escape))
	m.await(`!document.querySelector("#confirm").open && document.activeElement.id === "leave"`)
	m.do(chromedp.KeyEvent(kb.Enter))
	m.await(`document.querySelector("#confirm").open`)
	m.do(chromedp.KeyEvent("Globex"), chromedp.KeyEvent(kb.Enter))
	m.see("#settings-notice", "You have left Globex")
	m.await(`!document.querySelector('#memberships [data-slug="globex"]')`)
}
