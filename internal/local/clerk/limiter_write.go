package clerk

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// narrowLimit is one that Clerk has beside that of everything.
type narrowLimit struct {
	most   int
	window time.Duration
	what   string
	each   bool // counted for each object, not for the instance
}

var (
	ofOneObject   = narrowLimit{10, 10 * time.Second, "changes of one object in 10 s", true}
	ofInvitations = narrowLimit{250, time.Hour, "invitations in an hour", false}
	ofBulks       = narrowLimit{50, time.Hour, "bulks of invitations in an hour", false}
)

// manyLimiters is from how many on those that count nothing any more are
// forgotten.
const manyLimiters = 1000

// narrowLimits count the requests of each narrow limit.
type narrowLimits struct {
	mu  sync.Mutex
	all map[string]*limiter
}

// take counts a request, as limiter.take does.
func (n *narrowLimits) take(of narrowLimit, object string, now time.Time) time.Duration {
	key := of.what
	if of.each {
		key += " " + object
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.all) >= manyLimiters {
		for key, l := range n.all {
			if l.idle(now) {
				delete(n.all, key)
			}
		}
	}
	if n.all == nil {
		n.all = map[string]*limiter{}
	}
	if n.all[key] == nil {
		n.all[key] = &limiter{most: of.most, window: of.window}
	}
	return n.all[key].take(now)
}

// seldom refuses what is above the narrow limit of a write. Who lifted the limit
// of everything lifted this one, too.
func (c *Clerk) seldom(of write, next http.Handler) http.Handler {
	if of.seldom.most == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.limiter.allowed(c.now()) < 0 {
			next.ServeHTTP(w, r)
			return
		}
		// An object and its metadata are one.
		wait := c.writes.take(of.seldom, strings.TrimSuffix(r.URL.Path, "/metadata"), c.now())
		if wait == 0 {
			next.ServeHTTP(w, r)
			return
		}
		tooMany(w, wait, strconv.Itoa(of.seldom.most)+" "+of.seldom.what)
	})
}
