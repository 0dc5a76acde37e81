package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// eventsCommand is `tenantry mirror events`.
type eventsCommand struct {
	List  listEventsCommand `cmd:"" default:"withargs" help:"List events, the last received first. This runs when nothing else is named."`
	Show  showEventCommand  `cmd:"" help:"Show one event: its state, times and error, without its body."`
	Retry retryEventCommand `cmd:"" help:"Let the running servers try dead letters again."`
}

const (
	fewEvents  = 50
	mostEvents = 10_000
)

type listEventsCommand struct {
	databaseFlags
	Dead  bool   `help:"Dead letters only: what cannot be applied, however often it is tried." unset:"false, all states"`
	Type  string `help:"Events of this type only, such as organization.created." placeholder:"TYPE" unset:"all types"`
	Limit int    `help:"How many at most, up to 10000." placeholder:"N" unset:"50"`
	JSON  bool   `name:"json" help:"Write a JSON array, for programs." unset:"false, a table"`
}

// Validate is kong's hook.
func (l *listEventsCommand) Validate() error {
	if l.Limit < 0 || l.Limit > mostEvents {
		return fmt.Errorf("--limit must be a number from 1 to %d", mostEvents)
	}
	return nil
}

// Run lists the events.
func (l *listEventsCommand) Run(ctx context.Context, c *console) error {
	db, err := l.open(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	filter := store.InboxFilter{Type: l.Type, Limit: cmp.Or(l.Limit, fewEvents)}
	if l.Dead {
		filter.State = store.EventDead
	}
	events, err := db.InboxEvents(ctx, filter)
	if err != nil {
		return err
	}
	if l.JSON {
		return writeJSON(c.stdout, events)
	}
	if len(events) == 0 {
		_, err := fmt.Fprintln(c.stdout, "no such events")
		return err
	}
	table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tTYPE\tSTATE\tATTEMPTS\tRECEIVED\tERROR")
	for _, e := range events {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\n", printable(e.ID), cmp.Or(printable(e.Type), "-"), e.State, e.Attempts,
			moment(&e.ReceivedAt), printable(e.Error))
	}
	return table.Flush()
}

type showEventCommand struct {
	databaseFlags
	ID   string `arg:"" help:"The message id (svix-id)."`
	Body bool   `help:"Show the body, too. It can hold names and addresses." unset:"false"`
	JSON bool   `name:"json" help:"Write a JSON object, for programs." unset:"false, text"`
}

// shownEvent is an event as JSON. A body that is no JSON comes in base64.
type shownEvent struct {
	store.InboxEvent
	Body       json.RawMessage `json:"body,omitempty"`
	BodyBase64 string          `json:"bodyBase64,omitempty"`
}

// Run shows the event.
func (s *showEventCommand) Run(ctx context.Context, c *console) error {
	db, err := s.open(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	e, body, err := db.InboxEvent(ctx, s.ID)
	if err != nil {
		return explainEvent(s.ID, err)
	}
	if s.JSON {
		shown := shownEvent{InboxEvent: e}
		switch {
		case !s.Body:
		case json.Valid(body):
			shown.Body = body
		default:
			shown.BodyBase64 = base64.StdEncoding.EncodeToString(body)
		}
		return writeJSON(c.stdout, shown)
	}
	size := "not kept"
	if e.BodyBytes != nil {
		size = strconv.Itoa(*e.BodyBytes) + " bytes"
		if !s.Body {
			size += " (--body shows it)"
		}
	}
	text := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"id", printable(e.ID)},
		{"type", printable(e.Type)},
		{"state", string(e.State)},
		{"error", printable(e.Error)},
		{"attempts", strconv.Itoa(e.Attempts)},
		{"conflicts", strconv.Itoa(e.Conflicts)},
		{"about", printable(e.UserID)},
		{"happened", moment(e.HappenedAt)},
		{"received", moment(&e.ReceivedAt)},
		{"due", moment(e.NextAt)},
		{"finished", moment(e.DoneAt)},
		{"body", size},
	} {
		fmt.Fprintf(text, "%s\t%s\n", line[0], cmp.Or(line[1], "-"))
	}
	if err := text.Flush(); err != nil || !s.Body || body == nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "\n%s\n", prettyBody(body))
	return err
}

type retryEventCommand struct {
	databaseFlags
	ID      string `arg:"" optional:"" help:"The message id (svix-id)."`
	AllDead bool   `help:"All dead letters instead of one." unset:"false"`
}

// Validate is kong's hook.
func (r *retryEventCommand) Validate() error {
	if (r.ID == "") != r.AllDead {
		return errors.New("name either an event's id or --all-dead")
	}
	return nil
}

// Run makes dead letters pending again; the workers of running servers look every second.
func (r *retryEventCommand) Run(ctx context.Context, c *console) error {
	db, err := r.open(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	if r.AllDead {
		armed, err := db.RetryDeadEvents(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.stdout, "%d dead letters are pending again; a running server tries them within a second\n", armed)
		return err
	}
	if err := db.RetryEvent(ctx, r.ID); err != nil {
		return explainEvent(r.ID, err)
	}
	_, err = fmt.Fprintf(c.stdout, "%s is pending again; a running server tries it within a second\n", printable(r.ID))
	return err
}

// explainEvent says of which event an error is.
func explainEvent(id string, err error) error {
	id = printable(id)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return fmt.Errorf("there is no event %s in the inbox: it never came, or it was purged after 30 days", id)
	case errors.Is(err, store.ErrNotDead):
		return fmt.Errorf("%s is not a dead letter: `tenantry mirror events show %s` says what became of it", id, id)
	case errors.Is(err, store.ErrBodyGone):
		return fmt.Errorf("%s cannot be tried again: its body was erased, because it was about a user who is deleted", id)
	}
	return err
}

// printable is text from outside without what a terminal would act on.
func printable(text string) string {
	var shown strings.Builder
	for _, r := range text {
		if unicode.IsGraphic(r) {
			shown.WriteRune(r)
		} else {
			fmt.Fprintf(&shown, `\u%04x`, r)
		}
	}
	return shown.String()
}

// prettyBody is a body for a terminal: indented where it is JSON.
func prettyBody(body []byte) string {
	var indented bytes.Buffer
	if json.Indent(&indented, body, "", "  ") != nil {
		return printable(string(body))
	}
	lines := strings.Split(indented.String(), "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// moment is a time for people, "" for none.
func moment(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05.000Z")
}
