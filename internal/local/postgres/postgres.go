// Package postgres runs a private PostgreSQL for a laptop or a test: reachable through a Unix socket in a folder that
// nobody else may enter, without a TCP port, gone when the program that started it is gone. It knows nothing of what is
// kept in it.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"time"

	"github.com/tenantry/tenantry/internal/child"
)

// Login is the superuser of a private PostgreSQL. It has no password: who may enter the socket's folder may connect.
const Login = "tenantry"

// Config says where a private PostgreSQL lives.
type Config struct {
	// Dir is the folder of the data, the log and the notes about them. It is made if need be.
	Dir string
	// Ephemeral gives up surviving a crash of the machine for speed. For tests.
	Ephemeral bool
	// Logger is told of what was mended on the way and of a PostgreSQL that ended by itself. Nil: nobody is.
	Logger *slog.Logger
	// Progress is told of the steps that take a while: a download, a first start. Nil: nobody is.
	Progress io.Writer

	finder *finder
}

// Server is a running private PostgreSQL. Its methods may be called from several goroutines.
type Server struct {
	home       *home
	data       string
	socket     string
	ephemeral  bool
	postmaster *child.Process
	stopping   chan struct{}
	done       chan struct{}
}

// Start starts the PostgreSQL of config.Dir, making it first if need be, and returns when it accepts connections. What a
// killed predecessor left behind is stopped and cleared away; the data stays.
//
// It returns ErrAlreadyRunning while another program runs it, a *NotFoundError where the machine has no PostgreSQL and
// none could be fetched, a *VersionError where the data was made by another major version. After an error, that of a
// cancelled ctx included, nothing runs.
func Start(ctx context.Context, config Config) (*Server, error) {
	config = config.withDefaults()
	home, err := openHome(config.Dir)
	if err != nil {
		return nil, err
	}
	server, err := start(ctx, config, home)
	if err != nil {
		home.close()
		return nil, err
	}
	return server, nil
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	if c.finder == nil {
		c.finder = newFinder()
	}
	return c
}

func start(ctx context.Context, config Config, home *home) (*Server, error) {
	place, err := home.place()
	if err != nil {
		return nil, err
	}
	if err := clearStale(config.Logger, home, place.data); err != nil {
		return nil, err
	}
	binaries, err := config.finder.find(ctx, config.Progress, place)
	if err != nil {
		return nil, err
	}
	if !place.exists() {
		if !config.Ephemeral { // of a test nobody wants to know
			fmt.Fprintf(config.Progress, "Making a private PostgreSQL %d in %s\n", binaries.major, place.data)
		}
		if err := initialise(ctx, binaries, place); err != nil {
			return nil, err
		}
	}
	socket, err := makeSocketFolder(place.account)
	if err != nil {
		return nil, err
	}
	if err := home.write(note{Dir: home.dir, Data: place.data, Socket: socket}); err != nil {
		removeSocketFolder(socket)
		return nil, err
	}
	postmaster, err := launch(ctx, binaries, place, socket, home.log(), config.Ephemeral)
	if err != nil {
		removeSocketFolder(socket)
		return nil, err
	}
	server := &Server{
		home: home, data: place.data, socket: socket, ephemeral: config.Ephemeral,
		postmaster: postmaster, stopping: make(chan struct{}, 1), done: make(chan struct{}),
	}
	go server.clearUp(config.Logger)
	return server, nil
}

// clearUp waits for PostgreSQL's end, however it comes, and leaves the folder as a next start wants it.
func (s *Server) clearUp(logger *slog.Logger) {
	<-s.postmaster.Done()
	select {
	case <-s.stopping:
	default:
		logger.Error("the private PostgreSQL ended by itself", "log", s.home.log(), "error", s.postmaster.Err())
	}
	removeSocketFolder(s.socket)
	if err := s.home.write(note{Dir: s.home.dir, Data: s.data}); err != nil {
		logger.Warn("could not note that the private PostgreSQL has ended", "error", err)
	}
	s.home.close()
	close(s.done)
}

// URL is the address of a database, for the superuser of this PostgreSQL.
func (s *Server) URL(database string) string { return address(s.socket, database) }

func address(socket, database string) string {
	// The port is only a part of the socket's file name, but it has to be said: PGPORT would change it otherwise.
	query := url.Values{"host": {socket}, "port": {port}}
	return (&url.URL{Scheme: "postgres", User: url.User(Login), Path: "/" + database, RawQuery: query.Encode()}).String()
}

// DataDir is where the data lies: in Config.Dir, or below /var/lib/tenantry where PostgreSQL's user cannot enter that.
func (s *Server) DataDir() string { return s.data }

// Done is closed when PostgreSQL has ended, by Stop or by itself.
func (s *Server) Done() <-chan struct{} { return s.done }

// How long PostgreSQL may take to end: sessions are cut and the data written out; then sessions are cut only, which
// makes the next start replay its log; then nothing is asked any more. Together under 3 s.
const (
	fastStop      = 2 * time.Second
	immediateStop = 700 * time.Millisecond
)

// Stop ends PostgreSQL within 3 s and returns when it is gone. The end of ctx makes it hurry, at the price of a slower
// next start. Calling it again, or after PostgreSQL has ended by itself, is no error.
func (s *Server) Stop(ctx context.Context) error {
	select {
	case s.stopping <- struct{}{}:
	default:
	}
	stopPostmaster(ctx, s.postmaster, s.ephemeral)
	select {
	case <-s.done:
		return nil
	case <-time.After(time.Second):
		return errors.New("the private PostgreSQL does not end")
	}
}
