-- How long stores keep their recordings.

-- +goose Up
CREATE TABLE retention (
    store_id   TEXT   NOT NULL PRIMARY KEY,
    days       BIGINT,          -- NULL: as long as the server's default; 0: for ever
    changed_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE retention;
