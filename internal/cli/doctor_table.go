package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/mirror"
)

// The columns of the table of findings, and how wide they are.
var (
	findingColumns = []string{"ASSUMPTION", "LOOKED AT", "RESULT", "WHAT TENANTRY DOES"}
	findingWidths  = []int{34, 30, 34, 40}
)

// writeFindings writes a table whose cells are broken into lines, and how many of each result there are.
func writeFindings(w io.Writer, findings []mirror.Finding) error {
	var table strings.Builder
	writeRow(&table, findingColumns)
	counts := map[mirror.FindingResult]int{}
	for _, f := range findings {
		counts[f.Result]++
		result := string(f.Result)
		if f.Result == mirror.DoesNotHold && f.Dangerous {
			result = strings.ToUpper(result)
		}
		writeRow(&table, []string{f.Assumption, f.LookedAt, result + ": " + f.Reason, f.Tenantry})
	}
	fmt.Fprintf(&table, "%d hold, %d do not hold, %d not checked\n",
		counts[mirror.Holds], counts[mirror.DoesNotHold], counts[mirror.NotChecked])
	_, err := io.WriteString(w, table.String())
	return err
}

// writeRow writes the cells beside each other and an empty line below them.
func writeRow(table *strings.Builder, cells []string) {
	lines := make([][]string, len(cells))
	height := 0
	for i, cell := range cells {
		lines[i] = wrap(printable(cell), findingWidths[i])
		height = max(height, len(lines[i]))
	}
	for y := range height {
		var line strings.Builder
		for i := range cells {
			part := ""
			if y < len(lines[i]) {
				part = lines[i][y]
			}
			line.WriteString(part)
			line.WriteString(strings.Repeat(" ", max(0, findingWidths[i]-utf8.RuneCountInString(part))+2))
		}
		table.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	table.WriteString("\n")
}

// wrap breaks a text at its spaces into lines of at most that many characters; a longer word is broken where the line ends.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
		for utf8.RuneCountInString(line) > width {
			runes := []rune(line)
			lines = append(lines, string(runes[:width]))
			line = string(slices.Clone(runes[width:]))
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
