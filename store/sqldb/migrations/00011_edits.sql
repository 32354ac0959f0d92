-- What merchants made of their replays: a log per show that is only ever added to.

-- +goose Up
CREATE TABLE replay_edits (
    show_id  TEXT   NOT NULL REFERENCES shows (id) ON DELETE CASCADE,
    revision BIGINT NOT NULL,
    op       TEXT   NOT NULL, -- JSON, times in ticks of 90 kHz
    by_id    TEXT   NOT NULL,
    by_name  TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (show_id, revision)
);

-- +goose Down
DROP TABLE replay_edits;
