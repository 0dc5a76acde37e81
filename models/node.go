package models

// Node is an object that clients can fetch again by its global id.
type Node interface {
	GlobalID() string
}
