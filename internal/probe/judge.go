package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// mostFindings are kept; what comes after is only counted.
const mostFindings = 100

// sent is an operation with its answer.
type sent struct {
	*operation
	text      string
	variables map[string]any
	values    []any
	answer    Answer
	read      response
}

// send asks as A, counts what came back and looks for what is B's. whose says of which kind the value of each slot is.
func (r *run) send(ctx context.Context, o *operation, values []any, whose []which) (sent, error) {
	s := sent{operation: o, values: values}
	s.text, s.variables = o.write(r.Schema, values)
	voice := r.A
	if elsewhere := r.Elsewhere[o.roots[0].field.Name]; o.mutation && elsewhere != nil {
		voice = elsewhere
	}
	var err error
	if s.answer, err = voice(ctx, s.text, s.variables); err != nil {
		return s, fmt.Errorf("no answer to %s: %w", s.text, err)
	}
	if s.read, err = read(s.answer.Body); err != nil {
		r.find("fault", s, "the answer is no JSON: "+err.Error())
		return s, nil
	}
	r.report.Operations++
	denied := map[string]string{}
	for _, e := range s.read.Errors {
		switch code, _ := e.Extensions["code"].(string); code {
		case "FORBIDDEN", "UNAUTHENTICATED", "NO_ACTIVE_ORGANIZATION":
			denied[pathOf(e.Path)] = code
		case "INTERNAL":
			r.find("fault", s, "an internal error at "+pathOf(e.Path))
		case "GRAPHQL_PARSE_FAILED", "QUERY_TOO_COMPLEX", "QUERY_TOO_DEEP":
			return s, fmt.Errorf("%w: %s: %s", ErrRefused, e.Message, s.text)
		}
	}
	if s.read.Data == nil && len(s.read.Errors) > 0 && s.answer.Status >= http.StatusBadRequest {
		if s.answer.Status != http.StatusBadRequest || !slices.Contains(whose, malformed) {
			return s, fmt.Errorf("%w with status %d: %s", ErrRefused, s.answer.Status, short(s.answer.Body))
		}
		r.noteRefused(s, whose) // a value that a scalar does not take
	}
	r.report.Probes += r.reached.answered(o.roots, s.read.Data, "", denied)
	for i, w := range whose {
		r.reached.attacked(o.slots[i], o.roots, s.read.Data, w)
	}
	r.look(s)
	if r.Progress != nil {
		r.Progress(r.report.Probes, r.Probes)
	}
	return s, nil
}

// ErrRefused says that the server does not take the attack's operations, for example because it has another schema.
var ErrRefused = errors.New("the server refused an operation of the attack as a whole")

// noteRefused counts a position as attacked whose malformed value was refused before anything was asked for.
func (r *run) noteRefused(s sent, whose []which) {
	for i, p := range s.slots {
		if whose[i] == malformed {
			r.reached.positions[p.name][malformed] = true
		}
	}
}

func pathOf(steps []any) string {
	var path strings.Builder
	for _, step := range steps {
		fmt.Fprintf(&path, "/%v", step)
	}
	return path.String()
}

// look searches an answer for what is B's, but for what it was given.
func (r *run) look(s sent) {
	body := s.answer.Body
	for _, secret := range r.secrets {
		if bytes.Contains(body, secret) && bytes.Contains(r.withoutGiven(s), secret) {
			r.find("leak", s, fmt.Sprintf("%q came back: %s", secret, excerpt(body, secret)))
			return
		}
	}
}

// withoutGiven is the answer without the values that the operation gave: an id or a cursor wherever it stands, a text only
// where it is the whole of a value, as it may be a part of what must not come back.
func (r *run) withoutGiven(s sent) []byte {
	body := s.answer.Body
	for i, value := range s.values {
		for _, given := range stringsOf(value) {
			raw := inJSON(given)
			if len(raw) == 0 {
				continue
			}
			if k := s.slots[i].kind; k == text {
				body = bytes.ReplaceAll(body, []byte(`"`+string(raw)+`"`), []byte(`""`))
			} else {
				body = bytes.ReplaceAll(body, raw, nil)
			}
		}
	}
	for _, planted := range r.planted {
		body = bytes.ReplaceAll(body, planted, nil)
	}
	return body
}

func stringsOf(value any) (all []string) {
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		for _, inner := range value {
			all = append(all, stringsOf(inner)...)
		}
	}
	return all
}

// inJSON is a string as it stands in JSON, without the quotes.
func inJSON(text string) []byte {
	var raw bytes.Buffer
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return nil
	}
	return bytes.Trim(bytes.TrimSpace(raw.Bytes()), `"`)
}

func excerpt(body, around []byte) string {
	at := bytes.Index(body, around)
	return string(body[max(0, at-60):min(len(body), at+len(around)+60)])
}

var requestID = regexp.MustCompile(`"requestId":"[^"]*"`)

// compare holds the answer for something of B's against the answer for what never existed. In all else the operations are
// the same. Mutations that A may do are not compared: they are done.
func (r *run) compare(theirs, none sent) {
	if theirs.mutation && done(theirs) && done(none) {
		return
	}
	r.report.Pairs++
	if r.same(theirs, none) {
		return
	}
	for _, p := range theirs.slots {
		if r.Excused[p.name] != "" {
			return
		}
	}
	r.find("difference", theirs, fmt.Sprintf("%d %s\n  and for what never existed: %d %s",
		theirs.answer.Status, short(theirs.masked(none.values)), none.answer.Status, short(none.masked(theirs.values))))
}

func (r *run) same(theirs, none sent) bool {
	return theirs.answer.Status == none.answer.Status && bytes.Equal(theirs.masked(none.values), none.masked(theirs.values))
}

func done(s sent) bool {
	for _, b := range s.roots {
		if s.read.Data[b.key] == nil {
			return false
		}
	}
	return true
}

// masked is an answer without the request's id and without the values in which the other operation differs.
func (s sent) masked(others []any) []byte {
	body := requestID.ReplaceAll(s.answer.Body, []byte(`"requestId":""`))
	for i, value := range s.values {
		given, other := stringsOf(value), stringsOf(others[i])
		for j := range given {
			if raw := inJSON(given[j]); given[j] != other[j] && len(raw) > 0 {
				body = bytes.ReplaceAll(body, raw, []byte("…"))
			}
		}
	}
	return inOrder(body)
}

// inOrder sorts the errors of an answer: fields are resolved side by side, and their errors come as they happen.
func inOrder(body []byte) []byte {
	var answer struct {
		Errors []json.RawMessage `json:"errors"`
		Data   json.RawMessage   `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.Errors) < 2 {
		return body
	}
	slices.SortFunc(answer.Errors, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	return append(append(bytes.Join(rawOf(answer.Errors), []byte("\n")), '\n'), answer.Data...)
}

func rawOf(messages []json.RawMessage) [][]byte {
	raw := make([][]byte, len(messages))
	for i, message := range messages {
		raw[i] = message
	}
	return raw
}

func short(body []byte) string {
	if len(body) > 600 {
		return string(body[:600]) + "…"
	}
	return string(body)
}

func (r *run) find(what string, s sent, detail string) {
	r.report.Kinds[what]++
	if what == "fault" {
		r.report.Faults++
	} else {
		r.report.Leaks++
	}
	if len(r.report.Findings) < mostFindings {
		r.report.Findings = append(r.report.Findings, s.finding(what, detail))
	}
}

func (s sent) finding(what, detail string) Finding {
	var positions []string
	for _, p := range s.slots {
		positions = append(positions, p.name)
	}
	variables, err := json.Marshal(s.variables)
	if err != nil {
		variables = nil
	}
	return Finding{What: what, Position: strings.Join(positions, ", "), Detail: detail, Operation: s.text, Variables: string(variables)}
}
