package attack

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Answer is what came back for an operation.
type Answer struct {
	Data   map[string]any
	Errors []Error
}

// Error is one of an answer's errors.
type Error struct {
	Path       []any
	Extensions map[string]any
}

// Verdict is what an answer showed.
type Verdict struct {
	// Faults are what should not have come back, each with its path.
	Faults []string
	// Probes is how many fields were looked at, Denials how many of them were closed as they should be.
	Probes, Denials int
	// Claims counts what says that the viewer holds the plan's right.
	Claims int
	// Seen are the texts that came back, each with the rights that guarded it wherever it came.
	Seen map[string]map[Right]bool
}

// judge goes through an answer beside the operation.
type judge struct {
	Verdict
	schema *ast.Schema
	right  Right
	holds  func(Right) bool
	errors map[string][]Error
}

// Judge compares an answer with what somebody may see who holds what holds says.
func (p Plan) Judge(o Operation, answer Answer, holds func(Right) bool) Verdict {
	j := &judge{schema: p.Schema, right: p.Right, holds: holds, errors: map[string][]Error{}}
	j.Seen = map[string]map[Right]bool{}
	for _, e := range answer.Errors {
		j.errors[at(e.Path...)] = append(j.errors[at(e.Path...)], e)
	}
	for _, child := range o.root.within {
		if o.Mutation != nil && answer.Data[child.key] == nil {
			j.forgiveRefusal(child)
		}
		j.field(child, answer.Data, "", nil)
	}
	for path, errors := range j.errors {
		j.fault(path, "an error that nothing asked for: %v", errors[0].Extensions)
	}
	return j.Verdict
}

// forgiveRefusal takes out of the errors what a mutation answers to whoever may call it: no such object, a conflict.
func (j *judge) forgiveRefusal(call *node) {
	for path, errors := range j.errors {
		code, _ := errors[0].Extensions["code"].(string)
		if path == at(call.key) && len(errors) == 1 && (code == "NOT_FOUND" || code == "CONFLICT" || code == "BAD_USER_INPUT") {
			if missing := j.missing(Asked(call.field.Directives)); missing != nil {
				j.fault(path, "refused with %s, and not for want of %v", code, missing)
			}
			delete(j.errors, path)
		}
	}
}

func at(steps ...any) string {
	var path strings.Builder
	for _, step := range steps {
		fmt.Fprintf(&path, "/%v", step)
	}
	return path.String()
}

func (j *judge) fault(path, format string, args ...any) {
	j.Faults = append(j.Faults, path+": "+fmt.Sprintf(format, args...))
}

func (j *judge) missing(rights []Right) []Right {
	var missing []Right
	for _, right := range rights {
		if !j.holds(right) {
			missing = append(missing, right)
		}
	}
	return missing
}

// field judges one field of an object. guards are the rights that were asked for on the way to it.
func (j *judge) field(n *node, object map[string]any, path string, guards []Right) {
	path += at(n.key)
	j.Probes++
	own := Asked(n.field.Directives)
	if named := j.schema.Types[n.field.Type.Name()]; !named.IsAbstractType() {
		own = append(own, Asked(named.Directives)...)
	} else if len(n.concrete) == 1 && n.field.Type.Elem == nil {
		own = append(own, Asked(j.schema.Types[n.concrete[0]].Directives)...)
	}
	value := object[n.key]
	if missing := j.missing(own); missing != nil {
		j.closed(value, path, missing)
		return
	}
	guards = append(slices.Clip(guards), own...)
	if list, ok := value.([]any); ok {
		for i, item := range list {
			j.item(n, i, item, path, guards)
		}
		return
	}
	j.value(n, value, path, guards)
}

// item judges one item of a list, which may be of a type that only its position tells.
func (j *judge) item(n *node, index int, value any, path string, guards []Right) {
	path += at(index)
	if index < len(n.concrete) {
		own := Asked(j.schema.Types[n.concrete[index]].Directives)
		if missing := j.missing(own); missing != nil {
			j.Probes++
			j.closed(value, path, missing)
			return
		}
		guards = append(slices.Clip(guards), own...)
	}
	j.value(n, value, path, guards)
}

// closed judges what the viewer may not have: null, and one error that names a right that is missing.
func (j *judge) closed(value any, path string, missing []Right) {
	if value != nil {
		j.fault(path, "came back without the %v", missing)
	}
	errors := j.errors[path]
	delete(j.errors, path)
	if len(errors) != 1 {
		j.fault(path, "%d errors where the %v is missing", len(errors), missing)
		return
	}
	if !names(errors[0], missing) {
		j.fault(path, "the error does not name the %v: %v", missing, errors[0].Extensions)
		return
	}
	j.Denials++
}

func names(e Error, missing []Right) bool {
	return e.Extensions["code"] == "FORBIDDEN" && slices.ContainsFunc(missing, func(r Right) bool {
		if r.Kind == "reverification" {
			return e.Extensions["clerk_error"] != nil
		}
		named, _ := e.Extensions[r.Kind].(string)
		return named == r.Name || r.Kind != "permission" && strings.HasSuffix(named, ":"+r.Name)
	})
}

// value judges what may be seen.
func (j *judge) value(n *node, value any, path string, guards []Right) {
	switch value := value.(type) {
	case map[string]any:
		for _, child := range n.within {
			if child.on == "" || child.on == value["__typename"] {
				j.field(child, value, path, guards)
			}
		}
		j.allowance(n, value, path)
	case string:
		j.text(value, path, guards)
	case bool:
		if value && n.field.Arguments != nil && strings.Contains(n.arguments, j.right.Name) {
			j.claim(path)
		}
	}
}

// allowance judges what @can answers, which must be what happens.
func (j *judge) allowance(n *node, value map[string]any, path string) {
	rights := claimed(j.schema, n.field.Directives)
	allowed, told := value["allowed"].(bool)
	if len(rights) == 0 || !told {
		return
	}
	if missing := j.missing(rights); allowed != (missing == nil) {
		j.fault(path, "says allowed: %v where %v is missing", allowed, missing)
	}
	if allowed && slices.Contains(rights, j.right) {
		j.claim(path)
	}
}

func (j *judge) claim(path string) {
	j.Claims++
	if !j.holds(j.right) {
		j.fault(path, "says that the viewer holds the %v", j.right)
	}
}

func (j *judge) text(text, path string, guards []Right) {
	if text == j.right.Name {
		j.claim(path)
	}
	by := map[Right]bool{}
	for _, right := range guards {
		by[right] = true
	}
	Meet(j.Seen, map[string]map[Right]bool{text: by})
}

// Meet adds what was seen elsewhere: a text is guarded by a right only where that stood before it every time.
func Meet(seen, more map[string]map[Right]bool) {
	for text, guards := range more {
		if known, found := seen[text]; found {
			maps.DeleteFunc(known, func(r Right, _ bool) bool { return !guards[r] })
		} else {
			seen[text] = maps.Clone(guards)
		}
	}
}

// Secrets are the texts that nobody sees without the right. Short ones are left out: they may come up by chance.
func Secrets(seen map[string]map[Right]bool, right Right) []string {
	var secrets []string
	for text, guards := range seen {
		if guards[right] && len(text) >= 8 {
			secrets = append(secrets, text)
		}
	}
	slices.Sort(secrets)
	return secrets
}
