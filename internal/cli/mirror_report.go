package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/tenantry/tenantry/internal/mirror"
)

// reportJSON is a report for programs.
type reportJSON struct {
	mirror.Report
	Drift   int     `json:"drift"`
	Refused int     `json:"refused"`
	Seconds float64 `json:"seconds"`
}

func writeReportJSON(w io.Writer, r mirror.Report) error {
	return writeJSON(w, reportJSON{Report: r, Drift: r.Drift(), Refused: r.Refused(), Seconds: float64(r.Took.Milliseconds()) / 1000})
}

// writeReport is a report for people: a line for each kind, and one about all.
func writeReport(w io.Writer, r mirror.Report, changes bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	heading := fmt.Sprintf("%-13s", "KIND") + "\tLISTED\tMISSING\tDIFFERING\tEXTRA\t"
	if changes {
		heading += "CHANGED\tENDED\t"
	}
	fmt.Fprintln(table, heading+"REFUSED\tUNREADABLE\t")
	for _, name := range r.Names() {
		k := r.Kinds[name]
		fmt.Fprintf(table, "%-13s\t%d\t%d\t%d\t%d\t", name, k.Listed, k.Missing, k.Differing, k.Extra)
		if changes {
			fmt.Fprintf(table, "%d\t%d\t", k.Changed, k.Tombstoned)
		}
		fmt.Fprintf(table, "%d\t%d\t\n", k.Refused, k.Unreadable)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, summary(r, changes))
	return err
}

func summary(r mirror.Report, changes bool) string {
	text := "the copy is as Clerk is"
	switch drift := r.Drift(); {
	case drift > 0 && changes:
		text = counted(drift, "row was", "rows were") + " not as Clerk has them"
		if refused := r.Refused(); refused > 0 {
			text += fmt.Sprintf(", %d of them left alone", refused)
		}
	case drift > 0:
		text = counted(drift, "row is", "rows are") + " not as Clerk has them"
	}
	text += fmt.Sprintf("; %.1f s", r.Took.Seconds())
	if r.Resumed {
		text += ", gone on with after it was cut off"
	}
	unreadable := 0
	for _, k := range r.Kinds {
		unreadable += k.Unreadable
	}
	if unreadable > 0 {
		text += fmt.Sprintf("\n%d of Clerk's entries could not be read or merged, and nothing is known of how they are here", unreadable)
	}
	return text
}

func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// verdict is the error that a comparison ends with: that the copy differs, or that something was left alone.
func (what comparison) verdict(r mirror.Report) error {
	var lines []string
	if !what.changes && r.Drift() > 0 {
		lines = append(lines, "the copy differs from Clerk: `tenantry mirror repair` mends it")
	}
	for _, name := range r.Names() {
		refused := r.Kinds[name].Refused
		switch {
		case refused == 0:
		case name == mirror.KindMembers:
			lines = append(lines, fmt.Sprintf("%d of the members never had a membership in the copy; they are left alone, look at them "+
				"in public.members", refused))
		case what.changes:
			lines = append(lines, fmt.Sprintf("%d of the %s are not in Clerk's lists, too many to be likely deletions: none of them was "+
				"ended. If they are gone, `tenantry mirror %s --allow-mass-deletion` ends them", refused, name, what.name))
		default:
			lines = append(lines, fmt.Sprintf("%d of the %s are not in Clerk's lists, too many to be likely deletions, and were not asked for "+
				"one by one: only with --allow-mass-deletion repair would end them", refused, name))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}
