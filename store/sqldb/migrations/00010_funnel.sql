-- Who wants to be told of a show, what viewers did before they bought, and how many watched.

-- +goose Up
CREATE TABLE reminders (
    id         TEXT   NOT NULL PRIMARY KEY,
    store_id   TEXT   NOT NULL,
    room_id    TEXT   NOT NULL,
    show_id    TEXT   NOT NULL, -- empty while it waits for the room's next show
    next       BIGINT NOT NULL, -- 1: asked for as the next show of the room
    viewer_id  TEXT   NOT NULL,
    channel    TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    target_key TEXT   NOT NULL,
    lead_ms    BIGINT NOT NULL, -- before the scheduled time; 0: at the start
    state      TEXT   NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'failed', 'unknown', 'cancelled')),
    reason     TEXT   NOT NULL,
    attempts   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    next_try   BIGINT NOT NULL, -- 0: at once
    claimed_at BIGINT,
    done_at    BIGINT
);
-- One consent for one message.
CREATE UNIQUE INDEX reminders_once ON reminders (viewer_id, room_id, show_id, channel, lead_ms, target_key) WHERE state <> 'cancelled';
CREATE INDEX reminders_by_viewer ON reminders (viewer_id, created_at, id);
CREATE INDEX reminders_by_show ON reminders (show_id, channel, state);
CREATE INDEX reminders_due ON reminders (show_id, channel, created_at, id) WHERE state = 'pending';
CREATE INDEX reminders_next ON reminders (room_id) WHERE state = 'pending' AND show_id = '';
CREATE INDEX reminders_under_way ON reminders (claimed_at) WHERE state = 'sending';
CREATE INDEX shows_by_schedule ON shows (scheduled_at) WHERE state = 'scheduled';
CREATE INDEX shows_by_start ON shows (started_at);
CREATE INDEX shows_by_end ON shows (ended_at);

-- What viewers' pages tell: shown, clicked, put into the cart. Orders are in their own tables.
CREATE TABLE funnel_events (
    id           TEXT   NOT NULL PRIMARY KEY, -- of the viewer and the name that the page gave the event: what comes twice counts once
    kind         TEXT   NOT NULL CHECK (kind IN ('exposure', 'click', 'add')),
    store_id     TEXT   NOT NULL,
    viewer_id    TEXT   NOT NULL,
    show_id      TEXT   NOT NULL,
    pin_id       TEXT   NOT NULL,
    product_id   TEXT   NOT NULL,
    show_time_ms BIGINT NOT NULL,
    source       TEXT   NOT NULL,
    share_code   TEXT   NOT NULL,
    channel      TEXT   NOT NULL,
    at           BIGINT NOT NULL
);
-- All that a report reads of an event stands in the index, in its order: a show's report reads no row.
CREATE INDEX funnel_events_by_show ON funnel_events (show_id, kind, viewer_id, product_id, show_time_ms, source, share_code, channel);
CREATE INDEX funnel_events_by_store ON funnel_events (store_id, at);
-- The last click before an order.
CREATE INDEX funnel_clicks ON funnel_events (viewer_id, product_id, at, id) WHERE kind = 'click';

CREATE TABLE share_codes (
    code       TEXT   NOT NULL PRIMARY KEY,
    store_id   TEXT   NOT NULL,
    show_id    TEXT   NOT NULL,
    viewer_id  TEXT   NOT NULL, -- who shares; empty: the store itself
    channel    TEXT   NOT NULL, -- where it is handed out, as the store calls it
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX share_codes_once ON share_codes (show_id, viewer_id, channel);

-- How many watched in each minute of a show, from several samples.
CREATE TABLE viewer_counts (
    show_id TEXT   NOT NULL,
    minute  BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    total   BIGINT NOT NULL, -- of all samples
    peak    BIGINT NOT NULL,
    PRIMARY KEY (show_id, minute)
);

-- +goose Down
DROP TABLE viewer_counts;
DROP TABLE share_codes;
DROP TABLE funnel_events;
DROP INDEX shows_by_end;
DROP INDEX shows_by_start;
DROP INDEX shows_by_schedule;
DROP TABLE reminders;
