package models

// Actor is who does something.
type Actor struct {
	// UserID is the user in whose name it is done.
	UserID string
	// ImpersonatorID is the user who really does it, where somebody acts in another's name; else nil.
	ImpersonatorID *string
}
