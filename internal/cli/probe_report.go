package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/probe"
)

// probeOutcome is an attack for people and programs.
type probeOutcome struct {
	url    string
	report probe.Report
	// untried are what the attack kept from, each a sentence with its reason.
	untried []string
	took    time.Duration
}

// probeJSON is an attack for programs.
type probeJSON struct {
	URL     string   `json:"url"`
	Good    bool     `json:"good"`
	Summary string   `json:"summary"`
	Seconds float64  `json:"seconds"`
	Untried []string `json:"untried"`
	probe.Report
}

func (o probeOutcome) json() probeJSON {
	return probeJSON{
		URL: o.url, Good: o.report.Good(), Summary: o.report.String(), Seconds: o.took.Seconds(),
		Untried: append([]string{}, o.untried...), Report: o.report,
	}
}

// write ends with the summary.
func (o probeOutcome) write(w io.Writer) error {
	var text strings.Builder
	r := o.report
	fmt.Fprintf(&text, "%s: seed %d, %d operations, %d fields answered, %d answers compared, in %s\n",
		o.url, r.Seed, r.Operations, r.Probes, r.Pairs, o.took.Round(100*time.Millisecond))
	section := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		fmt.Fprintf(&text, "%s:\n", title)
		for _, line := range lines {
			fmt.Fprintf(&text, "  %s\n", printable(line))
		}
	}
	section("not tried", o.untried)
	section("out of reach, with the reason", excusedLines(r))
	section("not reached", missedLines(r))
	for _, f := range r.Findings {
		fmt.Fprintf(&text, "%s at %s: %s\n  operation: %s\n", f.What, cmp.Or(f.Position, "no position"), printableLines(f.Detail), printable(f.Operation))
		if f.Variables != "" && f.Variables != "{}" {
			fmt.Fprintf(&text, "  variables: %s\n", printable(f.Variables))
		}
	}
	if found := r.Leaks + r.Faults; found > len(r.Findings) {
		fmt.Fprintf(&text, "and %d more\n", found-len(r.Findings))
	}
	fmt.Fprintln(&text, r)
	_, err := io.WriteString(w, text.String())
	return err
}

func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

// excusedLines are the reasons, each once.
func excusedLines(r probe.Report) []string {
	of := map[string][]string{}
	for _, excused := range []map[string]string{r.Fields.Excused, r.Positions.Excused} {
		for _, name := range slices.Sorted(maps.Keys(excused)) {
			of[excused[name]] = append(of[excused[name]], name)
		}
	}
	var lines []string
	for _, reason := range slices.Sorted(maps.Keys(of)) {
		lines = append(lines, strings.Join(of[reason], ", ")+": "+reason)
	}
	return lines
}

// missedLines are the fields by type, those that a right was missing for apart, and the positions.
func missedLines(r probe.Report) []string {
	of := map[string][]string{}
	var lines []string
	for _, name := range r.Fields.Missed {
		if code := r.Denied[name]; code != "" {
			lines = append(lines, name+": "+code+", the tokens need the right")
			continue
		}
		typeName, field, _ := strings.Cut(name, ".")
		of[typeName] = append(of[typeName], field)
	}
	for _, typeName := range slices.Sorted(maps.Keys(of)) {
		lines = append(lines, typeName+": "+strings.Join(of[typeName], ", "))
	}
	for _, position := range r.Positions.Missed {
		lines = append(lines, position+" value was never given")
	}
	return lines
}
