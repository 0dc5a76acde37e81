package newtype

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
	"time"
)

//go:embed templates/*.tmpl
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"pad": func(text string, width int) string { return fmt.Sprintf("%-*s", width, text) },
}).ParseFS(files, "templates/*.tmpl"))

// Change is a new file, or lines that are added to one.
type Change struct {
	Path string
	// Below are the lines under which Text stands, "" for a new file; atEnd is the end of a file.
	Below string
	Text  string
}

const atEnd = "\x00end"

// New says that the change makes its file.
func (c Change) New() bool { return c.Below == "" }

// Lines is how many lines it brings.
func (c Change) Lines() int { return strings.Count(c.Text, "\n") }

// Plan is everything that a type needs in a folder.
type Plan struct {
	folder  string
	noun    noun
	Changes []Change
}

// MakePlan says what a type needs in a checkout. It writes nothing. It returns an error, for people, where the name is no
// name or is taken, or where the folder is no checkout of this project.
func MakePlan(folder string, o Options) (*Plan, error) {
	module, err := Module(folder)
	if err != nil {
		return nil, err
	}
	if o.Now, err = freeNumber(folder, o.Now); err != nil {
		return nil, err
	}
	n, err := parse(o, module)
	if err != nil {
		return nil, err
	}
	if err := n.free(folder); err != nil {
		return nil, err
	}
	plan := &Plan{folder: folder, noun: n}
	for _, part := range []struct{ path, below, template string }{
		{n.Migration, "", "migration.sql"},
		{"models/" + n.File + ".go", "", "model.go"},
		{"store/" + n.File + ".go", "", "store.go"},
		{"graph/" + n.File + ".go", "", "graph.go"},
		{"graph/nouns.go", "var nodeKinds = kindsOf(\n", "kind.go"},
		{"schema.graphqls", atEnd, "schema.graphqls"},
		{"gqlgen.yml", "  Organization:\n    fields:\n", "organization.yml"},
		{"gqlgen.yml", atEnd, "gqlgen.yml"},
		{"roles.yml", "permissions:\n", "permissions.yml"},
		{"roles.yml", memberPermissions, "member.yml"},
		{"internal/dbtest/nouns.go", "var Factories = map[string]Factory{\n", "factory.go"},
		{"models/" + n.File + "_test.go", "", "model_test.go"},
		{"store/" + n.File + "_test.go", "", "store_test.go"},
		{"graph/" + n.File + "_test.go", "", "graph_test.go"},
	} {
		if part.template == "model_test.go" && !n.HasLimits() {
			continue // nothing can be wrong
		}
		change, err := n.change(folder, part.path, part.below, part.template)
		if err != nil {
			return nil, err
		}
		plan.Changes = append(plan.Changes, change)
	}
	return plan, nil
}

// freeNumber returns the first second from now on that numbers no migration: the tool that runs them refuses two of the
// same number.
func freeNumber(folder string, now time.Time) (time.Time, error) {
	for ; ; now = now.Add(time.Second) {
		taken, err := filepath.Glob(filepath.Join(folder, migrations, numberOf(now)+"_*.sql"))
		if err != nil || len(taken) == 0 {
			return now, err
		}
	}
}

// memberPermissions stands for the lines down to the permissions of the role org:member.
const memberPermissions = "\x00member"

var memberForm = regexp.MustCompile(`(?m)^  org:member:\n(?:    .*\n)*?    permissions:\n`)

func (n noun) change(folder, path, below, name string) (Change, error) {
	var text bytes.Buffer
	if err := templates.ExecuteTemplate(&text, name+".tmpl", n); err != nil {
		return Change{}, err
	}
	change := Change{Path: path, Below: below, Text: text.String()}
	if change.New() {
		if _, err := os.Lstat(filepath.Join(folder, path)); err == nil {
			return Change{}, fmt.Errorf("%s is there already: nothing was written", path)
		}
		if strings.HasSuffix(path, ".go") {
			formatted, err := format.Source(text.Bytes())
			if err != nil {
				return Change{}, fmt.Errorf("%s: %w", path, err)
			}
			change.Text = string(formatted)
		}
		return change, nil
	}
	old, err := os.ReadFile(filepath.Join(folder, path))
	if err != nil {
		return Change{}, err
	}
	if below == memberPermissions {
		change.Below = memberForm.FindString(string(old))
		if change.Below == "" {
			return Change{}, errors.New("roles.yml has no role org:member with a list of permissions: nothing was written")
		}
	}
	_, err = change.apply(string(old))
	return change, err
}

// apply is a file with the change.
func (c Change) apply(old string) (string, error) {
	switch {
	case c.New():
		return c.Text, nil
	case c.Below == atEnd:
		return strings.TrimRight(old, "\n") + "\n" + c.Text, nil
	}
	// Whole lines, the first of the file among them.
	if strings.Count("\n"+old, "\n"+c.Below) != 1 {
		return "", fmt.Errorf("%s does not have these lines once, under which something belongs; see docs/adding-a-type.md:\n%s", c.Path, c.Below)
	}
	before, after, _ := strings.Cut("\n"+old, "\n"+c.Below)
	return strings.TrimPrefix(before+"\n"+c.Below+c.Text+after, "\n"), nil
}
