package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/tenantry/tenantry/internal/mirror"
	"github.com/tenantry/tenantry/store"
)

// statusCommand is `tenantry mirror status`.
type statusCommand struct {
	databaseFlags
	JSON bool `name:"json" help:"Write a JSON object, for programs." unset:"false, text"`
}

// lately is how far back events are counted.
const lately = 24 * time.Hour

// mirrorStatus is what the database says of the copy.
type mirrorStatus struct {
	Inbox struct {
		Pending       int64      `json:"pending"`
		Dead          int64      `json:"dead"`
		OldestPending *time.Time `json:"oldestPending,omitempty"`
	} `json:"inbox"`
	// Events are those of the last 24 hours.
	Events []store.EventCount `json:"events"`
	Rows   []store.RowCount   `json:"rows"`
	// Comparing says that a process compares with Clerk just now.
	Comparing bool `json:"comparing"`
	// Unfinished is the comparison under way, or one that was cut off.
	Unfinished *mirror.Comparison `json:"unfinished,omitempty"`
	Last       *lastComparison    `json:"lastComparison,omitempty"`
}

// lastComparison is the last one that came to its end.
type lastComparison struct {
	mirror.Comparison
	Kinds   map[string]*mirror.KindReport `json:"kinds"`
	Drift   int                           `json:"drift"`
	Refused int                           `json:"refused"`
}

// Run shows the status. It asks nobody but the database.
func (s *statusCommand) Run(ctx context.Context, c *console) error {
	db, err := s.open(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	status, err := readMirrorStatus(ctx, db)
	if err != nil {
		return err
	}
	if s.JSON {
		return writeJSON(c.stdout, status)
	}
	return status.write(c.stdout, time.Now())
}

func readMirrorStatus(ctx context.Context, db *store.Store) (s mirrorStatus, err error) {
	inbox, err := db.InboxStatus(ctx)
	if err != nil {
		return s, err
	}
	s.Inbox.Pending, s.Inbox.Dead = inbox.Pending, inbox.Dead
	if !inbox.OldestPending.IsZero() {
		s.Inbox.OldestPending = &inbox.OldestPending
	}
	if s.Events, err = db.EventCounts(ctx, time.Now().Add(-lately)); err != nil {
		return s, err
	}
	if s.Rows, err = db.RowCounts(ctx); err != nil {
		return s, err
	}
	copied := mirror.New(db, mirror.Config{})
	if s.Unfinished, s.Comparing, err = copied.UnfinishedComparison(ctx); err != nil {
		return s, err
	}
	last, err := copied.LastComparison(ctx)
	if last != nil {
		s.Last = &lastComparison{Comparison: *last, Kinds: last.Report.Kinds, Drift: last.Report.Drift(), Refused: last.Report.Refused()}
	}
	return s, err
}

func (s mirrorStatus) write(w io.Writer, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	oldest := ""
	if s.Inbox.OldestPending != nil {
		oldest = ", the oldest for " + now.Sub(*s.Inbox.OldestPending).Round(time.Second).String()
	}
	fmt.Fprintf(table, "inbox\t%d pending%s, %d dead letters\n", s.Inbox.Pending, oldest, s.Inbox.Dead)
	fmt.Fprintf(table, "comparing\t%s\n", s.comparing())
	fmt.Fprintf(table, "compared\t%s\n", s.compared())
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(table, "\nCOPY\tLIVE\tDEAD\tWAITING FOR A READ")
	for _, r := range s.Rows {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\n", r.Kind, r.Live, r.Dead, r.Waiting)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if s.Last != nil {
		fmt.Fprintln(table, "\nLAST COMPARISON\tMISSING\tDIFFERING\tEXTRA\tREFUSED")
		for _, name := range s.Last.Report.Names() {
			k := s.Last.Kinds[name]
			fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\n", name, k.Missing, k.Differing, k.Extra, k.Refused)
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if len(s.Events) == 0 {
		_, err := fmt.Fprintln(w, "\nno events in the last 24 hours")
		return err
	}
	fmt.Fprintln(table, "\nEVENTS OF 24 HOURS\tSTATE\tCOUNT")
	for _, e := range s.Events {
		fmt.Fprintf(table, "%s\t%s\t%d\n", cmp.Or(printable(e.Type), "-"), e.State, e.Count)
	}
	return table.Flush()
}

// comparing is in words what is under way.
func (s mirrorStatus) comparing() string {
	switch {
	case s.Unfinished == nil && s.Comparing:
		return "yes, just begun or without changing anything (verify)"
	case s.Unfinished == nil:
		return "no"
	}
	where := "what the lists did not have"
	if s.Unfinished.Listing != "" {
		where = fmt.Sprintf("%d of the %s listed", s.Unfinished.Position, s.Unfinished.Listing)
	}
	text := "cut off"
	if s.Comparing {
		text = "yes"
	}
	return fmt.Sprintf("%s, since %s: %s", text, moment(&s.Unfinished.StartedAt), where)
}

// compared is in words when that was done last.
func (s mirrorStatus) compared() string {
	if s.Last == nil {
		return "never yet"
	}
	return fmt.Sprintf("from %s to %s: %s otherwise, %d of them left alone", moment(&s.Last.StartedAt), moment(s.Last.FinishedAt),
		counted(s.Last.Drift, "row", "rows"), s.Last.Refused)
}
