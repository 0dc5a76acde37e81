package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// runningFile is where a server notes its address in the .tenantry folder while it runs.
const runningFile = "server.json"

// errNoServer begins the error for a folder without that note.
var errNoServer = errors.New("no server runs here")

// Running is how a command finds the server that runs in a folder.
type Running struct {
	URL string `json:"url"` // http://127.0.0.1:8080
	PID int    `json:"pid"`
	// Metrics is the address of /metrics; absent where it is not served.
	Metrics string `json:"metrics,omitempty"`
	// Database is the address of the private PostgreSQL, a socket without a password; "" where the server uses another.
	Database string `json:"database,omitempty"`
	// Clerk is the local Clerk; nil where the server works with another.
	Clerk *LocalClerk `json:"clerk,omitempty"`
}

// LocalClerk is what a command needs to read from a running server's local Clerk, whose Backend API is behind the server's
// URL.
type LocalClerk struct {
	Issuer     string `json:"issuer"`
	InstanceID string `json:"instanceId"`
	SecretKey  string `json:"secretKey"`
}

// Announce notes in the .tenantry folder dir where this process serves and keeps its data, for the commands, readable by
// this user only. The process is this one.
// The returned function takes the note away again, unless another server has replaced it meanwhile.
func Announce(dir string, running Running) (withdraw func() error, err error) {
	path := filepath.Join(dir, runningFile)
	running.PID = os.Getpid()
	content, err := json.Marshal(running)
	if err != nil {
		return nil, err
	}
	// A rename, so that a command never reads half a file.
	temporary, err := os.CreateTemp(dir, runningFile+".*") // made with mode 0600
	if err != nil {
		return nil, err
	}
	_, err = temporary.Write(append(content, '\n'))
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(temporary.Name()))
	}
	return func() error {
		if now, err := ReadRunning(dir); err != nil || now.PID != os.Getpid() {
			return nil
		}
		return os.Remove(path)
	}, nil
}

// ReadRunning reads the note. A server with Clerk keys and DATABASE_URL writes none. The error says what to do when there
// is none, and refuses a URL that is not on this machine: commands speak to loopback only.
func ReadRunning(dir string) (Running, error) {
	path := filepath.Join(dir, runningFile)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Running{}, fmt.Errorf("%w (there is no %s): start it with `go run .`, or name its folder with --dir", errNoServer, path)
	}
	if err != nil {
		return Running{}, err
	}
	var running Running
	if err := json.Unmarshal(content, &running); err != nil {
		return Running{}, fmt.Errorf("%s is damaged; start the server again", path)
	}
	u, err := url.Parse(running.URL)
	if err != nil || u.Scheme != "http" || !isLoopback(u.Hostname()) {
		return Running{}, fmt.Errorf("%s does not name a server on this machine's loopback address", path)
	}
	return running, nil
}
