package child

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// helper makes the test binary a program that starts a child and waits to be killed.
const helper = "CHILD_TEST_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helper) == "" {
		os.Exit(m.Run())
	}
	command := exec.Command("sh", "-c", "echo $$; exec sleep 60")
	command.Stdout = os.Stdout
	if _, err := Start(command, syscall.SIGKILL); err != nil {
		os.Exit(1)
	}
	select {}
}

func TestChildDiesWithAKilledParent(t *testing.T) {
	t.Parallel()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), helper+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	// The child holds the pipe too: its end is the child's.
	reader := bufio.NewReader(out)
	if _, err := reader.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "linux" {
		return // no last will there
	}
	ended := make(chan struct{})
	go func() {
		_, _ = reader.ReadString('\n')
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the child outlives its parent")
	}
	_ = parent.Wait()
}

func TestProcess(t *testing.T) {
	t.Parallel()
	process, err := Start(exec.Command("sh", "-c", "exit 3"), syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	<-process.Done()
	if process.Running() || process.Err() == nil || process.Err().Error() != "exit status 3" {
		t.Errorf("running %v, ended with %v; want exit status 3", process.Running(), process.Err())
	}
	process.Signal(syscall.SIGTERM)
	process.Kill()
	if _, err := Start(exec.Command("/no/such/program"), syscall.SIGKILL); err == nil {
		t.Error("a program that does not exist was started")
	}
}

func TestKillEndsTheWholeGroupAndNotUs(t *testing.T) {
	t.Parallel()
	command := exec.Command("sh", "-c", "sleep 60 & echo started; wait")
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	process, err := Start(command, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(out)
	if _, err := reader.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if line := CommandLine(process.PID()); !strings.Contains(line, "sleep 60 & echo started") {
		t.Errorf("its command line is %q", line)
	}
	process.Kill()
	begin := time.Now()
	_, _ = reader.ReadString('\n') // ends when the grandchild, which holds the pipe, has
	<-process.Done()
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the group ended after %v", took)
	}
	if line := CommandLine(process.PID()); line != "" {
		t.Errorf("the command line of the dead is %q", line)
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	root := os.Geteuid() == 0
	account, err := Unprivileged("no-such-user", "nobody")
	if err != nil {
		t.Fatal(err)
	}
	if account.Other() != root {
		t.Errorf("as root %v the account is another: %v", root, account.Other())
	}
	if _, err := Unprivileged("no-such-user"); (err != nil) != root {
		t.Errorf("as root %v, without any user: %v", root, err)
	}
	command := exec.Command("id", "-u")
	account.Apply(command)
	if uid, err := command.Output(); err != nil || strings.TrimSpace(string(uid)) == "0" {
		t.Errorf("runs as %q, %v", uid, err)
	}

	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	if account.CanEnter(closed) == root {
		t.Errorf("as root %v, may enter a folder of ours: %v", root, !root)
	}
	if !account.CanEnter("/") || account.CanEnter(filepath.Join(closed, "missing")) {
		t.Error("may not enter / or may enter what does not exist")
	}
	if _, err := Owner(closed); (err != nil) != root {
		t.Errorf("as root %v, the owner of a folder of ours: %v", root, err)
	}
	if err := account.Own(closed); err != nil {
		t.Fatal(err)
	}
	if owner, err := Owner(closed); err != nil || owner != account {
		t.Errorf("the owner is %+v, %v; want %+v", owner, err, account)
	}
}
