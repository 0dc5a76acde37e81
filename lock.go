package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tenantry/tenantry/internal/cli"
)

const lockFile = "server.lock"

// lockFolder makes sure that one server at a time works with a .tenantry folder, which it makes if it is missing. The lock
// ends with the process, however that ends. Its error says where the other one serves.
func lockFolder(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer lock.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, err
		}
		where := "it is still starting, or stopping"
		if running, err := cli.ReadRunning(dir); err == nil {
			where = fmt.Sprintf("it serves at %s, process %d", running.URL, running.PID)
		}
		return nil, fmt.Errorf("a server is already running in %s (%s): stop it first, or use another folder with --dir", dir, where)
	}
	return func() error {
		// Explicitly: a program that is being started at this moment holds a copy of the descriptor.
		return errors.Join(syscall.Flock(int(lock.Fd()), syscall.LOCK_UN), lock.Close())
	}, nil
}

// emptyFolder removes everything of a locked folder but the lock.
func emptyFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		if entry.Name() != lockFile {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
		}
	}
	return err
}
