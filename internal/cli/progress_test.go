package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// told is what is said of a comparison of some lists, each step of which takes 2 s.
func told(t *testing.T, p *progress) string {
	t.Helper()
	var out bytes.Buffer
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	p.out, p.now = &out, func() time.Time { return now }
	for _, step := range []struct {
		kind        string
		done, total int
	}{
		{"organizations", 0, 0},
		{"organizations", 2, 2},
		{"users", 500, 0}, // gone on with
		{"users", 1000, 0},
		{"users", 1500, 0},
		{"users", 2000, 0},
		{"memberships", 0, 0},
		{"memberships", 500, 2000},
		{"memberships", 1000, 2000},
		{"memberships", 1500, 2000},
		{"asking memberships", 1, 4},
		{"asking memberships", 2, 4},
	} {
		p.progress(step.kind, step.done, step.total)
		now = now.Add(2 * time.Second)
	}
	p.waiting("memberships", 2, time.Minute)
	p.progress("asking memberships", 3, 2)
	p.end()
	p.end()
	fmt.Fprintln(p, "a line of the log")
	return out.String()
}

func TestProgressAsLines(t *testing.T) {
	t.Parallel()
	const want = `organizations: 2 in 4s
users: 2000
users: 2000 in 8s
memberships: 1500 of 2000
memberships: 1500 of 2000 in 8s
memberships not listed: 2 of 4 in 4s
memberships: 2 seem to be deleted; waiting for 1m0s before Clerk is asked again, until 12:01:24
memberships not listed: 3 in 0s
a line of the log
`
	if got := told(t, &progress{}); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestProgressForPrograms(t *testing.T) {
	t.Parallel()
	if got := told(t, &progress{silent: true}); got != "a line of the log\n" {
		t.Errorf("got\n%s", got)
	}
}

// screen is what a terminal shows in the end: a carriage return goes back, what is written then covers what was there.
func screen(text string) string {
	var shown []string
	for _, line := range strings.Split(text, "\n") {
		var cells []rune
		for _, part := range strings.Split(line, "\r") {
			for i, r := range []rune(part) {
				if i < len(cells) {
					cells[i] = r
				} else {
					cells = append(cells, r)
				}
			}
		}
		shown = append(shown, strings.TrimRight(string(cells), " "))
	}
	return strings.Join(shown, "\n")
}

func TestProgressAsBars(t *testing.T) {
	t.Parallel()
	got := told(t, &progress{terminal: true})
	for _, want := range []string{"users from 500", "memberships", "75% |", "(0/2000", "/4,", "rows/"} {
		if !strings.Contains(got, want) {
			t.Errorf("the bars never show %q:\n%q", want, got)
		}
	}
	if strings.Contains(got, "(2000/-") || !strings.Contains(got, "(1500/-") {
		t.Errorf("what was done before is counted:\n%q", got)
	}
	const want = `organizations: 2 in 4s
users: 2000 in 8s
memberships: 1500 of 2000 in 8s
memberships not listed: 2 of 4 in 4s
memberships: 2 seem to be deleted; waiting for 1m0s before Clerk is asked again, until 12:01:24
memberships not listed: 3 in 0s
a line of the log
`
	if left := screen(got); left != want {
		t.Errorf("on the screen is left\n%s", left)
	}
}
