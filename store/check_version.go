package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// flaw is a weakness of PostgreSQL that lets rows past row level security.
type flaw struct {
	name, what string
	// fixed are the first minor versions of each major version without it. Later major versions never had it, earlier ones
	// have it for ever.
	fixed map[int]int
}

// From PostgreSQL's security page.
var flaws = []flaw{
	{"CVE-2024-10976", "row security is forgotten where a plan is used by another role", map[int]int{12: 21, 13: 17, 14: 14, 15: 9, 16: 5, 17: 1}},
	{"CVE-2025-8713", "statistics show values of rows that row security hides", map[int]int{13: 22, 14: 19, 15: 14, 16: 10, 17: 6}},
}

// checkVersion finds known weaknesses of row security in the server's version. A warning: each needs SQL of one's own.
func checkVersion(ctx context.Context, conn *pgx.Conn) Checked {
	c := Checked{Name: "version", Holds: "the minor version of PostgreSQL has no known weakness of row security", Severity: Warning}
	var text string
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')").Scan(&text); err != nil {
		c.NotLookedAt = translate(err).Error()
		return c
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		c.NotLookedAt = "the server does not give its version as a number"
		return c
	}
	c.Violations = versionViolations(number)
	return c
}

// versionViolations takes the version as server_version_num has it: 150014 is 15.14.
func versionViolations(number int) []Violation {
	major, minor := number/10000, number%10000
	var known []string
	install, oldest := -1, 0
	for _, f := range flaws {
		fixed, mended := f.fixed[major]
		first := 1 << 30
		for version := range f.fixed {
			first = min(first, version)
		}
		if (mended && minor < fixed) || major < first {
			known = append(known, f.name+" ("+f.what+")")
			install = max(install, fixed)
		}
		if major < first {
			oldest = max(oldest, first)
		}
	}
	if known == nil {
		return nil
	}
	mend := fmt.Sprintf("-- Install PostgreSQL %d.%d or a later %d and restart it: a minor version keeps the data as it is.", major, install, major)
	if oldest > 0 {
		mend = fmt.Sprintf("-- No minor version of PostgreSQL %d mends it: move to a major version that is maintained.", major)
	}
	return []Violation{{Where: fmt.Sprintf("PostgreSQL %d.%d", major, minor), What: "has " + strings.Join(known, " and "), Mend: mend}}
}
