package postgres

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/tenantry/tenantry/internal/child"
)

const (
	// port is no port, but the end of the socket's file name.
	port         = "5432"
	socketFile   = ".s.PGSQL." + port
	socketPrefix = "tenantry-"
	// longestSocket is what fits into a socket's address on Linux (107) and macOS (103).
	longestSocket = 103
)

// makeSocketFolder makes a folder that only account (and root) may enter, short enough for a socket's address. Its name
// is new each time: one that can be foretold could be taken by somebody else before us.
func makeSocketFolder(account child.Account) (string, error) {
	for _, parent := range []string{os.TempDir(), "/tmp"} {
		parent, err := filepath.Abs(parent)
		if err != nil || !account.CanEnter(parent) {
			continue
		}
		folder, err := os.MkdirTemp(parent, socketPrefix)
		if err != nil {
			continue
		}
		if len(filepath.Join(folder, socketFile)) <= longestSocket && account.Own(folder) == nil {
			return folder, nil
		}
		_ = os.Remove(folder)
	}
	return "", errors.New("no folder for PostgreSQL's socket: neither the system's temporary folder nor /tmp will do")
}

// removeSocketFolder removes a folder that makeSocketFolder made, and nothing else that a note may name.
func removeSocketFolder(folder string) {
	if !strings.HasPrefix(filepath.Base(folder), socketPrefix) {
		return
	}
	_ = os.Remove(filepath.Join(folder, socketFile))
	_ = os.Remove(filepath.Join(folder, socketFile+".lock"))
	_ = os.Remove(folder)
}
