// Package auth says who is asking and what they may do: it turns a Clerk session token, corrected by what the mirror
// knows, into a Viewer. It knows no SQL, no Clerk SDK and no other room; what it needs from them it declares as
// FactsSource.
package auth
