package postgres

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// Reset removes the data of the private PostgreSQL of dir, wherever it lies, with its log and notes; the next Start makes
// an empty one. A folder without one is left alone. It returns ErrAlreadyRunning while it runs.
func Reset(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "postgres.lock")); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	home, err := openHome(dir)
	if err != nil {
		return err
	}
	defer home.close()
	for _, data := range append([]string{home.inside()}, home.outside()...) {
		if err := clearStale(slog.New(slog.DiscardHandler), home, data); err != nil {
			return err
		}
		for _, folder := range []string{data, data + ".new"} {
			if err := os.RemoveAll(folder); err != nil {
				return err
			}
		}
	}
	for _, file := range []string{home.log(), home.notePath()} {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
