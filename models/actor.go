package models

// Actor is who does something.
type Actor struct {
	// UserID is the user in whose name it is done. Empty where no user does it.
	UserID string
	// ImpersonatorID is the user or agent who really does it, where somebody acts in another's
	// name; else nil.
	ImpersonatorID *string
	// ImpersonatorType says who that is; nil where ImpersonatorID is.
	ImpersonatorType *ImpersonatorType
	// RequestID is the request with which they do it. Empty outside of one.
	RequestID string
}

// ImpersonatorType says who acts in another user's name.
type ImpersonatorType string

// The types of impersonators. Other is one that Clerk names by a word unknown here.
const (
	ImpersonatorPerson ImpersonatorType = "person"
	ImpersonatorAgent  ImpersonatorType = "agent"
	ImpersonatorOther  ImpersonatorType = "other"
)
