-- Clips of shows. Those that are queued are the queue of what makes their files.

-- +goose Up
CREATE TABLE clips (
    id           TEXT   NOT NULL PRIMARY KEY,
    show_id      TEXT   NOT NULL,
    store_id     TEXT   NOT NULL,
    batch_id     TEXT   NOT NULL, -- empty: asked for alone
    place        BIGINT NOT NULL, -- within its batch, the highest first
    request      TEXT   NOT NULL, -- empty, or a key under which there is one clip alone
    kind         TEXT   NOT NULL CHECK (kind IN ('instant', 'copy', 'exact', 'styled')),
    title        TEXT   NOT NULL,
    from_time    BIGINT NOT NULL, -- ticks of show time, here and below
    to_time      BIGINT NOT NULL,
    source       TEXT   NOT NULL,
    source_ref   TEXT   NOT NULL,
    style        TEXT   NOT NULL, -- JSON, or empty
    state        TEXT   NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    progress     BIGINT NOT NULL, -- millionths
    error        TEXT   NOT NULL,
    attempts     BIGINT NOT NULL,
    bytes        BIGINT NOT NULL,
    result_from  BIGINT NOT NULL,
    result_to    BIGINT NOT NULL,
    encoded      BIGINT NOT NULL,
    lead         BIGINT NOT NULL, -- of the file before the clip begins: its intro
    created_by   TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    started_at   BIGINT,
    done_at      BIGINT,
    next_at      BIGINT NOT NULL, -- 0: at once
    owner        TEXT   NOT NULL,
    lease_until  BIGINT NOT NULL, -- 0: nobody's
    -- Fences off attempts that do not know yet that they are no longer wanted; attempts may be counted anew.
    turn         BIGINT NOT NULL,
    CHECK (from_time >= 0 AND to_time > from_time)
);
CREATE UNIQUE INDEX clips_by_request ON clips (request) WHERE request <> '';
CREATE INDEX clips_by_show ON clips (show_id, created_at, place, id);
CREATE INDEX clips_by_batch ON clips (batch_id) WHERE batch_id <> '';
CREATE INDEX clips_by_store ON clips (store_id, started_at);
CREATE INDEX clips_open ON clips (store_id, created_at) WHERE state IN ('queued', 'running');

-- +goose Down
DROP TABLE clips;
