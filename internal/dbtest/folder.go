package dbtest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/local/postgres"
)

const folderPrefix = "tenantry-test-"

// Dir gives a folder for a program that starts a private PostgreSQL in it. Unlike t.TempDir it may be entered by the
// user who runs PostgreSQL when we are root, so that nothing is put elsewhere. It is removed when the test ends.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := makeFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := removeFolder(dir); err != nil {
			t.Errorf("remove the test's folder: %v", err)
		}
	})
	return dir
}

func makeFolder() (string, error) {
	dir, err := os.MkdirTemp("", folderPrefix)
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711)
}

// removeFolder removes a folder with the PostgreSQL in it, unless that runs.
func removeFolder(dir string) error {
	if err := postgres.Reset(dir); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// sweep removes the folders of test binaries that were killed.
func sweep() {
	const young = time.Hour // perhaps of a test that runs, without a PostgreSQL in it that locks it
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*"))
	for _, folder := range folders {
		if info, err := os.Stat(folder); err == nil && time.Since(info.ModTime()) > young {
			_ = removeFolder(folder) // one that is in use, or another user's, stays
		}
	}
}
