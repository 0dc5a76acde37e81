package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/cli"
)

// Milestones are told at info, and with the local Clerk at debug, where the greeting is enough.
func TestMilestones(t *testing.T) {
	for _, test := range []struct {
		mode   cli.Mode
		level  slog.Level
		wanted string // the level of the line, "" for no line
	}{
		{cli.ModeLocal, slog.LevelInfo, ""},
		{cli.ModeLocal, slog.LevelDebug, "DEBUG"},
		{cli.ModeDevelopment, slog.LevelInfo, "INFO"},
		{cli.ModeProduction, slog.LevelInfo, "INFO"},
		{cli.ModeProduction, slog.LevelWarn, ""},
	} {
		var log bytes.Buffer
		config := cli.Config{Mode: test.mode, LogLevel: test.level, LogFormat: cli.LogJSON}
		logger, tell := newLogger(config, &log)
		tell()
		newMilestones(config, logger).reached("ready", slog.String("address", "127.0.0.1:1"))
		var line struct{ Level, Msg, Mode, Version, Address string }
		if test.wanted != "" {
			if err := json.Unmarshal(log.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
		}
		if (line.Level != test.wanted) || test.wanted == "" && log.Len() > 0 {
			t.Errorf("%s at %s: %s", test.mode, test.level, log.String())
		}
		if test.wanted != "" && (line.Msg != "ready" || line.Mode != string(test.mode) || line.Version != cli.Version() || !strings.HasPrefix(line.Address, "127.")) {
			t.Errorf("%s at %s: %s", test.mode, test.level, log.String())
		}
	}
}
