package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// home is Config.Dir, held: nobody else uses it as long as the lock file is open.
type home struct {
	dir  string
	lock *os.File
}

// note is what the folder tells of its PostgreSQL, for the next start and for a curious human.
type note struct {
	// Dir is the folder that the note was written for: in a copy of it the rest is about somebody else's PostgreSQL.
	Dir    string `json:"dir"`
	Data   string `json:"data"`
	Socket string `json:"socket,omitempty"`
}

// openHome makes the folder if need be and locks it. It returns ErrAlreadyRunning if somebody else holds it.
func openHome(dir string) (*home, error) {
	if dir == "" {
		return nil, errors.New("a private PostgreSQL needs a folder")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the private PostgreSQL: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "postgres.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the folder of the private PostgreSQL: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrAlreadyRunning
		}
		return nil, fmt.Errorf("lock the folder of the private PostgreSQL: %w", err)
	}
	return &home{dir: dir, lock: lock}, nil
}

// close lets the next one have the folder. Closing the file is not enough: a program that is being started holds a copy
// of it for a moment. The file stays: after removing it two could hold different ones.
func (h *home) close() {
	_ = syscall.Flock(int(h.lock.Fd()), syscall.LOCK_UN)
	_ = h.lock.Close()
}

func (h *home) log() string      { return filepath.Join(h.dir, "postgres.log") }
func (h *home) notePath() string { return filepath.Join(h.dir, "postgres.json") }

// read gives the folder's note, as far as it can be relied on: nothing of one that is missing or broken, and no more
// than the place of the data of one that was written before the folder was moved.
func (h *home) read() note {
	var noted note
	text, err := os.ReadFile(h.notePath())
	if err != nil || json.Unmarshal(text, &noted) != nil {
		return note{}
	}
	if noted.Dir == h.dir {
		return noted
	}
	if _, err := os.Stat(noted.Dir); errors.Is(err, fs.ErrNotExist) {
		return note{Data: noted.Data}
	}
	return note{}
}

func (h *home) write(noted note) error {
	text, err := json.MarshalIndent(noted, "", "  ")
	if err != nil {
		return err
	}
	fresh := h.notePath() + ".new"
	if err := os.WriteFile(fresh, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, h.notePath())
}
