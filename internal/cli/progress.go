package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/tenantry/tenantry/internal/mirror"
)

// tellEvery is the time between two lines about the same list where there is no terminal.
const tellEvery = 5 * time.Second

// progress shows on stderr how far a comparison is: as a bar on a terminal, elsewhere as lines, and not at all to a program
// that reads JSON. What is written to it goes to stderr in any case, around the bar.
type progress struct {
	out      io.Writer
	terminal bool
	silent   bool
	unit     string        // of what a bar counts; rows where it is not said
	throttle time.Duration // the least time between two looks of a bar
	now      func() time.Time

	mu sync.Mutex
	// kind is what is counted just now, from where it began; "" for nothing.
	kind              string
	from, done, total int
	began, told       time.Time
	bar               *progressbar.ProgressBar
}

func newProgress(stderr io.Writer, json bool) *progress {
	terminal := isTerminal(stderr)
	return &progress{out: stderr, terminal: terminal, silent: json && !terminal, throttle: 100 * time.Millisecond, now: time.Now}
}

// progress is mirror.SweepOptions.Progress.
func (p *progress) progress(kind string, done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if kind != p.kind {
		p.finish()
		p.kind, p.from, p.total, p.began, p.told = kind, done, 0, p.now(), p.now()
		if strings.HasPrefix(kind, mirror.Asking) {
			p.from = 0 // it is first heard of after the first request
		}
		if p.terminal {
			p.bar = p.newBar()
		}
	}
	p.done = done
	if total != p.total && total > p.from {
		p.total = total
		if p.bar != nil {
			p.bar.ChangeMax64(int64(total - p.from))
		}
	}
	switch {
	case p.bar != nil:
		// It also says where there are more than were announced, which is no harm.
		_ = p.bar.Set64(int64(done - p.from))
	case p.now().Sub(p.told) >= tellEvery:
		p.told = p.now()
		p.say("%s: %s", p.name(), p.count())
	}
}

// newBar counts from where a list is gone on with, so that the rate is that of now.
func (p *progress) newBar() *progressbar.ProgressBar {
	name := p.name()
	if p.from > 0 {
		name += fmt.Sprintf(" from %d", p.from)
	}
	bar := progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(p.out),
		progressbar.OptionSetDescription(fmt.Sprintf("%-13s", name)),
		progressbar.OptionSetWidth(24),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(cmp.Or(p.unit, "rows")),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(p.throttle),
		progressbar.OptionSetSpinnerChangeInterval(0), // nothing else writes while we do
		progressbar.OptionClearOnFinish(),
	)
	_ = bar.RenderBlank() // from here its time counts
	return bar
}

// waiting is mirror.SweepOptions.Waiting.
func (p *progress) waiting(kind string, gone int, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
	p.say("%s: %d seem to be deleted; waiting for %s before Clerk is asked again, until %s", kind, gone, pause,
		p.now().Add(pause).Format(time.TimeOnly))
}

// end takes the bar away.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
}

// finish says how much of a kind was done.
func (p *progress) finish() {
	if p.kind == "" {
		return
	}
	p.clear()
	p.bar = nil
	p.say("%s: %s in %s", p.name(), p.count(), p.now().Sub(p.began).Round(100*time.Millisecond))
	p.kind = ""
}

func (p *progress) name() string {
	if kind, asked := strings.CutPrefix(p.kind, mirror.Asking); asked {
		return kind + " not listed"
	}
	return p.kind
}

func (p *progress) count() string {
	if p.total > p.done {
		return fmt.Sprintf("%d of %d", p.done, p.total)
	}
	return fmt.Sprint(p.done)
}

func (p *progress) say(format string, values ...any) {
	if !p.silent {
		fmt.Fprintf(p.out, format+"\n", values...)
	}
}

func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// Write writes what is not progress, such as the log.
func (p *progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	return p.out.Write(text)
}
