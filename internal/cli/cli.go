// Package cli is the command line: it turns flags and variables into one checked Config and runs the commands that
// speak to a running server. It is independent of what serving means: that is a function its caller hands in.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"github.com/tenantry/tenantry/internal/probe"
	"github.com/tenantry/tenantry/store"
)

// Exit codes of Main.
const (
	exitOK    = 0
	exitRun   = 1 // the command was understood and failed
	exitUsage = 2 // the command line or a variable is wrong; nothing was tried
)

// Serve is what `tenantry serve` runs, until ctx ends or it fails.
type Serve func(ctx context.Context, c Config, stdout, stderr io.Writer) error

// root is the grammar of the command line.
type root struct {
	Help helpFlag `short:"h" help:"Show the commands, the flags, their variables and defaults."`

	Serve   serveCommand   `cmd:"" default:"withargs" help:"Serve the API. This runs when no command is named."`
	Token   tokenCommand   `cmd:"" help:"Print a session token of the local Clerk; it lives 60 s."`
	Clerk   clerkCommand   `cmd:"" help:"Change the members of the running server's local Clerk, or let its webhooks go wrong."`
	Migrate migrateCommand `cmd:"" help:"Run the migrations of this build and nothing else, as a step of a release."`
	Mirror  mirrorCommand  `cmd:"" help:"Look after the copy of Clerk."`
	Doctor  doctorCommand  `cmd:"" help:"Check what Tenantry relies on: the database, or with --clerk your Clerk."`
	Probe   probeCommand   `cmd:"" help:"Attack the isolation of organizations, as one of two that are made for it."`
	Roles   rolesCommand   `cmd:"" help:"Compare roles.yml with Clerk, and bring it there."`
	New     newCommand     `cmd:"" help:"Write a type of your own into this checkout."`
	Rename  renameCommand  `cmd:"" help:"Rename the module of this checkout, in every file."`
	Version versionCommand `cmd:"" help:"Print the version, the commit and the Go release of this build."`
}

// Roles are what the commands about roles are handed.
type Roles struct {
	File []byte // the roles.yml of this build
	// Asked returns the permissions that the schema names.
	Asked func() []string
}

// console is what commands write to and read variables from.
type console struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	variables      *variables
	serve          Serve
	roles          Roles
	schema         func() *probe.Schema
	welcome        store.Welcome
}

// Main parses args (without the program's name) and runs the chosen command; lookup is os.LookupEnv or stands in for
// it, since a variable that is set but empty must differ from one that is not set. It returns the exit code: 0, 1 when
// the command failed, 2 when the command line or a variable is wrong. schema returns this build's schema, for the attack.
// Errors go to stderr and never contain the value of a variable.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer, lookup func(string) (string, bool), serve Serve, roles Roles,
	welcome store.Welcome, schema func() *probe.Schema,
) int {
	c := &console{
		stdin: os.Stdin, stdout: stdout, stderr: stderr, variables: newVariables(lookup), serve: serve, roles: roles,
		welcome: welcome, schema: schema,
	}
	parser, err := kong.New(&root{},
		kong.Name("tenantry"),
		kong.Writers(stdout, stderr),
		kong.NoDefaultHelp(),
		kong.Resolvers(kong.ResolverFunc(c.variables.resolve)),
		kong.Bind(c),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		return c.fail(err)
	}
	command, err := parser.Parse(args)
	if errors.Is(err, errHelpShown) {
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "tenantry: %v\nRun `tenantry --help` for the commands and flags.\n", err)
		return exitUsage
	}
	return c.fail(command.Run())
}

// fail shows the error, if any, and returns the exit code it stands for.
func (c *console) fail(err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(c.stderr, "tenantry: %v\n", err)
	var wrong *SettingsError
	if errors.As(err, &wrong) {
		return exitUsage
	}
	return exitRun
}
