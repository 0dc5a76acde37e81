package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is one line of `go test -json`, see `go doc test2json`. ImportPath is there instead of Package in the output
// of a build.
type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string // "": the package as a whole
	Output      string
	FailedBuild string
}

// name is where an event belongs.
func (e event) name() string {
	switch {
	case e.ImportPath != "":
		return e.ImportPath
	case e.Test != "":
		return e.Package + "." + e.Test
	}
	return e.Package
}

// count is what a stream of events comes to.
type count struct {
	output                  map[string][]string
	running                 map[string]string // tests that began and have not ended, with their package
	passed, failed, skipped []string
	brokenPackages          []event         // failed as a whole
	badTests                map[string]bool // packages with a failed test
}

func newCount() *count {
	return &count{output: map[string][]string{}, running: map[string]string{}, badTests: map[string]bool{}}
}

// read takes in every event. Returns an error for a line that is none: then something else was printed, and a count
// would be a guess.
func (c *count) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(strings.TrimSpace(string(line))) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				return fmt.Errorf("not an event of go test -json: %q", strings.TrimSpace(string(line)))
			}
			c.add(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (c *count) add(e event) {
	switch e.Action {
	case "output", "build-output":
		c.output[e.name()] = append(c.output[e.name()], e.Output)
		return
	case "run":
		c.running[e.name()] = e.Package
		return
	case "pass", "fail", "skip":
	default:
		return
	}
	delete(c.running, e.name())
	switch {
	case e.Test == "":
		// A skipped package has no tests; a failed one either has failed tests or could not run.
		if e.Action == "fail" {
			c.brokenPackages = append(c.brokenPackages, e)
		}
	case e.Action == "pass":
		c.passed = append(c.passed, e.name())
	case e.Action == "skip":
		c.skipped = append(c.skipped, e.name())
	default:
		c.failed = append(c.failed, e.name())
		c.badTests[e.Package] = true
	}
}

// report prints what failed and what was skipped, and last the line with the numbers.
func (c *count) report(w io.Writer, allowed []string) bool {
	for name, of := range c.running { // its package ended before it did: a panic, or a deadline
		c.failed = append(c.failed, name)
		c.badTests[of] = true
	}
	slices.Sort(c.failed)
	for _, name := range c.failed {
		c.show(w, "FAILED", name)
	}
	failed := len(c.failed)
	for _, e := range c.brokenPackages {
		if !c.badTests[e.Package] {
			failed++
		}
		c.show(w, "FAILED", e.FailedBuild)
		c.show(w, "FAILED", e.name())
	}
	refused := 0
	for _, name := range c.skipped {
		if slices.Contains(allowed, name) {
			fmt.Fprintf(w, "skipped, as allowed: %s\n", name)
			continue
		}
		refused++
		c.show(w, "SKIPPED", name)
	}
	ran := len(c.passed) + failed
	if ran == 0 {
		fmt.Fprintln(w, "no test ran")
	}
	fmt.Fprintf(w, "%d passed, %d failed, %d skipped\n", len(c.passed), failed, len(c.skipped))
	return ran > 0 && failed == 0 && refused == 0
}

// show prints what a test or a package printed, once.
func (c *count) show(w io.Writer, what, name string) {
	if name == "" {
		return
	}
	fmt.Fprintf(w, "%s %s\n%s", what, name, strings.Join(c.output[name], ""))
	delete(c.output, name)
}
