package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/local/clerk"
)

const (
	// mostAnswer is the default of TENANTRY_MAX_ANSWER, and mostMemory what the program may take under attack, in MB.
	mostAnswer = 8 << 20
	mostMemory = 400
	// mostDelay is the 95th percentile that another organization keeps under attack.
	mostDelay = 250 * time.Millisecond
)

// No single request stops, empties or outlives the server. Each attack is made against the built program; make
// prove-service makes them longer and holds the times, too.
func TestServiceUnderAttack(t *testing.T) {
	needsProc(t)
	binary := buildProgram(t)
	for _, attack := range []struct {
		name string
		run  func(t *testing.T, binary string)
	}{
		{"content bomb", contentBomb},
		{"count storm", countStorm},
		{"neighbour", neighbour},
		{"breaker storm", breakerStorm},
	} {
		t.Run(attack.name, func(t *testing.T) { attack.run(t, binary) })
	}
}

// aliased repeats a selection under aliases that begin with a prefix; %d in it is the number, in hexadecimal digits.
func aliased(prefix string, n int, selection string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " %s%d: %s", prefix, i, strings.ReplaceAll(selection, "%d", strconv.FormatInt(int64(i), 16)))
	}
	return b.String()
}

// bombs are documents of control characters asked for as often as one request allows, and once as often as it did not
// forbid before.
var bombs = map[string]string{
	"300 aliases of content":   `{ organization { documents(first: 100) { nodes {` + aliased("a", 300, "content") + ` } } } }`,
	"30 aliases of content":    `{ organization { documents(first: 100) { nodes {` + aliased("a", 30, "content") + ` } } } }`,
	"30 aliases of documents":  `{ organization {` + aliased("a", 30, "documents(first: 100) { nodes { content } }") + ` } }`,
	"nodes and edges, aliased": `{ organization {` + aliased("a", 15, "documents(first: 100) { nodes { content } edges { node { content } } }") + ` } }`,
}

// Answers are limited, and so is the memory that is used before one is refused, for one request and for eight at once.
func contentBomb(t *testing.T, binary string) {
	for name, query := range bombs {
		t.Run(name, func(t *testing.T) {
			s := startService(t, binary, controlCharacters(100))
			token := s.freshTokens("max", "acme")
			quiet := s.peak()
			one := s.must(token(), query)
			afterOne := s.peak()
			var all tally
			var wait sync.WaitGroup
			for range 8 {
				wait.Go(func() { all.add(s.post(token(), query)) })
			}
			wait.Wait()
			t.Logf("one: %d %s, %d bytes, %s, %d MB at most (%d MB before); eight at once: %s, %d MB at most",
				one.status, one.code, one.bytes, one.took.Round(time.Millisecond), afterOne, quiet, &all, s.peak())
			if one.bytes > mostAnswer {
				t.Errorf("an answer of %d bytes", one.bytes)
			}
			if one.code == "" || bytes.Contains(one.body, []byte(`"data":{`)) {
				t.Errorf("the bomb was answered: %d, %d bytes", one.status, one.bytes)
			}
			if peak := s.peak(); peak > mostMemory {
				t.Errorf("%d MB of memory, more than %d", peak, mostMemory)
			}
			if got := s.must(token(), `{ viewer { user { name } } }`); got.code != "" {
				t.Errorf("afterwards: %d %s", got.status, got.body)
			}
		})
	}
}

// storms are the dearest operations that were found, of what one request allows, and the one that was allowed before.
var storms = map[string]string{
	"484 searches, by fragments": `{` + aliased("a", 22, `organization { ...Searches }`) + ` }
		fragment Searches on Organization {` + aliased("a", 22, `members(search: "%d") { totalCount }`) + ` }`,
	"30 searches": `{ organization {` + aliased("a", 30, `members(search: "%d") { totalCount }`) + ` } }`,
	"everything": `{ organization {` +
		aliased("a", 10, `members(first: 100, search: "a") { totalCount nodes { id name role } }`) +
		aliased("b", 10, `members(first: 100, orderBy: NAME_DESC) { totalCount nodes { name } }`) +
		aliased("c", 10, `documents(first: 100) { totalCount nodes { title author { name role } } }`) + ` } }`,
	"searches in a list": `{ nodes(ids: [` + strings.Repeat(`"`+clerk.SeededAcme+`" `, 100) + `]) { ... on Organization {` +
		aliased("a", 30, `members(first: 1, search: "%d") { totalCount }`) + ` } } }`,
	"pages of long documents": `{ organization {` + aliased("a", 4, `documents(first: 100) { totalCount nodes { title author { name } } }`) + ` } }`,
}

const smallPage = `{ organization { documents(first: 10) { nodes { id title author { name } } } } }`

// One request costs a bounded number of statements and of time.
func countStorm(t *testing.T, binary string) {
	s := startService(t, binary, manyColleagues(20_000), manyDocuments(20_000), "ANALYZE")
	token := s.freshTokens("max", "acme")
	s.must(token(), smallPage)
	for name, query := range storms {
		got := s.must(token(), query)
		t.Logf("%s: %d %s in %s, %d bytes", name, got.status, got.code, got.took.Round(time.Millisecond), got.bytes)
	}
	if got := s.must(token(), storms["484 searches, by fragments"]); got.code != "QUERY_TOO_COMPLEX" {
		t.Errorf("484 searches in a request: %d %s", got.status, got.code)
	}
	if got := s.must(token(), `{ organization { members { totalCount totalCountIsCapped } } }`); !bytes.Contains(got.body, []byte(`{"totalCount":10000,"totalCountIsCapped":true}`)) {
		t.Errorf("the count of 20,000 members: %s", got.body)
	}
}

// While one organization sends the dearest operations that it can from six connections, another one pages on, and the
// server stays ready.
func neighbour(t *testing.T, binary string) {
	documents, lasting := 20_000, 2*time.Second
	if proving {
		documents, lasting = 1_000_000, 20*time.Second
	}
	s := startService(t, binary, manyColleagues(20_000), manyDocuments(documents), controlCharacters(100), "ANALYZE")
	attacker, other := s.freshTokens("max", "acme"), s.freshTokens("gus", "globex")
	s.must(attacker(), smallPage)
	s.must(other(), smallPage)
	quiet := s.besides(lasting/4, other, attacker, "")
	t.Logf("alone: %s", &quiet.pages)
	for name, query := range storms {
		seen := s.besides(lasting, other, attacker, query)
		t.Logf("%s: attack %s; other organization %s; readyz %v", name, &seen.attacks, &seen.pages, seen.ready.codes)
		if !seen.pages.only("200 ") {
			t.Errorf("%s: another organization was refused: %s", name, &seen.pages)
		}
		if !seen.ready.only("200 ") {
			t.Errorf("%s: /readyz said no: %s", name, &seen.ready)
		}
		if p95 := seen.pages.quantile(0.95); proving && p95 > mostDelay {
			t.Errorf("%s: p95 of another organization is %s", name, p95)
		}
	}
	seen := s.besides(lasting, other, attacker, bombs["30 aliases of content"])
	t.Logf("content: attack %s; other organization %s; readyz %v", &seen.attacks, &seen.pages, seen.ready.codes)
	if p95 := seen.pages.quantile(0.95); proving && p95 > mostDelay {
		t.Errorf("content: p95 of another organization is %s", p95)
	}
	if !seen.pages.only("200 ") || !seen.ready.only("200 ") {
		t.Errorf("content: %s, readyz %s", &seen.pages, &seen.ready)
	}
}

// besides is what was seen while an attack went on.
type besides struct{ attacks, pages, ready tally }

// besides attacks from six connections with a query, none if it is empty, while another organization asks for small pages,
// one after the other, and /readyz is asked.
func (s *service) besides(lasting time.Duration, other, attacker func() string, query string) *besides {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), lasting)
	defer cancel()
	seen := &besides{}
	var wait sync.WaitGroup
	for range 6 {
		wait.Go(func() {
			for query != "" && ctx.Err() == nil {
				seen.attacks.add(s.post(attacker(), query))
			}
		})
	}
	wait.Go(func() {
		for ctx.Err() == nil {
			seen.pages.add(s.post(other(), smallPage))
		}
	})
	wait.Go(func() {
		for ctx.Err() == nil {
			began := time.Now()
			response, err := s.client.Get(s.url + "/readyz")
			if err == nil {
				response.Body.Close()
				seen.ready.add(reply{status: response.StatusCode, took: time.Since(began)}, nil)
			} else {
				seen.ready.add(reply{}, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	wait.Wait()
	return seen
}

// A burst of one user's changes in Clerk uses up that user's time, and nobody else's: other changes go on as soon as Clerk
// takes them again.
func breakerStorm(t *testing.T, binary string) {
	s := startService(t, binary)
	create := func(n int) string {
		return `mutation {` + aliased("a", n, `createOrganization(input: {name: "Storm %d"}) { organization { id } }`) + ` }`
	}
	if got := s.must(s.token("nora", ""), create(50)); got.code != "QUERY_TOO_COMPLEX" {
		t.Errorf("50 mutations in a request: %d %s after %s", got.status, got.code, got.took.Round(time.Millisecond))
	}
	nora, gus := s.freshTokens("nora", ""), s.freshTokens("gus", "globex")
	began := time.Now()
	var storm, renamed tally
	var wait sync.WaitGroup
	for range 5 {
		wait.Go(func() { storm.add(s.post(nora(), create(10))) })
	}
	wait.Wait()
	var back time.Duration
	for n := 0; back == 0 && time.Since(began) < time.Minute; n++ {
		r, err := s.post(gus(), fmt.Sprintf(`mutation { updateOrganization(input: {name: "Globex %d"}) { organization { name } } }`, n))
		renamed.add(r, err)
		if err == nil && r.code == "" {
			back = time.Since(began)
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("storm of 50: %s; another organization's change: %s, done %s after the storm began", &storm, &renamed, back.Round(10*time.Millisecond))
	if limit := 12 * time.Second; back == 0 || back > limit {
		t.Errorf("another organization's change took until %s after the storm began", back)
	}
}
