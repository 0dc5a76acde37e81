package newtype

import (
	"context"
	"errors"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Renamed is what Rename did.
type Renamed struct {
	From          string
	Files, Places int
}

var (
	modulePath  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*\.[a-z]{2,}(/[A-Za-z0-9][A-Za-z0-9._~-]*)+$|^[a-z][a-z0-9._-]*$`)
	versionPath = regexp.MustCompile(`^v[0-9]+$`)
)

// Rename puts another module path in the place of the module's, in every text that git tracks. It returns an error, and
// changes nothing, where the path has not the form of one, and where the tree has changes, unless force.
func Rename(ctx context.Context, folder, module string, force bool) (Renamed, error) {
	old, err := Module(folder)
	switch {
	case err != nil:
		return Renamed{}, err
	case !modulePath.MatchString(module) || versionPath.MatchString(filepath.Base(module)):
		return Renamed{}, fmt.Errorf("%q is no module path: write one such as github.com/acme/backend, without a version", module)
	case module == old:
		return Renamed{}, fmt.Errorf("the module is %s already", old)
	}
	if changed, err := git(ctx, folder, "status", "--porcelain"); err != nil {
		return Renamed{}, err
	} else if changed != "" && !force {
		return Renamed{}, errors.New("the tree has changes: commit them, so that you see what is renamed, or give --force")
	}
	tracked, err := git(ctx, folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return Renamed{}, err
	}
	renamed := Renamed{From: old}
	texts := map[string]string{}
	whole := regexp.MustCompile(regexp.QuoteMeta(old) + `([^A-Za-z0-9_~-]|$)`)
	for path := range strings.SplitSeq(strings.TrimRight(tracked, "\x00"), "\x00") {
		info, err := os.Lstat(filepath.Join(folder, path))
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			return Renamed{}, err
		}
		places := len(whole.FindAllIndex(text, -1))
		if places == 0 || !utf8.Valid(text) {
			continue
		}
		changed := whole.ReplaceAll(text, []byte(module+"${1}"))
		if strings.HasSuffix(path, ".go") { // another path may stand elsewhere among the imports
			if changed, err = format.Source(changed); err != nil {
				return Renamed{}, fmt.Errorf("%s: %w", path, err)
			}
		}
		texts[path] = string(changed)
		renamed.Files, renamed.Places = renamed.Files+1, renamed.Places+places
	}
	return renamed, replace(folder, texts)
}

func git(ctx context.Context, folder string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, "git", arguments...)
	command.Dir = folder
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", arguments[0], err)
	}
	return string(output), nil
}
