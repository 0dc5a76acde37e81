package mirror

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// permanentError is what no retry can cure.
type permanentError struct{ reason string }

func (e *permanentError) Error() string { return e.reason }

func permanent(format string, args ...any) error {
	return &permanentError{fmt.Sprintf(format, args...)}
}

// isPermanent says whether trying again is of no use.
func isPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

// clerkID is what ids are made of. Clerk's are opaque beyond that: even their prefixes vary.
var clerkID = regexp.MustCompile(`^[A-Za-z0-9_]{1,128}$`)

func checkID(what, id string) error {
	if id == "" {
		return permanent("%s is missing", what)
	}
	if !clerkID.MatchString(id) {
		return permanent("%s is not an id", what)
	}
	return nil
}

func checkOptionalID(what, id string) error {
	if id == "" {
		return nil
	}
	return checkID(what, id)
}

// text is a string that may be missing, null, or hold what PostgreSQL cannot (NUL bytes).
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	*t = ""
	if s != nil {
		*t = text(strings.ReplaceAll(*s, "\x00", ""))
	}
	return nil
}

// orNil is nil for what is missing, null or empty: Clerk sends all three for the same thing.
func (t text) orNil() *string {
	if t == "" {
		return nil
	}
	s := string(t)
	return &s
}

// millis is one of Clerk's times in milliseconds. It may be missing or null; what is below 1e11 was sent in seconds (the
// specification's examples are, deliveries are not).
type millis struct {
	ms      int64
	seconds bool
}

// latest is past any real time; beyond it a number is in another unit.
var latest = time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func (m *millis) UnmarshalJSON(raw []byte) error {
	*m = millis{}
	raw = bytes.Trim(raw, `"`)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil
	}
	number, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || !(number >= 0 && number <= float64(latest)) { // not a number is neither
		return errors.New("not a time")
	}
	if m.seconds = number < 1e11; m.seconds {
		number *= 1000
	}
	m.ms = int64(number)
	return nil
}

// end is the last millisecond that the time can mean: of two events in one second the deletion is the later.
func (m millis) end() int64 {
	if m.seconds {
		return m.ms/1000*1000 + 999
	}
	return m.ms
}

// orgKey gives a role or a permission the prefix that Clerk sometimes leaves out.
func orgKey(key text) string {
	bare := string(key)
	for strings.HasPrefix(bare, "org:") {
		bare = bare[len("org:"):]
	}
	if bare == "" {
		return ""
	}
	return "org:" + bare
}

// moment is a time of Clerk's for PostgreSQL.
func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
