package main

import (
	"log/slog"
	"math"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// followMemoryLimit sets Go's memory limit to nine tenths of the container's, so that garbage is
// collected before the container is ended for its memory. It leaves a GOMEMLIMIT of the environment
// as it is, and changes nothing where the limit is unknown.
func followMemoryLimit(logger *slog.Logger, container memlimit.Provider) {
	before := debug.SetMemoryLimit(-1)
	limit, err := memlimit.Set(memlimit.WithProvider(container))
	switch {
	case err != nil:
		logger.Debug("the container's memory limit is unknown", "error", err)
	case limit != before && limit != math.MaxInt64:
		logger.Info("the memory limit follows the container's", "bytes", limit)
	}
}
