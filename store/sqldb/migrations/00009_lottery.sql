-- What viewers say and like in shows, and lotteries among them.

-- +goose Up
CREATE TABLE comments (
    id           TEXT   NOT NULL PRIMARY KEY,
    show_id      TEXT   NOT NULL,
    store_id     TEXT   NOT NULL,
    viewer_id    TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    body         TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('shown', 'held', 'hidden')),
    reason       TEXT   NOT NULL, -- why it was held
    show_time_ms BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    moderated_by TEXT   NOT NULL DEFAULT '',
    moderated_at BIGINT
);
CREATE INDEX comments_by_show ON comments (show_id, created_at, id);
CREATE INDEX comments_by_viewer ON comments (show_id, viewer_id, created_at);

-- Who may not comment in a show; an empty viewer_id stands for everybody.
CREATE TABLE mutes (
    id         TEXT   NOT NULL PRIMARY KEY,
    show_id    TEXT   NOT NULL,
    viewer_id  TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    muted_by   TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (show_id, viewer_id)
);

CREATE TABLE likes (
    show_id   TEXT   NOT NULL,
    viewer_id TEXT   NOT NULL,
    count     BIGINT NOT NULL,
    PRIMARY KEY (show_id, viewer_id)
);
CREATE TABLE like_totals (
    show_id TEXT   NOT NULL PRIMARY KEY,
    total   BIGINT NOT NULL
);

CREATE TABLE lotteries (
    id            TEXT   NOT NULL PRIMARY KEY,
    store_id      TEXT   NOT NULL,
    show_id       TEXT   NOT NULL,
    title         TEXT   NOT NULL,
    prizes        TEXT   NOT NULL,
    conditions    TEXT   NOT NULL,
    window_ms     BIGINT NOT NULL,
    opens_at_ms   BIGINT,
    claim_ms      BIGINT NOT NULL,
    state         TEXT   NOT NULL CHECK (state IN ('draft', 'open', 'closed', 'drawn', 'cancelled')),
    announced     TEXT   NOT NULL, -- the state that the show's viewers were told last
    reason        TEXT   NOT NULL DEFAULT '',
    entries       BIGINT NOT NULL DEFAULT 0,
    commitment    TEXT   NOT NULL DEFAULT '',
    entrants_hash TEXT   NOT NULL DEFAULT '',
    seed          TEXT   NOT NULL DEFAULT '', -- empty until the draw
    opened_ms     BIGINT NOT NULL DEFAULT -1,
    closes_ms     BIGINT NOT NULL DEFAULT -1,
    closes_by     BIGINT,
    created_at    BIGINT NOT NULL,
    opened_at     BIGINT,
    closed_at     BIGINT,
    drawn_at      BIGINT,
    cancelled_at  BIGINT,
    claims_by     BIGINT,
    CHECK (state IN ('draft', 'cancelled') OR commitment <> ''),
    CHECK (state NOT IN ('closed', 'drawn') OR entrants_hash <> ''),
    CHECK ((state = 'drawn') = (seed <> ''))
);
CREATE INDEX lotteries_by_store ON lotteries (store_id, created_at, id);
CREATE INDEX lotteries_by_show ON lotteries (show_id, created_at, id);
CREATE INDEX lotteries_at_work ON lotteries (created_at, id)
    WHERE state IN ('open', 'closed') OR announced <> state OR (state = 'draft' AND opens_at_ms IS NOT NULL);

-- Apart from the lotteries, so that whoever reads those cannot come upon them.
CREATE TABLE lottery_secrets (
    lottery_id TEXT NOT NULL PRIMARY KEY REFERENCES lotteries (id),
    seed       TEXT NOT NULL,
    pseudonyms TEXT NOT NULL
);

CREATE TABLE lottery_entries (
    lottery_id TEXT   NOT NULL REFERENCES lotteries (id),
    viewer_id  TEXT   NOT NULL,
    entrant    TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    entered_at BIGINT NOT NULL,
    PRIMARY KEY (lottery_id, viewer_id),
    UNIQUE (lottery_id, entrant)
);

CREATE TABLE lottery_winners (
    id         TEXT   NOT NULL PRIMARY KEY,
    lottery_id TEXT   NOT NULL REFERENCES lotteries (id),
    place      BIGINT NOT NULL,
    entrant    TEXT   NOT NULL,
    viewer_id  TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    prize      TEXT   NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('pending', 'claimed', 'lapsed')),
    claim_by   BIGINT NOT NULL,
    claimed_at BIGINT,
    address    TEXT   NOT NULL DEFAULT '',
    coupon_ref TEXT   NOT NULL DEFAULT '',
    UNIQUE (lottery_id, place),
    UNIQUE (lottery_id, viewer_id)
);
CREATE INDEX lottery_winners_by_viewer ON lottery_winners (viewer_id, claim_by, id);
CREATE INDEX lottery_winners_waiting ON lottery_winners (claim_by) WHERE state = 'pending';

-- +goose Down
DROP TABLE lottery_winners;
DROP TABLE lottery_entries;
DROP TABLE lottery_secrets;
DROP TABLE lotteries;
DROP TABLE like_totals;
DROP TABLE likes;
DROP TABLE mutes;
DROP TABLE comments;
