package newtype

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Write writes everything or, where something fails, nothing.
func (p *Plan) Write() error {
	texts, err := p.texts()
	if err != nil {
		return err
	}
	return replace(p.folder, texts)
}

// texts are the files as they will be.
func (p *Plan) texts() (map[string]string, error) {
	texts := map[string]string{}
	for _, change := range p.Changes {
		old, known := texts[change.Path]
		if !known && !change.New() {
			read, err := os.ReadFile(filepath.Join(p.folder, change.Path))
			if err != nil {
				return nil, err
			}
			old = string(read)
		}
		text, err := change.apply(old)
		if err != nil {
			return nil, err
		}
		texts[change.Path] = text
	}
	return texts, nil
}

// replace writes files. Where one cannot be written, those before it become what they were.
func replace(folder string, texts map[string]string) (err error) {
	var undo []func() error
	defer func() {
		if err == nil {
			return
		}
		for i := range undo {
			err = errors.Join(err, undo[len(undo)-1-i]())
		}
	}()
	for path, text := range texts {
		full := filepath.Join(folder, path)
		old, readErr := os.ReadFile(full)
		mode := os.FileMode(0o644)
		if info, statErr := os.Stat(full); statErr == nil {
			mode = info.Mode().Perm()
		}
		switch {
		case readErr == nil:
			undo = append(undo, func() error { return os.WriteFile(full, old, mode) })
		case errors.Is(readErr, os.ErrNotExist):
			undo = append(undo, func() error { return os.RemoveAll(full) })
		default:
			return readErr
		}
		if err := os.WriteFile(full, []byte(text), mode); err != nil {
			return err
		}
	}
	return nil
}

// Describe writes for people what belongs where; whole adds the lines themselves.
func (p *Plan) Describe(w io.Writer, whole bool) {
	total := 0
	for _, change := range p.Changes {
		total += change.Lines()
		what := "added to"
		if change.New() {
			what = "new     "
		}
		fmt.Fprintf(w, "  %s  %-44s %4d lines\n", what, change.Path, change.Lines())
		if whole {
			fmt.Fprintf(w, "%s\n", change.Text)
		}
	}
	fmt.Fprintf(w, "  %d lines in all\n", total)
}

var moduleLine = regexp.MustCompile(`(?m)^module (\S+)$`)

// Module is the module of a checkout of this project. It returns an error where the folder is none.
func Module(folder string) (string, error) {
	text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	found := moduleLine.FindSubmatch(text)
	if err != nil || found == nil {
		return "", errors.New("there is no go.mod here: go to the root of your checkout of this project")
	}
	for _, path := range []string{"schema.graphqls", "gqlgen.yml", "roles.yml", "graph/nouns.go", "internal/dbtest/nouns.go", "store/migrations"} {
		if _, err := os.Stat(filepath.Join(folder, path)); err != nil {
			return "", fmt.Errorf("this is no checkout of this project: %s is missing", path)
		}
	}
	return strings.TrimSpace(string(found[1])), nil
}

// Next says what is left to people.
func (p *Plan) Next() string {
	return fmt.Sprintf(`Next:
  go test ./models ./store ./graph   the type's own tests are among these
  go test . -run TestTypes           what is missing for its isolation, after you have edited it
  go run . roles push                brings org:%s:... to your Clerk, where you use a real one
`, p.noun.Feature())
}
