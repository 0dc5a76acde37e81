package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/tenantry/tenantry/store"
)

// examinationJSON is what was found in a database, for programs.
type examinationJSON struct {
	Dangerous bool          `json:"dangerous"`
	Checks    []checkedJSON `json:"checks"`
}

type checkedJSON struct {
	store.Checked
	Result string `json:"result"` // ok, warning or danger
}

func writeExaminationJSON(w io.Writer, found store.Examination) error {
	written := examinationJSON{Dangerous: found.Dangerous()}
	for _, checked := range found {
		if checked.Violations == nil {
			checked.Violations = []store.Violation{}
		}
		written.Checks = append(written.Checks, checkedJSON{checked, checked.Result()})
	}
	return writeJSON(w, written)
}

// writeExamination writes a line for each check, below it what it found, and at the end the SQL that mends all of it.
func writeExamination(w io.Writer, found store.Examination) error {
	var table strings.Builder
	counts := map[string]int{}
	var mends []string
	fmt.Fprintf(&table, "%-20s%-9s%s\n", "CHECK", "RESULT", "WHAT HOLDS, OR WHAT WAS FOUND")
	for _, checked := range found {
		result := checked.Result()
		counts[result]++
		writeChecked(&table, checked.Name, marked(result), checked)
		for _, violation := range checked.Violations {
			mends = append(mends, fmt.Sprintf("-- %s: %s\n%s\n", checked.Name, printable(violation.Where), violation.Mend))
		}
	}
	fmt.Fprintf(&table, "\n%d ok, %s, %s\n", counts["ok"], counted(counts["warning"], "warning", "warnings"), counted(counts["danger"], "danger", "dangers"))
	if mends != nil {
		table.WriteString("\nThis mends it, run in this order as the owner of the database:\n\n" + strings.Join(mends, ""))
	}
	_, err := io.WriteString(w, table.String())
	return err
}

const examinationWidth = 100

func writeChecked(table *strings.Builder, name, result string, checked store.Checked) {
	var lines []string
	for _, violation := range checked.Violations {
		lines = append(lines, wrap(printable(violation.Where+" "+violation.What), examinationWidth)...)
	}
	if len(checked.Violations) == 0 {
		lines = wrap(printable(cmp.Or(checked.NotLookedAt, checked.Holds)), examinationWidth)
	}
	for i, line := range lines {
		if i > 0 {
			name, result = "", ""
		}
		fmt.Fprintf(table, "%-20s%-9s%s\n", name, result, line)
	}
}

// marked lets what was found stand out.
func marked(result string) string {
	if result == "ok" {
		return result
	}
	return strings.ToUpper(result)
}
