package cli

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestHelpListsEveryFlagWithVariableAndDefault(t *testing.T) {
	t.Parallel()
	top, serve := run(t, nil, "--help"), run(t, nil, "serve", "-h")
	if top.code != 0 || top.config != nil || top.stderr != "" {
		t.Fatalf("exit %d, stderr %q", top.code, top.stderr)
	}
	if top.stdout != serve.stdout {
		t.Error("tenantry --help and tenantry serve --help differ")
	}
	parser, err := kong.New(&root{}, kong.NoDefaultHelp())
	if err != nil {
		t.Fatal(err)
	}
	flags := 0
	for _, command := range parser.Model.Leaves(false) {
		help := run(t, nil, append(strings.Fields(strings.TrimPrefix(command.Path(), "tenantry ")), "--help")...).stdout
		for _, flag := range command.Flags {
			flags++
			entry := entryOf(help, flag.Name)
			if entry == "" {
				t.Errorf("help of %s does not list --%s", command.Name, flag.Name)
				continue
			}
			if variable := flag.Tag.Get(tagVariable); variable != "" && !strings.Contains(entry, "variable: "+variable) {
				t.Errorf("--%s: %q does not name its variable %s", flag.Name, entry, variable)
			}
			unset := flag.Tag.Get(tagUnset)
			if !flag.Required && (unset == "" || !strings.Contains(entry, "default: "+unset)) {
				t.Errorf("--%s: %q does not give the default %q", flag.Name, entry, unset)
			}
			if flag.Required && !strings.Contains(entry, "required") {
				t.Errorf("--%s: %q does not say that it is required", flag.Name, entry)
			}
			// --reset alone acts once and must not stay on.
			if command.Name == "serve" && flag.Tag.Get(tagVariable) == "" && flag.Name != "reset" {
				t.Errorf("--%s has no variable", flag.Name)
			}
		}
	}
	if flags < 13 {
		t.Errorf("looked at %d flags only", flags)
	}
	for _, s := range secrets {
		if !strings.Contains(top.stdout, "  "+s.variable+"\n") || !strings.Contains(top.stdout, "default: "+s.unset) {
			t.Errorf("help does not list %s with its default", s.variable)
		}
	}
	for _, want := range []string{":8080, or :$PORT", "CLERK_WEBHOOK_SECRET", "clerk remove-member", "--help"} {
		if !strings.Contains(top.stdout, want) {
			t.Errorf("help lacks %q", want)
		}
	}
}

// entryOf is the flag's line in a help text with the two below it.
func entryOf(help, flag string) string {
	lines := strings.Split(help, "\n")
	for i, line := range lines {
		name, _, _ := strings.Cut(strings.TrimSpace(line), "=")
		if strings.ReplaceAll(name, "[no-]", "") == "--"+flag {
			return strings.Join(lines[i:min(i+3, len(lines))], "\n")
		}
	}
	return ""
}

func TestHelpIsGivenWhateverIsMissingOrWrong(t *testing.T) {
	t.Parallel()
	env := environment{"CLERK_SECRET_KEY": "", "TENANTRY_INTROSPECTION": "perhaps"}
	for _, args := range [][]string{{"--help"}, {"token", "--help"}, {"clerk", "--help"}, {"clerk", "set-role", "--help"}} {
		o := run(t, env, args...)
		if o.code != 0 || o.stderr != "" || !strings.HasPrefix(o.stdout, "Usage: tenantry ") {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", args, o.code, o.stdout, o.stderr)
		}
	}
}
