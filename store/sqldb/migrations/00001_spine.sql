-- Times are whole milliseconds of Unix time (UTC), show times are ticks of the 90 kHz media clock, JSON is text. Only
-- types and clauses that PostgreSQL reads alike.

-- +goose Up
CREATE TABLE rooms (
    id               TEXT   NOT NULL PRIMARY KEY,
    title            TEXT   NOT NULL,
    key_hash         TEXT   NOT NULL UNIQUE,
    capture_delay_ms BIGINT NOT NULL,
    created_at       BIGINT NOT NULL
);
CREATE INDEX rooms_by_age ON rooms (created_at, id);

CREATE TABLE shows (
    id             TEXT   NOT NULL PRIMARY KEY,
    room_id        TEXT   NOT NULL, -- no reference: ended shows and their replays outlive their room
    title          TEXT   NOT NULL,
    state          TEXT   NOT NULL CHECK (state IN ('scheduled', 'live', 'interrupted', 'ended')),
    scheduled_at   BIGINT,
    started_at     BIGINT,
    interrupted_at BIGINT,
    ended_at       BIGINT,
    duration       BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    -- Number of the newest event of the timeline. Counting here, in the transaction that inserts the event, makes the
    -- numbers gapless without locking more than this row.
    last_seq       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX shows_by_room ON shows (room_id, created_at, id);
-- A room has one picture: at most one show is on air.
CREATE UNIQUE INDEX shows_on_air ON shows (room_id) WHERE state IN ('live', 'interrupted');

CREATE TABLE epochs (
    show_id   TEXT   NOT NULL REFERENCES shows (id) ON DELETE CASCADE,
    n         BIGINT NOT NULL,
    show_time BIGINT NOT NULL,
    wall      BIGINT NOT NULL,
    PRIMARY KEY (show_id, n)
);

CREATE TABLE products (
    id         TEXT   NOT NULL PRIMARY KEY,
    title      TEXT   NOT NULL,
    image_url  TEXT   NOT NULL,
    price      BIGINT NOT NULL CHECK (price >= 0),
    currency   TEXT   NOT NULL,
    url        TEXT   NOT NULL,
    stock      BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX products_by_age ON products (created_at, id);

CREATE TABLE bag_items (
    room_id    TEXT   NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    product_id TEXT   NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    position   BIGINT NOT NULL,
    PRIMARY KEY (room_id, product_id)
);
CREATE INDEX bag_items_by_product ON bag_items (product_id);

CREATE TABLE events (
    show_id   TEXT   NOT NULL REFERENCES shows (id) ON DELETE CASCADE,
    seq       BIGINT NOT NULL,
    type      TEXT   NOT NULL,
    show_time BIGINT NOT NULL,
    wall      BIGINT NOT NULL,
    data      TEXT   NOT NULL,
    PRIMARY KEY (show_id, seq)
);

CREATE TABLE idempotency_keys (
    scope        TEXT   NOT NULL,
    key          TEXT   NOT NULL,
    request_hash TEXT   NOT NULL,
    status       BIGINT NOT NULL, -- 0 while the request is in the works
    header       TEXT   NOT NULL,
    body         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE settings (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- +goose Down
DROP TABLE settings;
DROP TABLE idempotency_keys;
DROP TABLE events;
DROP TABLE bag_items;
DROP TABLE products;
DROP TABLE epochs;
DROP TABLE shows;
DROP TABLE rooms;
