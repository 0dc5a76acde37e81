package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/child"
)

// elsewhere holds the data of folders that PostgreSQL's user cannot enter, when we are root: one folder each, named
// after the path.
const elsewhere = "/var/lib/tenantry"

var elsewherePath = regexp.MustCompile("^" + elsewhere + "/[0-9a-f]{16}$")

// place is where the data lies and who runs PostgreSQL there.
type place struct {
	data    string
	account child.Account
}

// exists says whether there is data, be it somebody else's. It appears whole or not at all.
func (p place) exists() bool {
	_, err := os.Stat(filepath.Join(p.data, "PG_VERSION"))
	return !errors.Is(err, fs.ErrNotExist)
}

// major is the version of PostgreSQL that made the data, 0 without data.
func (p place) major() (int, error) {
	if !p.exists() {
		return 0, nil
	}
	text, err := os.ReadFile(filepath.Join(p.data, "PG_VERSION"))
	if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s holds no data of a supported PostgreSQL", p.data)
	}
	return major, nil
}

func (h *home) inside() string { return filepath.Join(h.dir, "postgres") }

// outside are the folders elsewhere that may hold this folder's data, the likelier one first.
func (h *home) outside() []string {
	sum := sha256.Sum256([]byte(h.dir))
	own := filepath.Join(elsewhere, hex.EncodeToString(sum[:8]))
	// A note may have been written by anybody: it names a folder to use, and one to remove at a reset.
	if noted := h.read().Data; noted != own && elsewherePath.MatchString(noted) {
		return []string{noted, own}
	}
	return []string{own}
}

// place finds the data, or where it shall be. PostgreSQL refuses to run as root, so as root everything has to be within
// reach of another user.
func (h *home) place() (place, error) {
	for _, data := range append([]string{h.inside()}, h.outside()...) {
		if found := (place{data: data}); found.exists() {
			return h.existing(found)
		}
	}
	account, err := child.Unprivileged("postgres", "_postgres", "nobody")
	if err != nil {
		return place{}, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	if h.letThrough(account, h.dir) {
		return place{data: h.inside(), account: account}, nil
	}
	if err := os.MkdirAll(elsewhere, 0o711); err != nil {
		return place{}, err
	}
	if err := os.Chmod(elsewhere, 0o711); err != nil {
		return place{}, err
	}
	outside := h.outside()
	return place{data: outside[len(outside)-1], account: account}, nil
}

// existing says who may run PostgreSQL on data: its owner, and PostgreSQL insists on that.
func (h *home) existing(found place) (place, error) {
	account, err := child.Owner(found.data)
	if err != nil {
		return place{}, fmt.Errorf("the private PostgreSQL can be run by the owner of its data only, and never by root: %w", err)
	}
	if !h.letThrough(account, found.data) {
		return place{}, fmt.Errorf("user %s, who runs PostgreSQL because root may not, can no longer enter %s: "+
			"let others pass through the folders above it (chmod a+x), or give up the data: --reset", account.Name, found.data)
	}
	found.account = account
	return found, nil
}

// letThrough says whether account reaches path. Where it is not ours it may pass through the folder to its own part:
// everything else there is for its owner only.
func (h *home) letThrough(account child.Account, path string) bool {
	if !account.Other() {
		return true
	}
	return os.Chmod(h.dir, 0o711) == nil && account.CanEnter(path)
}
