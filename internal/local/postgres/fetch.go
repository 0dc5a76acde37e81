package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	embedded "github.com/fergusstrange/embedded-postgres"

	"github.com/tenantry/tenantry/internal/child"
)

// fetchVersion is the PostgreSQL that is downloaded where none is installed.
const fetchVersion = embedded.V17

// fetcher downloads PostgreSQL's programs into a cache that all clones of a user share.
type fetcher struct {
	// repository is the address of a Maven repository that has io.zonky.test.postgres.
	repository string
	// cache gives the folder of the cache; the account has to reach it.
	cache func(child.Account) (string, error)
}

func newFetcher() fetcher {
	return fetcher{repository: "https://repo1.maven.org/maven2", cache: func(account child.Account) (string, error) {
		if account.Other() {
			return "/var/cache/tenantry", nil // root's own cache is for root only
		}
		cache, err := os.UserCacheDir()
		return filepath.Join(cache, "tenantry"), err
	}}
}

func (f fetcher) folder(account child.Account) (string, error) {
	cache, err := f.cache(account)
	return filepath.Join(cache, "postgresql-"+string(fetchVersion)), err
}

// fetched gives the folder of the programs that were downloaded earlier.
func (f fetcher) fetched(account child.Account) (string, bool) {
	folder, err := f.folder(account)
	programs := filepath.Join(folder, "bin")
	return programs, err == nil && isProgram(filepath.Join(programs, "initdb"))
}

// fetch downloads PostgreSQL and gives the folder of its programs. They appear in the cache whole or not at all.
func (f fetcher) fetch(ctx context.Context, progress io.Writer, account child.Account) (string, error) {
	folder, err := f.folder(account)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(filepath.Dir(folder), "fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	relay, err := startRelay(ctx, f.repository, progress)
	if err != nil {
		return "", err
	}
	defer relay.close()
	fmt.Fprintf(progress, "No PostgreSQL on this machine: downloading %s to %s\n", fetchVersion, folder)
	unpacked := filepath.Join(work, "unpacked")
	err = embedded.NewDatabase(embedded.DefaultConfig().
		Version(fetchVersion).
		BinaryRepositoryURL(relay.url).
		CachePath(filepath.Join(work, "archive")).
		BinariesPath(unpacked).
		RuntimePath(filepath.Join(work, "runtime")).
		// The library can only download, unpack and start; it has no way to stop before the start, which fails as root.
		// After unpacking it empties its data folder, and one whose name ends in a dot is refused (os.RemoveAll): that is
		// where it stops. Port 0 passes its check for a free port.
		DataPath(filepath.Join(work, "data") + "/.").
		Port(0).
		Logger(io.Discard)).
		Start()
	if failure := relay.failure(); failure != nil {
		return "", failure
	}
	for _, program := range []string{"initdb", "postgres"} {
		if !isProgram(filepath.Join(unpacked, "bin", program)) {
			return "", errors.Join(err, fmt.Errorf("the download holds no %s", program))
		}
	}
	// Somebody else may have been faster, which is as good.
	if err := os.Rename(unpacked, folder); err != nil {
		if programs, ok := f.fetched(account); ok {
			return programs, nil
		}
		return "", err
	}
	return filepath.Join(folder, "bin"), nil
}
