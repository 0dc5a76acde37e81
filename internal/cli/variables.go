package cli

import (
	"strings"

	"github.com/alecthomas/kong"
)

// variables reads the environment for the flags and for the secrets, which have no flag. It does not use kong's own
// `env` tag, which puts the variable's value into its error messages.
type variables struct {
	lookup   func(string) (string, bool)
	problems problems
}

func newVariables(lookup func(string) (string, bool)) *variables {
	return &variables{lookup: lookup}
}

// get returns the variable without surrounding space, and "" when it is not set. One that is set but empty is a
// problem: it is mostly a secret that did not reach the deployment, and must not quietly mean "use the default".
func (v *variables) get(name string) string {
	value, set := v.lookup(name)
	if !set {
		return ""
	}
	value = strings.TrimSpace(value)
	if value == "" {
		v.problems.add(name, "is set but empty: give it a value or unset it")
	}
	return value
}

// resolve gives kong the value of a flag that is not on the command line from the variable named in its tag.
func (v *variables) resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	name := flag.Tag.Get(tagVariable)
	if name == "" {
		return nil, nil
	}
	value := v.get(name)
	if value == "" {
		return nil, nil
	}
	if !flag.IsBool() {
		return value, nil
	}
	switch strings.ToLower(value) {
	case "true", "1", "yes", "on":
		return true, nil
	case "false", "0", "no", "off":
		return false, nil
	}
	v.problems.add(name, "must be true or false")
	return nil, nil
}
