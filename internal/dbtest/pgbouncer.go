package dbtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/child"
)

// bouncerStart bounds the start of a PgBouncer, which takes some milliseconds.
const bouncerStart = 10 * time.Second

// PgBouncer puts a PgBouncer in front of the database of a URL, in poolMode ("transaction", "session"), and gives the
// URL of the same database through it, for the same login. It ends with the test. The test is skipped where PgBouncer
// is not installed.
func PgBouncer(t testing.TB, url, poolMode string) string {
	t.Helper()
	return bouncer(t, findBouncer(), url, poolMode)
}

func bouncer(t testing.TB, program, url, poolMode string) string {
	t.Helper()
	if program == "" {
		t.Skip(`pgbouncer not installed: "sudo apt-get install pgbouncer" or "brew install pgbouncer"`)
	}
	behind, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatalf("the URL of the database behind PgBouncer: %v", err)
	}
	// A free port may be taken by somebody else before PgBouncer gets to it.
	for attempt := 1; ; attempt++ {
		through, err := startBouncer(t, program, behind, poolMode)
		if err == nil {
			return through
		}
		if attempt == 3 {
			t.Fatal(err)
		}
	}
}

func findBouncer() string {
	// Debian's place is not in everybody's PATH.
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer", "/opt/homebrew/bin/pgbouncer"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	return ""
}

func startBouncer(t testing.TB, program string, behind *pgx.ConnConfig, poolMode string) (string, error) {
	t.Helper()
	port, err := freePort()
	if err != nil {
		return "", err
	}
	random := make([]byte, 16)
	_, _ = rand.Read(random)
	password := hex.EncodeToString(random)
	account, err := bouncerAccount(behind.Host)
	if err != nil {
		return "", err
	}
	dir, err := writeBouncerFiles(t, account, behind, map[string]string{
		"listen_addr":     "127.0.0.1",
		"listen_port":     strconv.Itoa(port),
		"unix_socket_dir": "",
		"auth_type":       "scram-sha-256", // anybody on this machine reaches the port, behind it is a superuser
		"pool_mode":       poolMode,
		"max_client_conn": "200",
		// What drivers say at the start of a connection and PgBouncer would refuse.
		"ignore_startup_parameters": "extra_float_digits, options",
	}, password)
	if err != nil {
		return "", err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", err
	}
	defer log.Close()
	command := exec.Command(program, filepath.Join(dir, "pgbouncer.ini"))
	command.Dir, command.Stdout, command.Stderr = dir, log, log
	account.Apply(command)
	process, err := child.Start(command, syscall.SIGKILL)
	if err != nil {
		return "", err
	}
	t.Cleanup(func() {
		process.Kill()
		<-process.Done()
	})
	through := (&url.URL{
		Scheme: "postgres", User: url.UserPassword(behind.User, password), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Path: "/" + behind.Database, RawQuery: "sslmode=disable",
	}).String()
	if err := awaitBouncer(t.Context(), process, through); err != nil {
		said, _ := os.ReadFile(log.Name())
		return "", fmt.Errorf("%w; it says:\n%s", err, said)
	}
	return through, nil
}

// bouncerAccount is who PgBouncer runs as, since it refuses to be root: the one who may enter the folder of PostgreSQL's
// socket.
func bouncerAccount(host string) (child.Account, error) {
	if account, err := child.Owner(host); err == nil {
		return account, nil
	}
	return child.Unprivileged("postgres", "_postgres", "nobody")
}

func writeBouncerFiles(
	t testing.TB, account child.Account, behind *pgx.ConnConfig, settings map[string]string, password string,
) (string, error) {
	dir, err := os.MkdirTemp("", folderPrefix)
	if err != nil {
		return "", err
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	settings["auth_file"] = filepath.Join(dir, "users")
	var ini strings.Builder
	// Whatever database a client asks for: old versions take no name there that has to be quoted.
	fmt.Fprintf(&ini, "[databases]\n* = host=%s port=%d dbname=%s user=%s",
		value(behind.Host), behind.Port, value(behind.Database), value(behind.User))
	if behind.Password != "" {
		fmt.Fprintf(&ini, " password=%s", value(behind.Password))
	}
	ini.WriteString("\n[pgbouncer]\n")
	for name, setting := range settings {
		fmt.Fprintf(&ini, "%s = %s\n", name, setting)
	}
	users := fmt.Sprintf("\"%s\" \"%s\"\n", strings.ReplaceAll(behind.User, `"`, `""`), password)
	for name, text := range map[string]string{"pgbouncer.ini": ini.String(), "users": users} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return "", err
		}
		if err := account.Own(path); err != nil {
			return "", err
		}
	}
	return dir, account.Own(dir)
}

// value quotes a value of a database's line.
func value(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func awaitBouncer(ctx context.Context, process *child.Process, through string) error {
	ctx, cancel := context.WithTimeout(ctx, bouncerStart)
	defer cancel()
	for {
		err := execute(ctx, through, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-process.Done():
			return fmt.Errorf("PgBouncer has ended (%v)", process.Err())
		case <-ctx.Done():
			return fmt.Errorf("PgBouncer gives no connection: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
