package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// Tags of a flag beside kong's own: its variable, and what holds when neither is given.
const (
	tagVariable = "variable"
	tagUnset    = "unset"
)

// errHelpShown ends the parse after --help.
var errHelpShown = errors.New("help was shown")

// helpFlag prints the help of the command it stands behind.
type helpFlag bool

// BeforeReset is kong's hook before anything is validated, so that help is given whatever else is missing.
func (helpFlag) BeforeReset(ctx *kong.Context) error {
	w := &helpText{}
	command := ctx.Selected()
	if command == nil || command.Name == "serve" {
		w.program(ctx.Model.Node)
	} else {
		w.command(command)
	}
	if _, err := io.WriteString(ctx.Stdout, w.String()); err != nil {
		return err
	}
	return errHelpShown
}

// helpText lays out help. It is our own because kong's shows neither the flags of the default command at the top nor
// variables without a flag.
type helpText struct {
	strings.Builder
}

func (w *helpText) linef(format string, args ...any) {
	fmt.Fprintf(w, format+"\n", args...)
}

// program is the help of `tenantry` and `tenantry serve`, which are the same command.
func (w *helpText) program(app *kong.Node) {
	w.linef("Usage: tenantry [serve] [flags]")
	w.linef("       tenantry <command> [flags]")
	w.linef("")
	w.linef("With nothing set, all is local: a private PostgreSQL, a local Clerk, the server on 127.0.0.1.")
	w.linef("With development keys (sk_test_, pk_test_) it is your Clerk, with live keys it is production.")
	w.commands(app)
	for _, child := range app.Children {
		if child.Name == "serve" {
			w.flags("Flags of serve:", child.Flags)
		}
	}
	w.linef("")
	w.linef("Secrets of serve, by variable only (a flag can be read by whoever lists the processes):")
	for _, s := range secrets {
		w.linef("  %s", s.variable)
		w.linef("      %s", s.help)
		w.linef("      default: %s", s.unset)
	}
	w.flags("Flags of every command:", app.Flags)
	w.linef("")
	w.linef("A flag wins over its variable. Run `tenantry <command> --help` for the flags of a command.")
}

// command is the help of every other command.
func (w *helpText) command(node *kong.Node) {
	usage := node.FullPath()
	for _, argument := range node.Positional {
		usage += " " + argument.Summary()
	}
	if !node.Leaf() {
		usage += " <command>"
	}
	w.linef("Usage: %s [flags]", usage)
	w.linef("")
	w.linef("%s", node.Help)
	for _, argument := range node.Positional {
		w.linef("")
		w.linef("  %s", argument.Summary())
		w.linef("      %s", argument.Help)
	}
	if !node.Leaf() {
		w.commands(node)
	}
	w.flags("Flags:", node.Flags)
}

func (w *helpText) commands(node *kong.Node) {
	w.linef("")
	w.linef("Commands:")
	for _, leaf := range node.Leaves(true) {
		w.linef("  %-20s  %s", leaf.Path(), leaf.Help)
	}
}

func (w *helpText) flags(title string, flags []*kong.Flag) {
	if len(flags) == 0 {
		return
	}
	w.linef("")
	w.linef("%s", title)
	for _, flag := range flags {
		name := "--" + flag.Name
		switch {
		case flag.Tag.Negatable != "":
			name = "--[no-]" + flag.Name
		case !flag.IsBool():
			name += "=" + flag.FormatPlaceHolder()
		}
		w.linef("  %s", name)
		w.linef("      %s", flag.Help)
		var notes []string
		if variable := flag.Tag.Get(tagVariable); variable != "" {
			notes = append(notes, "variable: "+variable)
		}
		if unset := flag.Tag.Get(tagUnset); unset != "" {
			notes = append(notes, "default: "+unset)
		}
		if flag.Required {
			notes = append(notes, "required")
		}
		if len(notes) > 0 {
			w.linef("      %s", strings.Join(notes, "; "))
		}
	}
}
