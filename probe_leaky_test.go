package main

import (
	"regexp"
	"strings"
	"sync"
)

// leaky remembers what passed through a proxy, and gives it to those whom it does not belong to.
type leaky struct {
	mu sync.Mutex
	// of is the organization that was the first to be answered with an id, titles a document's title of each.
	of, titles map[string]string
}

var (
	anyID      = regexp.MustCompile(`"id":"([^"]{8,})"`)
	anyTitle   = regexp.MustCompile(`"title":"([^"]{8,})"`)
	noDocument = regexp.MustCompile(`("\w*document"):null`)
)

func (l *leaky) learn(organization string, answer []byte) {
	if organization == "" {
		return
	}
	if l.of == nil {
		l.of, l.titles = map[string]string{}, map[string]string{}
	}
	for _, match := range anyID.FindAllSubmatch(answer, -1) {
		if id := string(match[1]); l.of[id] == "" {
			l.of[id] = organization
		}
	}
	if match := anyTitle.FindSubmatch(answer); match != nil && l.titles[organization] == "" {
		l.titles[organization] = string(match[1])
	}
}

// owner is the other organization that an operation names something of; "" where it names nothing of others.
func (l *leaky) owner(organization, operation string) string {
	for id, of := range l.of {
		if organization != "" && of != organization && strings.Contains(operation, id) {
			return of
		}
	}
	return ""
}

// document answers with another organization's document.
func (l *leaky) document(organization, operation string, answer []byte) []byte {
	owner := l.owner(organization, operation)
	if owner == "" || !strings.Contains(operation, "document(id:") {
		return answer
	}
	return noDocument.ReplaceAll(answer, []byte(`$1:{"__typename":"Document","title":"`+l.titles[owner]+`"}`))
}

// existence lets see whether another organization has what is asked for.
func (l *leaky) existence(organization, operation string, answer []byte) []byte {
	if l.owner(organization, operation) == "" || !strings.Contains(operation, "node(id:") {
		return answer
	}
	return append(answer[:len(answer)-1], `,"extensions":{"exists":true}}`...)
}
