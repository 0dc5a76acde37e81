package mirror

import (
	"os"
	"strconv"
)

// part is how much of the long proofs is done: TENANTRY_PROVE=1 is all of them, as `make prove` has it, 0.1 a tenth, to
// see how long they take. 0 where it is not set, as in `go test`.
func part() float64 {
	text := os.Getenv("TENANTRY_PROVE")
	if text == "" {
		return 0
	}
	part, err := strconv.ParseFloat(text, 64)
	if err != nil || part <= 0 || part > 1 {
		panic("TENANTRY_PROVE is a number above 0 and up to 1")
	}
	return part
}

// scale is how much of something a test does: few in `go test`, many in the long proofs.
func scale(few, many int) int {
	if part := part(); part > 0 {
		return max(few, int(part*float64(many)))
	}
	return few
}

// choose is what scale is where it must not be shared out: how long a history is.
func choose(short, long int) int {
	if part() > 0 {
		return long
	}
	return short
}
