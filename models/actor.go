package models

// Actor is who does something.
type Actor struct {
	// UserID is the user in whose name it is done. Empty where no user does it.
	UserID string
	// ImpersonatorID is the user who really does it, where somebody acts in another's name; else nil.
	ImpersonatorID *string
	// RequestID is the request with which they do it. Empty outside of one.
	RequestID string
}
