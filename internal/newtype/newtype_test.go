package newtype

import (
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var december = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

// ofTests has the name of a type that no app has in place of Note, with its first letter and its length, on which the text depends. An app may have a Note, and
// its tests still pass.
var ofTests = strings.NewReplacer("Note", "Nook", "note", "nook")

func nook() Options {
	return Options{Name: "Nook", Fields: []string{"title:string", "body:text"}, Now: december}
}

// scratch is a copy of this repository, as git has it.
func scratch(t *testing.T) string {
	t.Helper()
	root, folder := "../..", t.TempDir()
	tracked, err := git(t.Context(), root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.SplitSeq(strings.TrimRight(tracked, "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, path))
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(folder, path)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, path), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// tree is every file of a folder, but for git's own.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if entry != nil && entry.Name() == ".git" {
				return filepath.SkipDir
			}
			return err
		}
		text, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, folder+"/")] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// changed are the files that differ, with their text afterwards.
func changed(before, after map[string]string) map[string]string {
	differ := map[string]string{}
	for path, text := range after {
		if old, known := before[path]; !known || old != text {
			differ[path] = text
		}
	}
	return differ
}

func plan(t *testing.T, folder string, o Options) *Plan {
	t.Helper()
	p, err := MakePlan(folder, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var (
	makeFile  = regexp.MustCompile("^Make `(.+)`:$")
	endOfFile = regexp.MustCompile("^At the end of `(.+)`, add:$")
	belowThat = regexp.MustCompile("^In `(.+)`, below$")
)

// follow does what the steps of the page say, word for word, and returns how many it did and the commands that it ends with.
func follow(t *testing.T, folder, page string) (steps int, commands []string) {
	t.Helper()
	var path, below, said string
	lines := strings.SplitAfter(page, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSuffix(lines[i], "\n")
		if language, fenced := strings.CutPrefix(line, "```"); fenced {
			var block strings.Builder
			for i++; lines[i] != "```\n"; i++ {
				block.WriteString(lines[i])
			}
			switch {
			case said == "below":
				below, said = block.String(), ""
				continue
			case path == "" && language == "sh" && commands == nil:
				commands = strings.Split(strings.TrimSpace(block.String()), "\n")
			case path != "":
				full := filepath.Join(folder, path)
				old, err := os.ReadFile(full)
				if said == "make" != os.IsNotExist(err) {
					t.Fatalf("%s: %s, %v", path, said, err)
				}
				text := string(old) + block.String()
				if below != "" {
					if strings.Count("\n"+string(old), "\n"+below) != 1 {
						t.Fatalf("%s does not have once:\n%s", path, below)
					}
					text = strings.TrimPrefix(strings.Replace("\n"+string(old), "\n"+below, "\n"+below+block.String(), 1), "\n")
				}
				if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				steps++
			}
			path, below, said = "", "", ""
			continue
		}
		for verb, form := range map[string]*regexp.Regexp{"make": makeFile, "end": endOfFile, "below": belowThat} {
			if found := form.FindStringSubmatch(line); found != nil {
				path, said = found[1], verb
			}
		}
	}
	return steps, commands
}

// The page, followed word for word but for the type's name, makes the same tree as the command, to the byte.
func TestByHandAndByCommand(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/adding-a-type.md")
	if err != nil {
		t.Fatal(err)
	}
	byHand, byCommand := scratch(t), scratch(t)
	before := tree(t, byHand)
	p := plan(t, byCommand, nook())
	if err := p.Write(); err != nil {
		t.Fatal(err)
	}
	done, commands := follow(t, byHand, ofTests.Replace(string(page)))
	if done != len(p.Changes) || len(commands) != len(steps) {
		t.Errorf("the page has %d steps and the commands %q; the command makes %d changes", done, commands, len(p.Changes))
	}
	for i, step := range steps {
		if want := strings.TrimSpace(step.variable + " " + step.command); i < len(commands) && commands[i] != want {
			t.Errorf("the page says %q, the command runs %q", commands[i], want)
		}
	}
	want := changed(before, tree(t, byCommand))
	if diff := cmp.Diff(want, changed(before, tree(t, byHand))); diff != "" {
		t.Errorf("docs/adding-a-type.md is not what the command writes (-command +page)\n%s", diff)
	}
	if len(want) != 12 {
		t.Errorf("%d files", len(want))
	}
	if os.Getenv("TENANTRY_PROVE_TYPES") != "" {
		prove(t, byCommand, byHand)
	}
}

// What is written is Go, formatted, for every kind of field and the odd name.
func TestEveryKindOfField(t *testing.T) {
	t.Parallel()
	folder := scratch(t)
	for _, o := range []Options{
		{Name: "NookItem", Fields: []string{"label:string", "detail:text?", "count:int", "paid:bool", "dueAt:datetime?", "hint:string?"}, Now: december},
		{Name: "Ivory", Fields: []string{"siteUrl:string?", "rank:int?", "open:bool?", "day:datetime"}, Now: december},
		{Name: "Ox", Plural: "Oxen", Fields: []string{"age:int"}, Now: december},
	} {
		p := plan(t, folder, o)
		texts, err := p.texts()
		if err != nil {
			t.Fatal(err)
		}
		for path, text := range texts {
			if !strings.HasSuffix(path, ".go") {
				continue
			}
			if formatted, err := format.Source([]byte(text)); err != nil || string(formatted) != text {
				t.Errorf("%s of %s is not formatted, %v\n%s", path, o.Name, err, text)
			}
		}
		all := strings.Builder{}
		p.Describe(&all, true)
		for _, want := range map[string][]string{
			"NookItem": {"CREATE TABLE nook_items (", `const KindNookItem Kind = "nookitem"`, `"nook_item.create"`, "nookItems(", "org:nook_items:read"},
			"Ivory":    {"CREATE TABLE ivories (", "SiteURL *string", "site_url", "An ivory that belongs", `return "ivories"`},
			"Ox":       {"CREATE TABLE oxen (", `return "oxen"`, "oxen(", "CountOxen("},
		}[o.Name] {
			if !strings.Contains(all.String(), want) {
				t.Errorf("%s is written without %q", o.Name, want)
			}
		}
	}
}

// Types that are added within one second have migrations of different numbers.
func TestMigrationNumbers(t *testing.T) {
	t.Parallel()
	folder := scratch(t)
	var numbers []string
	for _, name := range []string{"Nook", "Ivory", "Thyme"} {
		p := plan(t, folder, Options{Name: name, Fields: []string{"title:string"}, Now: december})
		if err := p.Write(); err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, filepath.Base(p.noun.Migration))
	}
	want := []string{"20261201120000_nooks.sql", "20261201120001_ivories.sql", "20261201120002_thymes.sql"}
	if diff := cmp.Diff(want, numbers); diff != "" {
		t.Error(diff)
	}
}

// What cannot be is said, and nothing is written.
func TestRefused(t *testing.T) {
	t.Parallel()
	folder := scratch(t)
	before := tree(t, folder)
	if err := os.WriteFile(filepath.Join(folder, "graph/there.go"), []byte("package graph\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	before["graph/there.go"] = "package graph\n"
	if err := os.WriteFile(filepath.Join(folder, "store/tried_test.go"), []byte("package store_test\n\nfunc TestTriedPages() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	before["store/tried_test.go"] = "package store_test\n\nfunc TestTriedPages() {}\n"
	for name, test := range map[string]struct {
		name, plural string
		fields       []string
		want         string
	}{
		"small letter":     {"note", "", []string{"a:int"}, "cannot be a type: write letters alone"},
		"path":             {"../Note", "", []string{"a:int"}, "cannot be a type"},
		"existing type":    {"Document", "", []string{"a:int"}, "schema.graphqls has Document already"},
		"existing list":    {"Role", "", []string{"a:int"}, "schema.graphqls has Role already"},
		"existing Go type": {"Page", "", []string{"a:int"}, "cannot be a type"},
		"existing test":    {"Tried", "", []string{"a:int"}, "store has TestTriedPages already"},
		"Go keyword":       {"Range", "", []string{"a:int"}, "a word of Go"},
		"SQL word":         {"Lunch", "Table", []string{"a:int"}, "of SQL"},
		"file":             {"There", "", []string{"a:int"}, "graph/there.go is there already"},
		"no plural":        {"Sheep", "Sheep", []string{"a:int"}, "needs a plural of its own"},
		"initialism":       {"Url", "", []string{"a:int"}, "in capitals"},
		"no field":         {"Note", "", nil, "at least one field"},
		"no kind":          {"Note", "", []string{"title"}, "is no field: write name:kind"},
		"unknown kind":     {"Note", "", []string{"title:float"}, "is no field: write name:kind"},
		"own field":        {"Note", "", []string{"authorId:string"}, "every type's own"},
		"field SQL keeps":  {"Note", "", []string{"order:int"}, "a word of SQL"},
		"field twice":      {"Note", "", []string{"a:int", "a:text"}, "there twice"},
		"statement":        {"Note", "", []string{"a; DROP TABLE x:int"}, "is no field"},
	} {
		_, err := MakePlan(folder, Options{Name: test.name, Plural: test.plural, Fields: test.fields, Now: december})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	if _, err := MakePlan(t.TempDir(), nook()); err == nil || !strings.Contains(err.Error(), "no go.mod here") {
		t.Errorf("in an empty folder: %v", err)
	}
	if diff := changed(before, tree(t, folder)); len(diff) != 0 {
		t.Errorf("changed %d files", len(diff))
	}
	// One file that cannot be written, and none is.
	p := plan(t, folder, nook())
	p.Changes = append(p.Changes, Change{Path: "README.md/x", Text: "x"})
	if err := p.Write(); err == nil {
		t.Error("a file in a file was written")
	}
	if diff := cmp.Diff(before, tree(t, folder)); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
}

func TestRename(t *testing.T) {
	t.Parallel()
	folder := scratch(t)
	run := func(arguments ...string) {
		t.Helper()
		command := exec.Command("git", append([]string{"-c", "user.name=n", "-c", "user.email=n@example.com"}, arguments...)...)
		command.Dir = folder
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v %s", arguments, err, output)
		}
	}
	run("init", "-q")
	run("add", "-A")
	if _, err := Rename(t.Context(), folder, "example.com/acme/backend", false); err == nil || !strings.Contains(err.Error(), "the tree has changes") {
		t.Errorf("a dirty tree: %v", err)
	}
	run("commit", "-qm", "all")
	old, err := Module(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"", "Acme", "github.com/", "github.com/acme/back end", "/x", "github.com/acme/backend/v2", old, "github.com/acme/../x", "-flag"} {
		if _, err := Rename(t.Context(), folder, wrong, false); err == nil {
			t.Errorf("%q is taken for a module path", wrong)
		}
	}
	const module = "example.com/acme/backend"
	renamed, err := Rename(t.Context(), folder, module, false)
	if err != nil || renamed.From != old || renamed.Files < 100 {
		t.Fatalf("%+v %v", renamed, err)
	}
	for path, text := range tree(t, folder) {
		if strings.Contains(text, old+"/") || strings.Contains(text, old+"\n") {
			t.Errorf("%s still has %s", path, old)
		}
		if strings.HasSuffix(path, ".go") && strings.Contains(text, module) {
			if formatted, err := format.Source([]byte(text)); err != nil || string(formatted) != text {
				t.Errorf("%s is not formatted, %v", path, err)
			}
		}
	}
	if now, err := Module(folder); now != module || err != nil {
		t.Errorf("the module is %s, %v", now, err)
	}
	if os.Getenv("TENANTRY_PROVE_TYPES") != "" {
		goes(t, folder, "go build ./...")
	}
}
