package cli

import (
	"net/url"
	"strconv"
	"strings"
)

// readDatabase checks the logins and the scope against each other.
func (r *reader) readDatabase(c *Config) {
	r.readDatabaseURLs(c)
	if r.databaseMigrateURL != "" && !r.isSet(varDatabaseURL, r.databaseURL) {
		r.problems.add(varDatabaseURL, "is missing since "+varDatabaseMigrateURL+" is set: the login that requests use")
	}
	c.PoolSize = r.readPoolSize()
	r.readScope(c)
}

func (r *reader) readDatabaseURLs(c *Config) {
	c.DatabaseURL = r.readDatabaseURL(varDatabaseURL, r.databaseURL)
	c.DatabaseMigrateURL = r.readDatabaseURL(varDatabaseMigrateURL, r.databaseMigrateURL)
}

// readScope notes a scope that is none, and one that lacks a login.
func (r *reader) readScope(c *Config) {
	c.Scope = r.flags.Scope
	switch c.Scope {
	case "":
		c.Scope = ScopeConnection
	case ScopeConnection:
	case ScopeTransaction:
		if r.databaseURL != "" && !r.isSet(varDatabaseMigrateURL, r.databaseMigrateURL) {
			r.problems.add(varDatabaseMigrateURL, "is missing since "+varScope+" is transaction: a login that reaches PostgreSQL "+
				"directly and not through the pooler, for migrations and locks")
		}
	default:
		r.problems.add(varScope, "must be connection or transaction")
	}
}

// readPoolSize returns how many connections requests may use, 0 where that is not said. One request
// may use two.
func (r *reader) readPoolSize() int32 {
	const least, most = 2, 1000
	if r.flags.PoolSize == "" {
		return 0
	}
	size, err := strconv.ParseInt(r.flags.PoolSize, 10, 32)
	if err != nil || size < least || size > most {
		r.problems.add(varPoolSize, "must be a number from 2 to 1000")
		return 0
	}
	return int32(size)
}

// readDatabaseURL takes a postgres:// URL. Neither it nor the parser's error is shown: both hold the password.
func (r *reader) readDatabaseURL(variable, text string) string {
	if text == "" {
		return ""
	}
	if !strings.HasPrefix(text, "postgres://") && !strings.HasPrefix(text, "postgresql://") {
		r.problems.add(variable, "must begin with postgres://")
		return ""
	}
	if _, err := url.Parse(text); err != nil {
		r.problems.add(variable, "cannot be read as a URL: write characters such as @ : / ? # % in the password percent-encoded")
		return ""
	}
	return text
}
