package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/child"
)

// BinVariable names a folder with PostgreSQL's programs; no other is looked at then.
const BinVariable = "TENANTRY_POSTGRES_BIN"

// oldestMajor is the oldest version of PostgreSQL that is still maintained when this is written.
const oldestMajor = 14

// binaries is a folder with PostgreSQL's programs, all of one version.
type binaries struct {
	folder string
	major  int
}

func (b binaries) String() string { return fmt.Sprintf("%d in %s", b.major, b.folder) }

func (b binaries) program(name string) string { return filepath.Join(b.folder, name) }

// finder looks for PostgreSQL on this machine.
type finder struct {
	getenv func(string) string
	// globs are where packages put PostgreSQL's programs.
	globs []string
	fetch fetcher
}

func newFinder() *finder {
	return &finder{
		getenv: os.Getenv,
		globs: []string{
			"/usr/lib/postgresql/*/bin", // Debian, Ubuntu
			"/usr/pgsql-*/bin",          // PostgreSQL's packages for Red Hat
			"/opt/homebrew/opt/postgresql@*/bin",
			"/usr/local/opt/postgresql@*/bin",
			"/Applications/Postgres.app/Contents/Versions/*/bin",
		},
		fetch: newFetcher(),
	}
}

// find gives PostgreSQL's programs: those of the version that made the data, or without data the first that will do, or
// else downloaded ones. It returns a *NotFoundError or a *VersionError.
func (f *finder) find(ctx context.Context, progress io.Writer, at place) (binaries, error) {
	made, err := at.major()
	if err != nil {
		return binaries{}, err
	}
	var looked, others []string
	for folder := range f.folders(at.account) {
		found, err := inspect(ctx, folder, at.account)
		switch {
		case ctx.Err() != nil:
			return binaries{}, ctx.Err()
		case err != nil:
			looked = append(looked, fmt.Sprintf("%s: %v", folder, err))
		case made != 0 && found.major != made:
			others = append(others, found.String())
		default:
			return found, nil
		}
	}
	if len(others) > 0 {
		return binaries{}, &VersionError{DataDir: at.data, Made: made, Found: others}
	}
	if f.getenv(BinVariable) != "" {
		return binaries{}, &NotFoundError{Looked: looked}
	}
	folder, err := f.fetch.fetch(ctx, progress, at.account)
	if ctx.Err() != nil {
		return binaries{}, ctx.Err()
	}
	if err != nil {
		return binaries{}, &NotFoundError{Looked: looked, Fetch: err}
	}
	found, err := inspect(ctx, folder, at.account)
	if err != nil {
		return binaries{}, &NotFoundError{Looked: looked, Fetch: fmt.Errorf("the downloaded one does not run: %w", err)}
	}
	if made != 0 && found.major != made {
		return binaries{}, &VersionError{DataDir: at.data, Made: made, Found: []string{found.String()}}
	}
	return found, nil
}

// folders are those that may hold PostgreSQL's programs, the likelier first.
func (f *finder) folders(account child.Account) iter.Seq[string] {
	if folder := f.getenv(BinVariable); folder != "" {
		return slices.Values([]string{folder})
	}
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		next := func(folder string) bool {
			double := seen[folder]
			seen[folder] = true
			return double || yield(folder)
		}
		path := filepath.SplitList(f.getenv("PATH"))
		for _, folder := range path {
			// A link says little about its neighbours: initdb, postgres and what they read lie where it leads to.
			program, err := filepath.EvalSymlinks(filepath.Join(folder, "initdb"))
			if err == nil && filepath.IsAbs(program) && !next(filepath.Dir(program)) {
				return
			}
		}
		for _, folder := range path {
			config := filepath.Join(folder, "pg_config")
			if !filepath.IsAbs(config) || !isProgram(config) {
				continue
			}
			if line, err := exec.Command(config, "--bindir").Output(); err == nil && !next(strings.TrimSpace(string(line))) {
				return
			}
		}
		for _, folder := range f.packaged() {
			if !next(folder) {
				return
			}
		}
		if folder, ok := f.fetch.fetched(account); ok {
			next(folder)
		}
	}
}

// packaged are the folders of installed packages, the newest version first.
func (f *finder) packaged() []string {
	var folders []string
	for _, pattern := range f.globs {
		matches, _ := filepath.Glob(pattern)
		folders = append(folders, matches...)
	}
	slices.SortStableFunc(folders, func(a, b string) int { return cmp.Compare(majorInPath(b), majorInPath(a)) })
	return folders
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

var (
	versionInPath = regexp.MustCompile(`[0-9]+`)
	versionLine   = regexp.MustCompile(`\(PostgreSQL\) (([0-9]+)\S*)`)
)

func majorInPath(path string) int {
	numbers := versionInPath.FindAllString(path, -1)
	if len(numbers) == 0 {
		return 0
	}
	major, _ := strconv.Atoi(numbers[len(numbers)-1])
	return major
}

// inspect asks the programs in folder for their versions, as the account that will run them.
func inspect(ctx context.Context, folder string, account child.Account) (binaries, error) {
	found := binaries{folder: folder}
	var versions []string
	for _, name := range []string{"initdb", "postgres"} {
		command := exec.CommandContext(ctx, found.program(name), "--version")
		command.Dir = "/"
		account.Apply(command)
		line, err := command.Output()
		if errors.Is(err, fs.ErrNotExist) {
			return binaries{}, fmt.Errorf("no %s there", name)
		}
		if err != nil {
			return binaries{}, fmt.Errorf("%s does not run: %w", name, err)
		}
		parts := versionLine.FindStringSubmatch(string(line))
		if parts == nil {
			return binaries{}, fmt.Errorf("%s tells no version", name)
		}
		versions = append(versions, parts[1])
		found.major, _ = strconv.Atoi(parts[2])
	}
	if versions[0] != versions[1] {
		return binaries{}, fmt.Errorf("initdb is of version %s and postgres of version %s", versions[0], versions[1])
	}
	if found.major < oldestMajor {
		return binaries{}, fmt.Errorf("version %s is too old", versions[0])
	}
	return found, nil
}
