package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
)

// readmeBlock is a fenced block of README.md for a shell, with the output that the block below it shows, if any.
type readmeBlock struct {
	line int
	// info is "sh" for a block that TestReadme runs, "sh not-run" for one that needs more than this machine or much time,
	// and "sh prove-types" for one that `make prove-types` runs.
	info, text, output string
}

func readmeBlocks(t *testing.T) (blocks []readmeBlock) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	line, shell := 1, false
	for i, part := range strings.Split("\n"+string(text), "\n```") {
		info, body, _ := strings.Cut(part, "\n")
		switch {
		case i%2 == 0: // between two blocks
		case info == "sh" || strings.HasPrefix(info, "sh "):
			blocks = append(blocks, readmeBlock{line: line, info: info, text: body})
			shell = true
		case shell && (info == "json" || info == "text"):
			blocks[len(blocks)-1].output = body
			shell = false
		default:
			shell = false
		}
		line += strings.Count(part, "\n") + 1
	}
	return blocks
}

// The shell blocks of README.md work in their order, as a user pastes them, and print what the README shows.
func TestReadme(t *testing.T) {
	t.Parallel()
	blocks := readmeBlocks(t)
	if len(blocks) < 15 {
		t.Fatalf("README.md has %d blocks for a shell", len(blocks))
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("the README uses curl: install it")
	}
	for _, shell := range []string{"bash", "zsh"} {
		if _, err := exec.LookPath(shell); err != nil && shell != "bash" {
			continue
		}
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			u := newReadmeUser(t, shell)
			for _, block := range blocks {
				switch {
				case block.info == "sh not-run" || block.info == "sh prove-types":
					u.check(block)
				case block.info != "sh":
					t.Errorf("README.md:%d: %q says neither that the block is run nor why not", block.line, block.info)
				case block.text == "go run .":
					u.serve(block)
				default:
					u.paste(block)
				}
			}
		})
	}
}

// readmeUser has one terminal for the server and one in which blocks are pasted, both in the same folder.
type readmeUser struct {
	t      *testing.T
	shell  string
	dir    string
	bin    string
	env    []string
	server *program
	stdin  io.Writer
	stdout *bufio.Reader
}

func newReadmeUser(t *testing.T, shell string) *readmeUser {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	u := &readmeUser{t: t, shell: shell, dir: dbtest.Dir(t), bin: t.TempDir()}
	// `go run .` is this test binary, which is the program, so that it is not linked anew for each line.
	standIn := fmt.Sprintf("#!/bin/sh\n[ \"$1 $2\" = 'run .' ] || exit 64\nshift 2\n%s=1 exec '%s' \"$@\"\n", asProgram, self)
	if err := os.WriteFile(filepath.Join(u.bin, "go"), []byte(standIn), 0o700); err != nil {
		t.Fatal(err)
	}
	u.env = append(cleanEnvironment(), "PATH="+u.bin+":"+os.Getenv("PATH"), "TENANTRY_ADDR=127.0.0.1:0")
	terminal := exec.CommandContext(t.Context(), shell)
	terminal.Dir, terminal.Env = u.dir, u.env
	stdin, err := terminal.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := terminal.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	terminal.Stderr = terminal.Stdout
	if err := terminal.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Wait() })
	u.stdin, u.stdout = stdin, bufio.NewReader(stdout)
	return u
}

// serve starts the server and pastes what it proposes to try.
func (u *readmeUser) serve(block readmeBlock) {
	u.t.Helper()
	p := &program{t: u.t, dir: u.dir, stdout: &lockedBuffer{}, stderr: &lockedBuffer{}, exited: make(chan error, 1)}
	p.cmd = exec.Command(filepath.Join(u.bin, "go"), strings.Fields(block.text)[1:]...)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = u.dir, u.env, p.stdout, p.stderr
	if err := p.cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	go func() { p.exited <- p.cmd.Wait(); close(p.exited) }()
	u.t.Cleanup(func() { p.stop(syscall.SIGINT) })
	p.await()
	u.server = p
	p.eventually("the greeting", func() bool { return strings.HasSuffix(p.stdout.String(), "\n\n") })
	u.compare(block, p.stdout.String())
	_, try, _ := strings.Cut(p.stdout.String(), "  try     ")
	if said := u.paste(readmeBlock{line: block.line, text: try}); !strings.Contains(said, `"name":"Ada Lovelace"`) {
		u.t.Errorf("README.md:%d: what the server proposes to try prints %s", block.line, said)
	}
}

// paste runs a block in the terminal. Where the README shows no output there must be no errors in it.
func (u *readmeUser) paste(block readmeBlock) string {
	u.t.Helper()
	said, code := u.run(u.atServer(block.text))
	if code != "0" || block.output == "" && strings.Contains(said, `"errors"`) {
		u.t.Fatalf("README.md:%d: exit code %s:\n%s\nprints:\n%s", block.line, code, block.text, said)
	}
	if block.output != "" {
		u.compare(block, said)
	}
	return said
}

// check holds that a block that is not run is shell, and that the program knows its commands and flags.
func (u *readmeUser) check(block readmeBlock) {
	u.t.Helper()
	syntax := exec.Command(u.shell, "-n")
	syntax.Stdin = strings.NewReader(block.text)
	if output, err := syntax.CombinedOutput(); err != nil {
		u.t.Errorf("README.md:%d: %v: %s\n%s", block.line, err, output, block.text)
	}
	for line := range strings.SplitSeq(block.text, "\n") {
		command, _, _ := strings.Cut(line, " #")
		if !strings.HasPrefix(command, "go run .") {
			continue
		}
		if said, code := u.run(command + " --help"); code != "0" {
			u.t.Errorf("README.md:%d: %s: exit code %s: %s", block.line, command, code, said)
		}
	}
}

// endOfOutput comes before the exit code of what was pasted.
const endOfOutput = "\nend of output, exit code "

// run returns what the terminal prints for a text, and the exit code.
func (u *readmeUser) run(text string) (said, code string) {
	u.t.Helper()
	file := filepath.Join(u.bin, "pasted")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		u.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(u.stdin, ". '%s' </dev/null; printf '%%s%%s\\n' '%s' $?\n", file, endOfOutput); err != nil {
		u.t.Fatal(err)
	}
	var all strings.Builder
	for {
		line, err := u.stdout.ReadString('\n')
		all.WriteString(line)
		if before, after, ended := strings.Cut(all.String(), endOfOutput); ended && strings.HasSuffix(after, "\n") {
			return before, strings.TrimSpace(after)
		}
		if err != nil {
			u.t.Fatalf("the terminal ended (%v) at\n%s\nafter:\n%s", err, text, all.String())
		}
	}
}

// atServer has the server's address in place of the one that the README has.
func (u *readmeUser) atServer(text string) string {
	return strings.ReplaceAll(text, "http://127.0.0.1:8080", u.server.url)
}

var blank = regexp.MustCompile(`\s+`)

// compare holds that an output is the one that is shown, in which … stands for anything, whatever the white space.
func (u *readmeUser) compare(block readmeBlock, said string) {
	u.t.Helper()
	shown := strings.ReplaceAll(u.atServer(block.output), "/home/you/tenantry/.tenantry/postgres", "…")
	shown = regexp.QuoteMeta(blank.ReplaceAllString(shown, ""))
	if !regexp.MustCompile("^" + strings.ReplaceAll(shown, "…", ".*") + "$").MatchString(blank.ReplaceAllString(said, "")) {
		u.t.Errorf("README.md:%d: %s\nprints:\n%s\nand the README shows:\n%s", block.line, block.text, said, block.output)
	}
}
