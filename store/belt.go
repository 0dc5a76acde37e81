//go:build !knockout

package store

// firstBelt is the filter of every statement on an owned table. A build with the tag knockout, which only tests make, can
// take it off.
const firstBelt = "organization_id = ?"
