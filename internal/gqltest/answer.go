// Package gqltest reads GraphQL answers in tests. It knows nothing of how they were made.
package gqltest

import (
	"encoding/json"
	"fmt"
	"testing"
)

// Answer is what came back for one GraphQL request.
type Answer struct {
	Status int    `json:"-"`
	Body   string `json:"-"`
	Data   map[string]any
	Errors []Error
}

// Error is one of an answer's errors.
type Error struct {
	Message    string
	Path       []any
	Extensions map[string]any
}

// Read reads an answer; the test fails where it is no JSON.
func Read(t testing.TB, status int, body []byte) Answer {
	t.Helper()
	answer := Answer{Status: status, Body: string(body)}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("the answer is no JSON (%v): %s", err, body)
	}
	return answer
}

// Code is the first error's code, "" without one.
func (a Answer) Code() string {
	if len(a.Errors) == 0 {
		return ""
	}
	code, _ := a.Errors[0].Extensions["code"].(string)
	return code
}

// At digs a value out of data, by the names of fields and the indexes of lists; nil where there is none.
func (a Answer) At(path ...any) any {
	var value any = a.Data
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[step]
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				return nil
			}
			value = list[step]
		}
	}
	return value
}

func (a Answer) String() string { return fmt.Sprintf("%d %s", a.Status, a.Body) }
