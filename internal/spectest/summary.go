package spectest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Tally counts the exchanges of one operation.
type Tally struct {
	// Requests were sent, and held against the specification but for those that are Wrong on purpose.
	Requests, Wrong int
	// Answers were held against the specification; StandIns are not to be as Clerk's, and of the rest none came whole.
	Answers, StandIns int
}

// Summary is what a record comes to.
type Summary struct {
	// Operations are by the specification's names.
	Operations map[string]*Tally
	// Problems are those found, each once.
	Problems []string
}

func (s *Summary) add(operation string, x Exchange, problems []string) {
	tally := s.Operations[operation]
	if tally == nil {
		tally = new(Tally)
		s.Operations[operation] = tally
	}
	tally.Requests++
	switch {
	case x.checked():
		tally.Answers++
	case x.Answer != nil:
		tally.StandIns++
	}
	if x.wrong() {
		tally.Wrong++
	}
	s.Problems = append(s.Problems, problems...)
}

// String is a line for the whole and one for each operation, and the first problems.
func (s *Summary) String() string {
	var lines []string
	var all Tally
	for _, name := range slices.Sorted(maps.Keys(s.Operations)) {
		t := s.Operations[name]
		lines = append(lines, fmt.Sprintf("specification: %-42s %s\n", name, t))
		all.Requests, all.Wrong = all.Requests+t.Requests, all.Wrong+t.Wrong
		all.Answers, all.StandIns = all.Answers+t.Answers, all.StandIns+t.StandIns
	}
	lines = append(lines, fmt.Sprintf("specification: %d operations, %s; %d problems\n", len(s.Operations), &all, len(s.Problems)))
	for i, problem := range s.Problems {
		if i == 20 {
			lines = append(lines, "and more\n")
			break
		}
		lines = append(lines, "NOT VALID: "+problem+"\n")
	}
	return strings.Join(lines, "")
}

func (t *Tally) String() string {
	return fmt.Sprintf("requests %d (wrong on purpose %d), answers %d, of stand-ins %d, none %d",
		t.Requests, t.Wrong, t.Answers, t.StandIns, t.Requests-t.Answers-t.StandIns)
}
