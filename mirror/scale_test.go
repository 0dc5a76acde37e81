package mirror

import "os"

// scale is how much of something a test does: few in `go test`, many in `make prove`.
func scale(few, many int) int {
	if os.Getenv("TENANTRY_PROVE") != "" {
		return many
	}
	return few
}
