// Package models holds the nouns: plain structs that are gorm models and GraphQL types at once, with their validation
// and the sentinel errors. It knows no other room.
package models
