package postgres

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// jar is a package of the repository: an archive of programs in a zip file.
func jar(t *testing.T) []byte {
	t.Helper()
	programs, err := os.ReadFile(filepath.Join("testdata", "programs.txz"))
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	writer := zip.NewWriter(&packed)
	entry, err := writer.Create("postgres-any.txz")
	if err == nil {
		_, err = entry.Write(programs)
	}
	if err == nil {
		err = writer.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// repository makes the machine download from a server of packages; change may spoil an answer.
func (m *machine) repository(change func(path string, body []byte) []byte) {
	m.t.Helper()
	body := jar(m.t)
	sum := sha256.Sum256(body)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := body
		if strings.HasSuffix(r.URL.Path, ".sha256") {
			answer = []byte(hex.EncodeToString(sum[:]))
		}
		if answer = change(r.URL.Path, answer); answer == nil {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(answer)
	}))
	m.t.Cleanup(server.Close)
	m.finder.fetch.repository = server.URL
}

func TestDownload(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	var mu sync.Mutex
	var asked []string
	m.repository(func(path string, body []byte) []byte {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, path)
		return body
	})
	var progress bytes.Buffer
	for range 2 {
		found, err := m.finder.find(t.Context(), &progress, m.data(""))
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(m.root, "cache", "postgresql-"+string(fetchVersion), "bin"); found.folder != want || found.major != 17 {
			t.Errorf("found %v, want 17 in %s", found, want)
		}
	}
	if len(asked) != 2 || !strings.Contains(asked[0], "/io/zonky/test/postgres/embedded-postgres-binaries-") {
		t.Errorf("asked for %q, want the package and its checksum, once", asked)
	}
	for _, part := range []string{"downloading " + string(fetchVersion), "MB\n"} {
		if !strings.Contains(progress.String(), part) {
			t.Errorf("%q is missing from the progress:\n%s", part, progress.String())
		}
	}
	m.onlyInCache("postgresql-" + string(fetchVersion))
}

// onlyInCache checks that a download leaves nothing but its result.
func (m *machine) onlyInCache(want ...string) {
	m.t.Helper()
	entries, err := os.ReadDir(filepath.Join(m.root, "cache"))
	if err != nil {
		m.t.Fatal(err)
	}
	if len(entries) != len(want) {
		m.t.Errorf("the cache holds %v, want %q", entries, want)
	}
	for i := range want {
		if i < len(entries) && entries[i].Name() != want[i] {
			m.t.Errorf("the cache holds %v, want %q", entries, want)
		}
	}
}

func TestSpoiltDownloadIsRefused(t *testing.T) {
	t.Parallel()
	checksum := func(path string) bool { return strings.HasSuffix(path, ".sha256") }
	for name, change := range map[string]func(path string, body []byte) []byte{
		"another checksum": func(path string, body []byte) []byte {
			if checksum(path) {
				return bytes.Repeat([]byte("0"), 64)
			}
			return body
		},
		"no checksum": func(path string, body []byte) []byte {
			if checksum(path) {
				return nil
			}
			return body
		},
		"no package":    func(string, []byte) []byte { return nil },
		"not a package": func(string, []byte) []byte { return []byte("hello") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.repository(change)
			_, err := m.finder.find(t.Context(), io.Discard, m.data(""))
			var notFound *NotFoundError
			if !errors.As(err, &notFound) || notFound.Fetch == nil {
				t.Errorf("got %v, want a *NotFoundError with the failure of the download", err)
			}
			m.onlyInCache()
		})
	}
}

func TestDownloadStopsWithItsContext(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	m.repository(func(string, []byte) []byte {
		cancel()
		<-t.Context().Done()
		return nil
	})
	begin := time.Now()
	if _, err := m.finder.find(ctx, io.Discard, m.data("")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	m.onlyInCache()
}

func TestMeterReportsTenths(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		total int64
		want  int
	}{"known length": {30e6, 10}, "unknown length": {-1, 6}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var report bytes.Buffer
			meter := &meter{total: test.total, alive: func() {}, report: &report}
			for range 3000 {
				if _, err := meter.Write(make([]byte, 10_000)); err != nil {
					t.Fatal(err)
				}
			}
			if got := strings.Count(report.String(), "\n"); got != test.want {
				t.Errorf("%d lines, want %d:\n%s", got, test.want, report.String())
			}
		})
	}
}
