package main

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/gqltest"
)

// TestManagementStoryUnderFaults plays the story with a Clerk whose answers are lost, late, limited or broken, and a client
// that does what the manual of errors says: no change is made twice, none is reported as failed that was made, and the copy
// is as Clerk is. make prove does all of it at length, with many seeds.
func TestManagementStoryUnderFaults(t *testing.T) {
	t.Parallel()
	long := os.Getenv("TENANTRY_PROVE") != ""
	plans := plansOfTrouble(long, proved(1, 12))
	names := make(chan string, len(plans))
	names <- string(slow) // it takes the longest
	for _, name := range slices.Sorted(maps.Keys(plans)) {
		if name != string(slow) {
			names <- name
		}
	}
	close(names)
	var mu sync.Mutex
	events := map[string]string{}
	var programs sync.WaitGroup
	for range proved(2, 4) {
		clerk := newTroubledClerk(t)
		p := start(t, dbtest.Dir(t), behindClerk+"="+clerk.url)
		programs.Go(func() {
			for name := range names {
				t.Run(name, func(t *testing.T) {
					own := *p
					own.t = t
					s := &faultyStory{program: &own, clerk: clerk, patient: long, lasting: 6}
					s.before = s.eventsNow()
					clerk.begin(plans[name])
					s.play()
					told := s.newEvents()
					mu.Lock()
					defer mu.Unlock()
					events[name] = told
				})
			}
		})
	}
	programs.Wait()
	for name, told := range events {
		if told != events[string(none)] {
			t.Errorf("%s: Clerk's events are\n%s\nand without trouble\n%s", name, told, events[string(none)])
		}
	}
}

// plansOfTrouble are the troubles one by one, and mixed by seeds. What is lost before it was done, or limited for long, takes
// its time, so the short form has only some of it.
func plansOfTrouble(long bool, seeds int) map[string]plan {
	always := func(int) bool { return true }
	odd := func(number int) bool { return number%2 == 0 }
	plans := map[string]plan{}
	for _, kind := range []trouble{none, cut, slow, failed, webpage} {
		plans[string(kind)] = steady{kind, always}
	}
	plans[string(limited)] = steady{limited, odd}
	mixed := []trouble{cut, limited, failed, failedBefore, webpage, failedPage, gateway}
	if long {
		for _, kind := range []trouble{failedPage, gateway} {
			plans[string(kind)] = steady{kind, always}
		}
		for _, kind := range []trouble{cutBefore, limitedLong, failedBefore, gatewayBefore} {
			plans[string(kind)] = steady{kind, odd}
		}
		mixed = append(mixed, cutBefore, slow, limitedLong, gatewayBefore)
	}
	for seed := range seeds {
		plans[fmt.Sprint("seed ", seed)] = newDice(seed, mixed)
	}
	return plans
}

// faultyStory is the story of one organization, told to a client that reads the manual.
type faultyStory struct {
	*program
	clerk   *troubledClerk
	before  map[string]int
	patient bool
	// lasting is how many tries of one change the trouble lasts.
	lasting  int
	unknown  int
	repeated int
}

// eventsNow counts the events of each type that Clerk has told of.
func (s *faultyStory) eventsNow() map[string]int {
	s.t.Helper()
	rows, err := s.owner().Query(s.t.Context(), "SELECT type, count(*) FROM clerk.inbox GROUP BY type")
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	counts := map[string]int{}
	for rows.Next() {
		var kind string
		var count int
		if err := rows.Scan(&kind, &count); err != nil {
			s.t.Fatal(err)
		}
		counts[kind] = count
	}
	return counts
}

func (s *faultyStory) newEvents() string {
	s.t.Helper()
	now := s.eventsNow()
	for kind, count := range s.before {
		if now[kind] -= count; now[kind] == 0 {
			delete(now, kind)
		}
	}
	return fmt.Sprint(now)
}

// do has a change made as the manual says: what is unavailable is tried again when it says so, and what is unknown is
// looked for and tried again only where it has not happened. What else came is returned.
func (s *faultyStory) do(user, organization, mutation string, happened func() bool) gqltest.Answer {
	s.t.Helper()
	defer s.trouble(true)
	for tries := range 20 {
		s.trouble(tries < s.lasting)
		before := s.clerk.changes()
		got := s.ask(s.token(user, organization), mutation, nil)
		made := s.clerk.changes() - before
		switch got.Code() {
		case "":
			return got
		case "UNKNOWN_OUTCOME", "UNAVAILABLE":
			s.unknown++
			time.Sleep(2 * time.Second)
			if happened() {
				return got
			}
		case "UPSTREAM_UNAVAILABLE":
			s.failedFor(mutation, made, got)
			seconds, _ := got.Errors[0].Extensions["retryAfter"].(float64)
			if seconds < 1 {
				s.t.Errorf("%s: to be tried again after %v", mutation, seconds)
			}
			time.Sleep(time.Duration(seconds) * time.Second)
		default:
			s.failedFor(mutation, made, got)
			return got
		}
		s.repeated++
	}
	s.t.Fatalf("%s: never done", mutation)
	return gqltest.Answer{}
}

// trouble begins or ends, where there is any.
func (s *faultyStory) trouble(on bool) { s.clerk.set(func() { s.clerk.calm = !on }) }

func (s *faultyStory) failedFor(what string, made int, told any) {
	s.t.Helper()
	if made > 0 {
		s.t.Errorf("%s: reported as failed, and Clerk did it: %s", what, told)
	}
}

// see is a query whose answer has a place for everything.
func (s *faultyStory) see(user, organization, query string, path ...any) any {
	s.t.Helper()
	got := s.ask(s.token(user, organization), query, nil)
	if got.Code() != "" {
		s.t.Errorf("%s: %s", query, got)
	}
	return got.At(path...)
}

const kraft = "norakraft"

// memberRole is the role of a member by what of them is searched for, nil where there is none.
func (s *faultyStory) memberRole(search string) any {
	s.t.Helper()
	return s.see("nora", kraft, fmt.Sprintf(`{ organization { members(search: %q) { nodes { role } } } }`, search), "organization", "members", "nodes", 0, "role")
}

func (s *faultyStory) memberID(search string) any {
	s.t.Helper()
	return s.see("nora", kraft, fmt.Sprintf(`{ organization { members(search: %q) { nodes { id } } } }`, search), "organization", "members", "nodes", 0, "id")
}

// listed tells whether Nora belongs to her organization.
func (s *faultyStory) listed() bool {
	s.t.Helper()
	return strings.Contains(fmt.Sprint(s.see("nora", "", `{ viewer { memberships { nodes { organization { slug } } } } }`, "viewer")), kraft)
}

// invite invites people by address and role, each again as long as the manual says so.
func (s *faultyStory) invite(people map[string]string) {
	s.t.Helper()
	defer s.trouble(true)
	for tries := range 20 {
		var input []string
		for _, email := range slices.Sorted(maps.Keys(people)) {
			input = append(input, fmt.Sprintf("{email: %q, role: %q}", email, people[email]))
		}
		s.trouble(tries < s.lasting)
		got := s.ask(s.token("nora", kraft), `mutation { inviteMembers(input: {invitations: [`+strings.Join(input, ", ")+`]}) { results { email invitation { id } code } } }`, nil)
		switch got.Code() {
		case "":
		case "UNAVAILABLE": // each may have been made
			s.unknown++
			time.Sleep(2 * time.Second)
			maps.DeleteFunc(people, func(email, _ string) bool { return s.invited(email) })
		default:
			s.t.Fatalf("inviting: %s", got)
		}
		results, _ := got.At("inviteMembers", "results").([]any)
		for _, r := range results {
			result := r.(map[string]any)
			email, code := result["email"].(string), result["code"]
			switch code {
			case nil, "INVALID_EMAIL":
				if (code != nil) != (email == "nonsense") {
					s.t.Errorf("%s: %v", email, code)
				}
				delete(people, email)
			case "UNKNOWN_OUTCOME":
				s.unknown++
				time.Sleep(2 * time.Second)
				if s.invited(email) {
					delete(people, email)
				}
			case "UPSTREAM_UNAVAILABLE":
				s.failedFor("inviting "+email, s.clerk.invitations(email), got)
				time.Sleep(time.Second)
			default:
				s.t.Errorf("inviting %s: %s", email, got)
				delete(people, email)
			}
		}
		if len(people) == 0 {
			return
		}
		s.repeated++
	}
	s.t.Fatalf("%v are never invited", people)
}

func (s *faultyStory) invited(email string) bool {
	s.t.Helper()
	return strings.Contains(fmt.Sprint(s.see("nora", kraft, `{ organization { invitations { nodes { email } } } }`, "organization")), email)
}

// invitations is how many Clerk made for an address.
func (c *troubledClerk) invitations(email string) (made int) {
	c.set(func() {
		for name, times := range c.did {
			if strings.Contains(name, email) {
				made += times
			}
		}
	})
	return made
}

const othersSeen = `{ organization { name members(first: 10) { nodes { id name role } totalCount } invitations { totalCount } auditLog { totalCount } documents { totalCount } } }`

func (s *faultyStory) others() [2]string {
	return [2]string{s.ask(s.token("ada", "acme"), othersSeen, nil).Body, s.ask(s.token("gus", "globex"), othersSeen, nil).Body}
}

// play is TestManagementStory.
func (s *faultyStory) play() {
	s.t.Helper()
	others := s.others()
	created := s.do("nora", "", `mutation { createOrganization(input: {name: "Norakraft"}) { organization { id slug } } }`, s.listed)
	if created.Code() == "" && created.At("createOrganization", "organization", "slug") != kraft || !s.listed() {
		s.t.Fatalf("creating: %s", created)
	}
	s.invite(map[string]string{"max@acme.example": "org:member", "gus@globex.example": "org:admin", "nonsense": "org:member"})
	s.control(http.MethodPost, "invitations/accept", variables{"organization": kraft, "user": "max"})
	s.eventually("Max is a member", func() bool { return s.memberRole("planck") == "org:member" })
	s.done("promoting Max", s.do("nora", kraft, fmt.Sprintf(`mutation { updateMemberRole(input: {memberId: %q, role: "org:admin"}) { member { role } } }`, s.memberID("planck")),
		func() bool { return s.memberRole("planck") == "org:admin" }))
	if role := s.memberRole("planck"); role != "org:admin" {
		s.t.Errorf("Max is %v", role)
	}
	const leave = `mutation { leaveOrganization(input: {}) { leftOrganizationId } }`
	s.done("Max leaves", s.do("max", kraft, leave, func() bool { return s.memberRole("planck") == nil }))
	if role := s.memberRole("planck"); role != nil {
		s.t.Errorf("Max, who left, is %v", role)
	}
	s.lastAdmin(leave)
	s.likeClerk()
	s.audited()
	s.done("deleting", s.do("nora", kraft, `mutation { deleteOrganization(input: {}) { deletedOrganizationId } }`, func() bool { return !s.listed() }))
	if s.listed() {
		s.t.Error("the organization that was deleted is listed")
	}
	s.likeClerk()
	if now := s.others(); now != others {
		s.t.Errorf("the other organizations were\n%s\nand are\n%s", others, now)
	}
	s.clerk.set(func() {
		for what, times := range s.clerk.did {
			if times != 1 {
				s.t.Errorf("Clerk did this %d times: %s", times, what)
			}
		}
		s.clerk.calm = true
		if s.clerk.total != 6 {
			s.t.Errorf("Clerk made %d changes: %v", s.clerk.total, s.clerk.did)
		}
		s.t.Logf("met %v; %d outcomes unknown, %d tried again", s.clerk.met, s.unknown, s.repeated)
	})
}

// done is where a change was made, or found to be after its outcome was unknown.
func (s *faultyStory) done(what string, got gqltest.Answer) {
	s.t.Helper()
	if code := got.Code(); code != "" && code != "UNKNOWN_OUTCOME" && code != "UNAVAILABLE" {
		s.t.Errorf("%s: %s", what, got)
	}
}

// lastAdmin tries what Clerk refuses. A refusal that is lost takes as long as a change has, so only the long form has it.
func (s *faultyStory) lastAdmin(leave string) {
	s.t.Helper()
	lasting := s.lasting
	if s.lasting = 0; s.patient {
		s.lasting = 1
	}
	demote := fmt.Sprintf(`mutation { updateMemberRole(input: {memberId: %q, role: "org:member"}) { member { role } } }`, s.memberID("noether"))
	for _, alone := range []string{leave, demote} {
		got := s.do("nora", kraft, alone, func() bool { return false })
		if got.Code() != "CONFLICT" || got.Errors[0].Extensions["reason"] != "LAST_ADMIN" {
			s.t.Errorf("the last admin: %s", got)
		}
	}
	s.lasting = lasting
}

// likeClerk holds the copy against Clerk, as soon as Clerk has told all.
func (s *faultyStory) likeClerk() {
	s.t.Helper()
	var said string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		code, found, stderr := s.compare("verify")
		if code == 0 {
			return
		}
		said = fmt.Sprintf("exit %d, %+v, %s", code, found, stderr)
	}
	s.t.Errorf("the copy is not as Clerk is: %s", said)
}

// audited holds the audit log against what Clerk did: whatever it did is told as applied or, at times, as unknown.
func (s *faultyStory) audited() {
	s.t.Helper()
	nodes, _ := s.see("nora", kraft, `{ organization { auditLog(first: 100) { nodes { action outcome } } } }`, "organization", "auditLog", "nodes").([]any)
	told := map[string]int{}
	for _, n := range nodes {
		entry := n.(map[string]any)
		told[fmt.Sprint(entry["action"], " ", entry["outcome"])]++
	}
	for action, times := range map[string]int{"organization.create": 1, "member.update_role": 1, "member.leave": 1} {
		applied, unknown := told[action+" APPLIED"], told[action+" UNKNOWN"]
		// Who makes an organization and does not hear of it is told nothing of which it could be the log.
		if applied > times || applied+unknown < times && (action != "organization.create" || s.unknown == 0) {
			s.t.Errorf("the audit log tells %v of %s", told, action)
		}
	}
}
