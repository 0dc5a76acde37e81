package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tenantry/tenantry/internal/probe"
)

// probeCommand is `tenantry probe`.
type probeCommand struct {
	URL    string            `name:"url" help:"Attack the server there instead, such as https://api.example.com, as the organization of one token, for what that of another has. It only reads unless --write is given." placeholder:"URL" unset:"the local server, with two organizations made for it"`
	TokenA string            `name:"token-a" help:"With --url: a session token for the organization that attacks. @FILE reads it from a file, again whenever that changes, and - a line from stdin, so that it is not in the list of processes." variable:"TENANTRY_PROBE_TOKEN_A" placeholder:"TOKEN" unset:"none"`
	TokenB string            `name:"token-b" help:"With --url: a session token for the organization that is attacked, in the same ways." variable:"TENANTRY_PROBE_TOKEN_B" placeholder:"TOKEN" unset:"none"`
	Write  bool              `help:"With --url: also make objects in both organizations, and try the mutations. What they have may be changed and deleted: name organizations made for this." unset:"false, reading only"`
	Text   map[string]string `help:"What inputs of a name are given, where not every text will do; * stands for something new each time." placeholder:"NAME=TEXT;..." unset:"a text made up from the name"`
	Seed   uint64            `help:"Chooses what is left to chance." placeholder:"N" unset:"1"`
	Probes int               `help:"How many answered fields to go on for, after everything was tried once." placeholder:"N" unset:"50000"`
	Depth  int               `help:"How many fields may lead to an argument that is attacked, itself included." placeholder:"N" unset:"4"`
	JSON   bool              `name:"json" help:"Write one JSON object, for programs." unset:"false, text"`
	Dir    string            `help:"The folder that the local server runs in." variable:"TENANTRY_DIR" placeholder:"FOLDER" unset:"the current folder"`
}

// What stands where a flag is not given.
const (
	defaultProbes = 50_000
	defaultDepth  = 4
)

// Validate is kong's hook.
func (p *probeCommand) Validate() error {
	if p.URL == "" && p.Write {
		return errors.New("--write goes with --url")
	}
	if p.Probes < 0 || p.Depth < 0 || p.Depth > 6 {
		return errors.New("--probes is at least 1, --depth 1 to 6")
	}
	return nil
}

// Run attacks and reports. Its error makes the exit code 1.
func (p *probeCommand) Run(ctx context.Context, c *console) error {
	if err := c.variables.problems.err(); err != nil {
		return err
	}
	attack := &probe.Attack{
		Schema: c.schema(), Seed: cmp.Or(p.Seed, 1), Probes: cmp.Or(p.Probes, defaultProbes), Depth: cmp.Or(p.Depth, defaultDepth),
		Texts: map[string]string{},
	}
	progress := newProgress(c.stderr, p.JSON)
	progress.unit = "fields"
	defer progress.end()
	attack.Progress = func(answered, wanted int) { progress.progress("fields answered", answered, wanted) }
	began := time.Now()
	outcome, err := p.attack(ctx, c, attack)
	progress.end()
	if err != nil {
		return err
	}
	outcome.took = time.Since(began)
	if p.JSON {
		err = writeJSON(c.stdout, outcome.json())
	} else {
		err = outcome.write(c.stdout)
	}
	switch {
	case err != nil:
		return err
	case outcome.report.Leaks > 0:
		return errors.New("one organization could tell what another one has: see what was found")
	case outcome.report.Faults > 0:
		return errors.New("the server failed: see what was found")
	case !outcome.report.Good():
		return errors.New("not everything was reached: see what was not")
	}
	return nil
}

// attack prepares both organizations, attacks, and puts everything back.
func (p *probeCommand) attack(ctx context.Context, c *console, attack *probe.Attack) (outcome probeOutcome, err error) {
	var prepare func(context.Context, *probe.Attack) ([]string, error)
	end := func(context.Context) error { return nil }
	if p.URL == "" {
		local, err := newLocalProbe(p)
		if err != nil {
			return outcome, err
		}
		outcome.url, prepare, end = local.url, local.prepare, local.end
	} else {
		remote, err := newRemoteProbe(p, c)
		if err != nil {
			return outcome, err
		}
		outcome.url, prepare = remote.url, remote.prepare
	}
	defer func() {
		err = explainProbe(ctx, err)
		// Also when somebody has stopped the attack.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
		defer cancel()
		if left := end(ending); left != nil {
			err = errors.Join(err, fmt.Errorf("what was made for the attack is still there: %w", left))
		}
	}()
	if outcome.untried, err = prepare(ctx, attack); err != nil {
		return outcome, err
	}
	outcome.report, err = attack.Run(ctx)
	return outcome, err
}

// endTimeout bounds the putting back.
const endTimeout = 30 * time.Second

// explainProbe says what to do about an attack that could not be made.
func explainProbe(ctx context.Context, err error) error {
	switch {
	case err != nil && ctx.Err() != nil:
		return errors.New("stopped before the attack was over")
	case errors.Is(err, probe.ErrRefused):
		return fmt.Errorf("%w\nIf the server has another schema than this build, run the command from the commit that it serves", err)
	}
	return err
}
