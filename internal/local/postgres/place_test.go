package postgres

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/child"
)

// Below a folder for its owner only, as root's home is: root's PostgreSQL runs as another user and cannot enter it.
func TestFolderBelowOneThatOthersCannotEnter(t *testing.T) {
	t.Parallel()
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(closed, "clone", ".tenantry")
	t.Cleanup(func() { _ = Reset(dir) })
	server := started(t, dir)
	data := server.DataDir()
	if outside := elsewherePath.MatchString(data); outside != (os.Geteuid() == 0) {
		t.Errorf("the data lies in %s", data)
	}
	if noted := (&home{dir: dir}).read(); noted.Data != data || noted.Socket != server.socket {
		t.Errorf("noted is %+v, want the data in %s", noted, data)
	}
	execute(t, server, "CREATE TABLE kept AS SELECT 42 AS answer")
	stop(t, server)
	if got := started(t, dir); got.DataDir() != data || query[int](t, got, "SELECT answer FROM kept") != 42 {
		t.Errorf("a later start has other data, in %s", got.DataDir())
	} else {
		stop(t, got)
	}

	// The folder is moved: its data is still found.
	moved := filepath.Join(closed, "moved", ".tenantry")
	if err := os.Rename(filepath.Dir(dir), filepath.Dir(moved)); err != nil {
		t.Fatal(err)
	}
	server = started(t, moved)
	if got := query[int](t, server, "SELECT answer FROM kept"); got != 42 {
		t.Errorf("got %d, want 42", got)
	}
	data = server.DataDir()
	stop(t, server)
	if err := Reset(moved); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data is still there after a reset: %v", err)
	}
}

func TestNotesAreNotBelievedBlindly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	own := (&home{dir: dir}).outside()[0]
	copied := elsewhere + "/0123456789abcdef"
	gone := filepath.Join(dir, "gone")
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"missing":             {"", []string{own}},
		"broken":              {"{", []string{own}},
		"its own":             {`{"dir":"` + dir + `","data":"` + own + `"}`, []string{own}},
		"moved here":          {`{"dir":"` + gone + `","data":"` + copied + `"}`, []string{copied, own}},
		"copied from another": {`{"dir":"/","data":"` + copied + `"}`, []string{own}},
		"somebody's files":    {`{"dir":"` + dir + `","data":"/etc"}`, []string{own}},
		"a way out":           {`{"dir":"` + dir + `","data":"` + elsewhere + `/0123456789abcdef/../../x"}`, []string{own}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, "postgres.json"), []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got := (&home{dir: dir}).outside()
			if strings.Join(got, " ") != strings.Join(test.want, " ") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRemoveSocketFolderRemovesNoOther(t *testing.T) {
	t.Parallel()
	precious := filepath.Join(t.TempDir(), "precious")
	full := filepath.Join(t.TempDir(), socketPrefix+"1")
	for _, folder := range []string{precious, full} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "file"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"", precious, full} {
		removeSocketFolder(folder)
	}
	for _, folder := range []string{precious, full} {
		if _, err := os.Stat(filepath.Join(folder, "file")); err != nil {
			t.Error(err)
		}
	}
}

func TestSocketFolderIsShortWhateverTheTemporaryFolder(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 90))
	if err := os.Mkdir(long, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", long)
	socket, err := makeSocketFolder(child.Account{})
	if err != nil {
		t.Fatal(err)
	}
	defer removeSocketFolder(socket)
	if length := len(filepath.Join(socket, socketFile)); length > longestSocket {
		t.Errorf("%s has %d bytes", socket, length)
	}
	if left, err := os.ReadDir(long); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
