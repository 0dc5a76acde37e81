-- +goose Up

-- The user who really wrote a document, where somebody acted in the author's name.
ALTER TABLE documents ADD COLUMN impersonator_id text COLLATE "C";
