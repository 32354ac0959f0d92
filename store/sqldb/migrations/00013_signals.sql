-- How many watched a show, by its clock, and what merchants decided of its highlights.

-- +goose Up
CREATE TABLE show_viewers (
    show_id TEXT   NOT NULL,
    at      BIGINT NOT NULL, -- show time in ticks
    viewers BIGINT NOT NULL,
    PRIMARY KEY (show_id, at)
);

CREATE TABLE highlights (
    show_id    TEXT   NOT NULL,
    id         TEXT   NOT NULL, -- named by its peak
    state      TEXT   NOT NULL CHECK (state IN ('proposed', 'accepted', 'dismissed')),
    from_time  BIGINT NOT NULL, -- show time in ticks
    to_time    BIGINT NOT NULL,
    title      TEXT   NOT NULL,
    found      TEXT   NOT NULL, -- the moment and its reasons, as JSON
    decided_by TEXT   NOT NULL,
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (show_id, id)
);

-- +goose Down
DROP TABLE highlights;
DROP TABLE show_viewers;
