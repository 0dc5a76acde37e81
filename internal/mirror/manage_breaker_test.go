package mirror

import (
	"testing"
	"time"
)

// Step by step: closed, broken, one let through for each pause, and whole again with the first answer.
func TestBreaker(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := newBreaker(func() time.Time { return now })
	want := func(what string, want time.Duration) {
		t.Helper()
		if got := b.refuses(); got != want {
			t.Errorf("%s: refuses for %s, want %s", what, got, want)
		}
	}
	fail := func(times int) {
		for range times {
			b.heard(clerkFailed)
		}
	}
	fail(breakAfter - 1)
	want("one failure less", 0)
	b.heard(clerkAnswered)
	fail(breakAfter - 1)
	want("failures with an answer between", 0)
	fail(1)
	want("as many failures in a row", breakFor)
	now = now.Add(breakFor - time.Second)
	want("a second before the end of the pause", time.Second)
	now = now.Add(time.Second)
	want("the first after the pause", 0)
	want("the second after the pause", breakFor)
	now = now.Add(breakFor)
	want("the first after the next pause", 0)
	fail(1)
	want("after it failed, too", breakFor)
	now = now.Add(breakFor)
	want("once more", 0)
	b.heard(clerkAnswered)
	want("after it was answered", 0)
	want("and whole again", 0)
	fail(breakAfter)
	b.heard(undecided)
	want("after one that was under way has shown nothing", breakFor)
	now = now.Add(breakFor)
	want("the first after the pause, again", 0)
	b.heard(undecided)
	want("the second, as the first has shown nothing", 0)
	want("the third", breakFor)
	b.heard(clerkAnswered)
	fail(breakAfter - 1)
	want("one failure less, again", 0)
}
