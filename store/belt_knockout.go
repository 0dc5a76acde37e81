//go:build knockout

package store

// firstBelt is the filter of every statement on an owned table.
var firstBelt = filter

const filter = "organization_id = ?"

// WearFirstBelt puts the filter on or takes it off, for every Store of the process. The argument is still bound.
func WearFirstBelt(on bool) {
	firstBelt = filter
	if !on {
		firstBelt = "(organization_id = ? OR organization_id <> '')"
	}
}
