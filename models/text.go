package models

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// checkText returns what keeps a text from being stored, or "". PostgreSQL's text takes neither NUL nor broken UTF-8.
func checkText(text string, limit int) string {
	switch {
	case !utf8.ValidString(text):
		return "must be valid UTF-8"
	case strings.ContainsRune(text, 0):
		return "must not contain NUL characters"
	case len(text) > limit && utf8.RuneCountInString(text) > limit:
		return fmt.Sprintf("must have at most %d characters", limit)
	}
	return ""
}
