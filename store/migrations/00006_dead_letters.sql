-- +goose Up

-- Dead letters are few among what is finished, and are counted at every scrape of the metrics.
CREATE INDEX inbox_dead ON clerk.inbox (received_at) WHERE state = 'dead';
