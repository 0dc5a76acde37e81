package postgres

import (
	"errors"
	"fmt"
	"strings"
)

// ErrAlreadyRunning is returned where another program runs the PostgreSQL of a folder.
var ErrAlreadyRunning = errors.New("the private PostgreSQL of this folder is already running")

// NotFoundError says that there is no usable PostgreSQL on this machine and what can be done about it.
type NotFoundError struct {
	// Looked is where PostgreSQL was looked for, each with what was wrong there.
	Looked []string
	// Fetch is why none could be downloaded; nil where that was not tried, because a variable names a folder.
	Fetch error
}

func (e *NotFoundError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "no PostgreSQL %d or newer was found on this machine", oldestMajor)
	if e.Fetch != nil {
		fmt.Fprintf(&text, ", and none could be downloaded (%v)", e.Fetch)
	}
	for _, place := range e.Looked {
		fmt.Fprintf(&text, "\n  looked in %s", place)
	}
	fmt.Fprintf(&text, `
Do one of these:
  - install it: "sudo apt-get install postgresql" (Debian, Ubuntu) or "brew install postgresql@17" (macOS)
  - set %s to a folder that holds PostgreSQL's programs initdb and postgres
  - set DATABASE_URL to a PostgreSQL of yours`, BinVariable)
	return text.String()
}

// Unwrap gives the reason why the download failed.
func (e *NotFoundError) Unwrap() error { return e.Fetch }

// VersionError says that the data was made by a major version of PostgreSQL that is not (any longer) on this machine.
type VersionError struct {
	DataDir string
	// Made is the major version that made the data.
	Made int
	// Found are the folders with other versions.
	Found []string
}

func (e *VersionError) Error() string {
	return fmt.Sprintf(`the data in %s was made by PostgreSQL %d, and that version is not on this machine (found: %s).
Do one of these:
  - install it again: "sudo apt-get install postgresql-%[2]d" or "brew install postgresql@%[2]d"
  - set %[4]s to a folder that holds PostgreSQL %[2]d's initdb and postgres
  - give up the data and start with an empty one: --reset`, e.DataDir, e.Made, strings.Join(e.Found, ", "), BinVariable)
}
