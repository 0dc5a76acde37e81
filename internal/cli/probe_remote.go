package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/tenantry/tenantry/internal/probe"
)

// remoteProbe attacks any server, with the tokens of two organizations.
type remoteProbe struct {
	url   string
	write bool
	texts map[string]string
	a, b  probe.Voice
}

func newRemoteProbe(p *probeCommand, c *console) (*remoteProbe, error) {
	u, err := url.Parse(p.URL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("--url is no address such as https://api.example.com")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, errors.New("--url must begin with https://, or the tokens could be read on their way")
	case p.TokenA == "" || p.TokenB == "":
		return nil, errors.New("--url takes --token-a and --token-b, session tokens of two organizations; with --token-a=@FILE they are read from a file")
	}
	stdin := bufio.NewReader(c.stdin)
	speaker := newSpeaker(p.URL)
	a, err := tokenFrom(p.TokenA, stdin)
	if err != nil {
		return nil, err
	}
	b, err := tokenFrom(p.TokenB, stdin)
	if err != nil {
		return nil, err
	}
	return &remoteProbe{url: speaker.url, write: p.Write, texts: p.Text, a: speaker.as(a), b: speaker.as(b)}, nil
}

// tokenFrom is a token that was given as it is, in a file, or in a line of stdin.
func tokenFrom(given string, stdin *bufio.Reader) (func(context.Context) (string, error), error) {
	if file, is := strings.CutPrefix(given, "@"); is {
		read := func(context.Context) (string, error) {
			text, err := os.ReadFile(file)
			return strings.TrimSpace(string(text)), err
		}
		_, err := read(context.Background())
		return read, err
	}
	if given == "-" {
		line, err := stdin.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if given = strings.TrimSpace(line); given == "" {
			return nil, errors.New("there is no token in stdin: it takes one in a line, that of --token-a before that of --token-b")
		}
	}
	return func(context.Context) (string, error) { return given, nil }, nil
}

const whoAsks = `{ viewer { organization { id } } }`

func organizationOf(ctx context.Context, voice probe.Voice) (string, error) {
	var who struct {
		Viewer struct {
			Organization *struct{ ID string }
		}
	}
	if err := ask(ctx, voice, whoAsks, nil, &who); err != nil {
		return "", err
	}
	if who.Viewer.Organization == nil {
		return "", errors.New("no organization is active in the token")
	}
	return who.Viewer.Organization.ID, nil
}

// prepare looks whose the tokens are and, if it may write, fills both organizations.
func (r *remoteProbe) prepare(ctx context.Context, attack *probe.Attack) (untried []string, err error) {
	organizations := [2]string{}
	for i, voice := range []probe.Voice{r.a, r.b} {
		if organizations[i], err = organizationOf(ctx, voice); err != nil {
			return nil, fmt.Errorf("--token-%c: %w", "ab"[i], err)
		}
	}
	if organizations[0] == organizations[1] {
		return nil, fmt.Errorf("--token-a and --token-b are both of %s: take tokens of two organizations", organizations[0])
	}
	attack.A, attack.B = r.a, r.b
	if !r.write {
		return []string{
			"mutations, and ids of things that were deleted: nothing is changed without --write",
			"fields whose objects neither organization has: nothing is made without --write",
		}, nil
	}
	attack.Spared = map[string]string{
		addsUser + " User":   sharedUsers,
		"createOrganization": "it would leave organizations behind",
		"deleteOrganization": "it would delete the organization of --token-a",
		"leaveOrganization":  "it would end the membership of --token-a",
	}
	texts, fillers := fittingTexts(r.texts), [2]filler{}
	for i, voice := range []probe.Voice{r.a, r.b} {
		fillers[i] = newFiller(attack.Schema, voice, newMark("ab"[i:i+1]), texts, func(context.Context, string) (string, error) { return "", nil })
		if err := fillers[i].fill(ctx, remoteOfEach); err != nil {
			return nil, err
		}
	}
	attack.Fresh, attack.Canaries = fillers[0].make, []string{fillers[1].Mark()}
	for name, text := range texts {
		attack.Texts[name] = strings.ReplaceAll(text, "*", fillers[0].Mark())
	}
	if fillers[0].refused["Member"] != "" {
		const reason = "tokens alone make nobody an account, so there is nobody to make a member"
		attack.Excused = map[string]string{
			"AddMemberPayload.member": reason, "UpdateMemberRolePayload.member": reason, "RemoveMemberPayload.removedMemberId": reason,
		}
	}
	return append(fillers[0].refusals(), alwaysUntried...), nil
}

// remoteOfEach is how many objects of each type an organization gets.
const remoteOfEach = 2
