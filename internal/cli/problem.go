package cli

import (
	"fmt"
	"strings"
)

// Problem is one setting that is missing or wrong. Text never contains the setting's value: it may be a secret, or a
// secret that was pasted into the wrong variable.
type Problem struct {
	Variable string
	Text     string
}

// SettingsError lists everything that is wrong with the flags and variables at once, so that one attempt is enough to
// mend them all.
type SettingsError struct {
	Problems []Problem
}

// Error gives one line for one problem, else a heading and one line for each.
func (e *SettingsError) Error() string {
	if len(e.Problems) == 1 {
		return e.Problems[0].Variable + " " + e.Problems[0].Text
	}
	lines := []string{fmt.Sprintf("%d settings are missing or wrong:", len(e.Problems))}
	for _, p := range e.Problems {
		lines = append(lines, "  "+p.Variable+" "+p.Text)
	}
	return strings.Join(lines, "\n")
}

// problems collects Problems, one for each variable: the first found is the one to mend first.
type problems struct {
	list []Problem
}

func (p *problems) add(variable, text string) {
	if !p.has(variable) {
		p.list = append(p.list, Problem{Variable: variable, Text: text})
	}
}

func (p *problems) has(variable string) bool {
	for _, known := range p.list {
		if known.Variable == variable {
			return true
		}
	}
	return false
}

// err returns a *SettingsError, or nil when nothing was added.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return &SettingsError{Problems: p.list}
}
