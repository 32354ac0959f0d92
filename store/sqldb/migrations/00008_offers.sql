-- What makes goods cheaper: coupons and red packets with the claims of viewers, and flash sales.

-- +goose Up
CREATE TABLE coupons (
    id           TEXT   NOT NULL PRIMARY KEY,
    store_id     TEXT   NOT NULL REFERENCES stores (id),
    state        TEXT   NOT NULL CHECK (state IN ('draft', 'active', 'stopped')),
    terms        TEXT   NOT NULL, -- what a claim is worth (JSON)
    rules        TEXT   NOT NULL, -- who may claim it, when and where (JSON)
    quota        BIGINT NOT NULL, -- claims in all; 0: any number
    per_viewer   BIGINT NOT NULL CHECK (per_viewer > 0),
    claimed      BIGINT NOT NULL DEFAULT 0,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    CHECK (quota = 0 OR claimed <= quota)
);
CREATE INDEX coupons_by_store ON coupons (store_id, created_at, id);

-- The pieces of a red packet are drawn when it is made: the one who comes n-th has the n-th of them.
CREATE TABLE red_packets (
    id             TEXT   NOT NULL PRIMARY KEY,
    store_id       TEXT   NOT NULL REFERENCES stores (id),
    state          TEXT   NOT NULL CHECK (state IN ('draft', 'active', 'empty', 'stopped')),
    terms          TEXT   NOT NULL,
    rules          TEXT   NOT NULL,
    total          BIGINT NOT NULL,
    pieces         BIGINT NOT NULL,
    least          BIGINT NOT NULL, -- the smallest piece
    claimed        BIGINT NOT NULL DEFAULT 0,
    claimed_amount BIGINT NOT NULL DEFAULT 0,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    CHECK (claimed <= pieces AND claimed_amount <= total)
);
CREATE INDEX red_packets_by_store ON red_packets (store_id, created_at, id);

CREATE TABLE red_packet_pieces (
    packet_id TEXT   NOT NULL REFERENCES red_packets (id) ON DELETE CASCADE,
    n         BIGINT NOT NULL, -- 1 for the first to come
    amount    BIGINT NOT NULL CHECK (amount > 0),
    PRIMARY KEY (packet_id, n)
);

-- A claim keeps the terms that held when it was made.
CREATE TABLE coupon_claims (
    id           TEXT   NOT NULL PRIMARY KEY,
    coupon_id    TEXT   NOT NULL, -- the coupon or the red packet
    store_id     TEXT   NOT NULL,
    viewer_id    TEXT   NOT NULL,
    n            BIGINT NOT NULL, -- which of the viewer's claims of this coupon, from 1 on
    terms        TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('claimed', 'used', 'void')),
    order_id     TEXT   NOT NULL DEFAULT '',
    show_id      TEXT   NOT NULL,
    show_time_ms BIGINT NOT NULL,
    claimed_at   BIGINT NOT NULL,
    valid_from   BIGINT NOT NULL,
    valid_until  BIGINT NOT NULL,
    used_at      BIGINT,
    UNIQUE (coupon_id, viewer_id, n)
);
CREATE INDEX coupon_claims_by_viewer ON coupon_claims (viewer_id, claimed_at, id);
CREATE INDEX coupon_claims_by_order ON coupon_claims (order_id) WHERE order_id <> '';

CREATE TABLE flash_sales (
    id               TEXT   NOT NULL PRIMARY KEY,
    store_id         TEXT   NOT NULL REFERENCES stores (id),
    show_id          TEXT   NOT NULL, -- empty until it is known
    sku_id           TEXT   NOT NULL,
    state            TEXT   NOT NULL CHECK (state IN ('ready', 'running', 'stopped')),
    goods            TEXT   NOT NULL, -- the SKU as viewers see it (JSON)
    price            BIGINT NOT NULL CHECK (price >= 0),
    quantity         BIGINT NOT NULL CHECK (quantity > 0),
    per_buyer        BIGINT NOT NULL, -- 0: any number
    pool_id          TEXT   NOT NULL, -- of the pieces set aside; there is none before the start
    countdown_ms     BIGINT NOT NULL, -- how long before a set start viewers are told
    duration_ms      BIGINT NOT NULL, -- of show time; 0: until it is stopped
    starts_at_ms     BIGINT,          -- show time; NULL: by hand
    ends_at_ms       BIGINT,          -- show time
    sold_out         BIGINT NOT NULL DEFAULT 0,
    started_at       BIGINT,
    stopped_at       BIGINT,
    stopped_because  TEXT   NOT NULL DEFAULT '',
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL
);
CREATE INDEX flash_sales_by_store ON flash_sales (store_id, created_at, id);
CREATE INDEX flash_sales_open ON flash_sales (show_id) WHERE state <> 'stopped';
CREATE INDEX flash_sales_by_pool ON flash_sales (pool_id);
-- A SKU has one price at a time.
CREATE UNIQUE INDEX flash_sales_running ON flash_sales (sku_id) WHERE state = 'running';

-- The place of an offer on the timeline of a show, and how far the timeline has been told what became of it.
CREATE TABLE offer_drops (
    show_id      TEXT   NOT NULL,
    offer_id     TEXT   NOT NULL,
    store_id     TEXT   NOT NULL,
    kind         TEXT   NOT NULL CHECK (kind IN ('coupon', 'flash_sale', 'red_packet')),
    show_time_ms BIGINT NOT NULL, -- where viewers first see it
    dropped_at   BIGINT NOT NULL,
    state        TEXT   NOT NULL, -- as told to viewers
    state_ms     BIGINT,          -- the show time of this state; NULL: when it is told
    seq          BIGINT NOT NULL, -- counts the states
    told         BIGINT NOT NULL, -- the last one on the timeline
    PRIMARY KEY (show_id, offer_id)
);
CREATE INDEX offer_drops_by_offer ON offer_drops (offer_id);
CREATE INDEX offer_drops_untold ON offer_drops (show_id) WHERE told < seq;

-- +goose Down
DROP TABLE offer_drops;
DROP TABLE flash_sales;
DROP TABLE coupon_claims;
DROP TABLE red_packet_pieces;
DROP TABLE red_packets;
DROP TABLE coupons;
