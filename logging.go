package main

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/tenantry/tenantry/internal/cli"
	"github.com/tenantry/tenantry/internal/transport"
)

// newLogger makes the logger of everything. In local mode it keeps to itself what goes well during the start, so that the
// greeting is what one sees, until tell is called.
func newLogger(config cli.Config, stderr io.Writer) (logger *slog.Logger, tell func()) {
	options := &slog.HandlerOptions{Level: config.LogLevel}
	var handler slog.Handler = slog.NewJSONHandler(stderr, options)
	if config.LogFormat == cli.LogText {
		handler = slog.NewTextHandler(stderr, options)
	}
	quiet := &atomic.Bool{}
	quiet.Store(config.Mode == cli.ModeLocal && config.LogLevel == slog.LevelInfo)
	logger = slog.New(logHandler{handler, quiet})
	slog.SetDefault(logger)
	return logger, func() { quiet.Store(false) }
}

// milestones logs the start, the readiness and the end of the server.
type milestones struct {
	logger *slog.Logger
	level  slog.Level
}

// newMilestones logs at info, and in local mode at debug: there the greeting is what one sees.
func newMilestones(config cli.Config, logger *slog.Logger) milestones {
	m := milestones{logger: logger.With("version", cli.Version(), "mode", string(config.Mode))}
	if config.Mode == cli.ModeLocal {
		m.level = slog.LevelDebug
	}
	return m
}

func (m milestones) reached(msg string, attrs ...slog.Attr) {
	m.logger.LogAttrs(context.Background(), m.level, msg, attrs...)
}

// took is how long it has been since began.
func took(began time.Time) slog.Attr {
	return slog.Int64("duration_ms", time.Since(began).Milliseconds())
}

// logHandler adds the request's id to what is logged while it is answered, and keeps quiet during the start.
type logHandler struct {
	slog.Handler
	quiet *atomic.Bool
}

func (h logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Handler.Enabled(ctx, level) && (level > slog.LevelInfo || !h.quiet.Load())
}

func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	id := transport.RequestID(ctx)
	record.Attrs(func(attr slog.Attr) bool {
		if attr.Key == "request_id" {
			id = "" // it says so itself
		}
		return id != ""
	})
	if id != "" {
		record.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, record)
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs), h.quiet}
}

func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.Handler.WithGroup(name), h.quiet}
}
