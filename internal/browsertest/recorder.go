package browsertest

import (
	"context"
	"net/url"
	"slices"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// recorder notes what a tab should not have done.
type recorder struct {
	mu       sync.Mutex
	problems []string
	outside  []string
}

type recorderKey struct{}

// ConsoleErrors are the errors that the tab wrote to its console, the
// exceptions that nothing caught, and what a content security policy stopped.
// An answer with status 401 and the like is none of them, although browsers
// write that to the console too. ctx is from New.
func ConsoleErrors(ctx context.Context) []string {
	r := ctx.Value(recorderKey{}).(*recorder)
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.problems)
}

// OutsideRequests are the addresses beyond this machine that the tab asked for.
// ctx is from New.
func OutsideRequests(ctx context.Context) []string {
	r := ctx.Value(recorderKey{}).(*recorder)
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.outside)
}

// note is called with every event of the tab, one after the other.
func (r *recorder) note(event any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			r.problems = append(r.problems, "console: "+texts(e.Args))
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if thrown := e.ExceptionDetails.Exception; thrown != nil {
			text += " " + thrown.Description
		}
		r.problems = append(r.problems, "exception: "+text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			r.problems = append(r.problems, string(e.Entry.Source)+": "+e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		r.noteAddress(e.Request.URL)
	case *network.EventWebSocketCreated:
		r.noteAddress(e.URL)
	}
}

func (r *recorder) noteAddress(address string) {
	if !onThisMachine(address) {
		r.outside = append(r.outside, address)
	}
}

func onThisMachine(address string) bool {
	parsed, err := url.Parse(address)
	if err != nil {
		return false
	}
	switch parsed.Scheme {
	case "about", "blob", "data":
		return true
	}
	switch parsed.Hostname() {
	case "127.0.0.1", "localhost", "::1":
		return true
	}
	return false
}

func texts(args []*runtime.RemoteObject) string {
	var text string
	for i, arg := range args {
		if i > 0 {
			text += " "
		}
		if arg.Description != "" {
			text += arg.Description
		} else {
			text += string(arg.Value)
		}
	}
	return text
}
