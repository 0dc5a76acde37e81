package main

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// It changes the limit of the whole process, so it does not run beside other tests.
func TestTheMemoryLimitFollowsTheContainers(t *testing.T) {
	before := debug.SetMemoryLimit(math.MaxInt64)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	t.Setenv("GOMEMLIMIT", "") // restores it
	_ = os.Unsetenv("GOMEMLIMIT")
	none := func(err error) memlimit.Provider { return func() (uint64, error) { return 0, err } }
	follow := func(container memlimit.Provider) (limit int64, logged string) {
		debug.SetMemoryLimit(math.MaxInt64)
		var out bytes.Buffer
		followMemoryLimit(slog.New(slog.NewTextHandler(&out, nil)), container)
		return debug.SetMemoryLimit(-1), out.String()
	}
	for name, container := range map[string]memlimit.Provider{
		"no limit": none(memlimit.ErrNoLimit), "no container": none(memlimit.ErrNoCgroup), "no such system": none(memlimit.ErrCgroupsNotSupported),
	} {
		if limit, logged := follow(container); limit != math.MaxInt64 || logged != "" {
			t.Errorf("%s: the limit is %d, logged %q", name, limit, logged)
		}
	}
	if limit, logged := follow(memlimit.Limit(1000 << 20)); limit != 900<<20 || !strings.Contains(logged, "level=INFO") || !strings.Contains(logged, "bytes=943718400") {
		t.Errorf("a container of 1000 MiB: the limit is %d, logged %q", limit, logged)
	}
	t.Setenv("GOMEMLIMIT", "2GiB")
	if limit, logged := follow(memlimit.Limit(1000 << 20)); limit != math.MaxInt64 || logged != "" {
		t.Errorf("with GOMEMLIMIT: the limit is %d, logged %q", limit, logged)
	}
}

func TestHowManyRunAtOnce(t *testing.T) {
	t.Parallel()
	if got := maxInFlight(7, 10); got != 7 {
		t.Errorf("configured: got %d", got)
	}
	if few, more := maxInFlight(0, 4), maxInFlight(0, 20); few <= 16 || more-few != 4*16 {
		t.Errorf("by default: got %d and %d", few, more)
	}
}
