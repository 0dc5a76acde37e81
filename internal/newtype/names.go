package newtype

import (
	"go/token"
	"slices"
	"strings"
	"unicode"
)

// words are the words of a name such as LineItem, in small letters.
func words(name string) []string {
	var parts []string
	begin := 0
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			parts = append(parts, strings.ToLower(name[begin:i]))
			begin = i
		}
	}
	return append(parts, strings.ToLower(name[begin:]))
}

// initialisms are written in capitals in Go, by gqlgen as well.
var initialisms = []string{
	"acl", "api", "ascii", "cpu", "css", "csv", "db", "dns", "eof", "guid", "html", "http", "https", "icmp", "id", "ip", "json", "kvk", "lhs", "pdf",
	"pgp", "qps", "qr", "ram", "rhs", "rpc", "sku", "sla", "smtp", "sql", "ssh", "svg", "tcp", "tls", "ttl", "udp", "ui", "uid", "uri", "url", "utf",
	"uuid", "vm", "xml", "xmpp", "xsrf", "xss",
}

// goName is what gqlgen calls these words in Go.
func goName(parts []string) string {
	var name strings.Builder
	for _, part := range parts {
		if slices.Contains(initialisms, part) {
			name.WriteString(strings.ToUpper(part))
		} else {
			name.WriteString(capital(part))
		}
	}
	return name.String()
}

func capital(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// camel joins words as GraphQL names fields.
func camel(parts []string) string {
	name := parts[0]
	for _, part := range parts[1:] {
		name += capital(part)
	}
	return name
}

// plural is the plural of an English word, by rule.
func plural(word string) string {
	consonantBefore := func(ending string) bool {
		stem, ok := strings.CutSuffix(word, ending)
		return ok && stem != "" && !strings.ContainsAny(stem[len(stem)-1:], "aeiou")
	}
	switch {
	case consonantBefore("y"):
		return word[:len(word)-1] + "ies"
	case slices.ContainsFunc([]string{"s", "x", "z", "ch", "sh"}, func(ending string) bool { return strings.HasSuffix(word, ending) }):
		return word + "es"
	}
	return word + "s"
}

// plain says that everybody, gorm too, makes the plural of a word with an s and nothing else.
func plain(word string) bool {
	for _, ending := range []string{"a", "f", "fe", "i", "ium", "man", "o", "ouse", "ox", "s", "sh", "ch", "tum", "x", "y", "z"} {
		if strings.HasSuffix(word, ending) {
			return false
		}
	}
	return !slices.Contains([]string{"person", "child", "sex", "move", "rice", "sheep", "police", "money", "equipment", "information", "jeans", "mombie"}, word)
}

func article(word string) string {
	if strings.ContainsAny(word[:1], "aeio") || strings.HasPrefix(word, "un") || strings.HasPrefix(word, "up") {
		return "an"
	}
	return "a"
}

func contains(list []string, word string) bool { return slices.Contains(list, word) }

// taken are words that the written code uses for something else.
func taken(variable string) bool {
	return token.IsKeyword(variable) || slices.Contains(codeWords, variable)
}

var codeWords = []string{
	"actor", "any", "append", "author", "before", "bool", "byte", "cap", "clause", "clear", "close", "cmp", "comparable", "complex", "connection",
	"context", "copy", "created", "dbtest", "delete", "error", "errors", "false", "fields", "found", "gorm", "graph", "id", "ids", "imag", "in", "init",
	"input", "int", "iota", "items", "key", "len", "list", "main", "make", "mark", "max", "min", "models", "new", "nil", "now", "order", "org", "owned", "page", "remove", "scoped", "total",
	"panic", "print", "println", "real", "recover", "rune", "slice", "store", "strconv", "string", "strings", "support", "testing", "time", "true", "tx", "uint", "uuid",
	"want",
}

// sqlReserved are the words that PostgreSQL and the SQL standard keep for themselves.
var sqlReserved = strings.Fields(`all analyse analyze and any array as asc asymmetric authorization between binary both by case cast check
	collate collation column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
	current_timestamp current_user default deferrable delete desc distinct do else end except false fetch for foreign freeze from full grant
	group having ilike in index initially inner insert intersect into is isnull join lateral leading left like limit localtime localtimestamp
	natural not notnull null offset on only or order outer overlaps placing primary references returning right select session_user similar some
	symmetric system_user table tablesample then to trailing true union unique update user using values variadic verbose when where window with`)
