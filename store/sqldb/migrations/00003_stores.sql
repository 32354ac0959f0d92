-- The shop's ground: merchants and their stores, pieces in stock, and what happened that others are to hear of.

-- +goose Up
CREATE TABLE merchants (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE stores (
    id          TEXT   NOT NULL PRIMARY KEY,
    merchant_id TEXT   NOT NULL REFERENCES merchants (id),
    name        TEXT   NOT NULL,
    currency    TEXT   NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX stores_by_merchant ON stores (merchant_id, created_at, id);

-- A single shop needs no set-up: everything made without a word about stores belongs to this one.
INSERT INTO merchants (id, name, created_at) VALUES ('merchant_default', 'Default', 0);
INSERT INTO stores (id, merchant_id, name, currency, created_at) VALUES ('store_default', 'merchant_default', 'Default', 'CNY', 0);
-- Until now a store was only a name on a room.
INSERT INTO stores (id, merchant_id, name, currency, created_at)
    SELECT DISTINCT store_id, 'merchant_default', store_id, 'CNY', 0 FROM rooms WHERE store_id NOT IN ('', 'store_default');
UPDATE rooms SET store_id = 'store_default' WHERE store_id = '';

ALTER TABLE products ADD COLUMN store_id TEXT NOT NULL DEFAULT 'store_default';
CREATE INDEX products_by_store ON products (store_id, created_at, id);
-- A show belongs to the store that its room belonged to when it was made.
ALTER TABLE shows ADD COLUMN store_id TEXT NOT NULL DEFAULT 'store_default';
UPDATE shows SET store_id = COALESCE((SELECT store_id FROM rooms WHERE rooms.id = shows.room_id), 'store_default');

-- Pieces of a SKU lie in pools: the main one (its id is the SKU's) and those set aside for a show or a flash sale. What is
-- true of each pool is true of their sum, so nothing is sold twice whichever pool it comes from.
CREATE TABLE stock_pools (
    id        TEXT   NOT NULL PRIMARY KEY,
    sku_id    TEXT   NOT NULL,
    kind      TEXT   NOT NULL CHECK (kind IN ('main', 'show', 'flash')),
    ref       TEXT   NOT NULL, -- the show or the flash sale; empty for the main pool
    total     BIGINT NOT NULL,
    available BIGINT NOT NULL CHECK (available >= 0),
    reserved  BIGINT NOT NULL CHECK (reserved >= 0),
    sold      BIGINT NOT NULL CHECK (sold >= 0),
    closed    BIGINT NOT NULL DEFAULT 0, -- 1: what comes back to it goes to the main pool
    CHECK (total = available + reserved + sold)
);
CREATE INDEX stock_pools_by_sku ON stock_pools (sku_id);
CREATE INDEX stock_pools_by_ref ON stock_pools (ref);

-- What happened in a store and others are to hear of (webhooks), written in the transaction that made it happen.
CREATE TABLE outbox (
    id         TEXT   NOT NULL PRIMARY KEY,
    store_id   TEXT   NOT NULL,
    type       TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    data       TEXT   NOT NULL,
    dispatched BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX outbox_waiting ON outbox (at, id) WHERE dispatched = 0;

-- +goose Down
DROP TABLE outbox;
DROP TABLE stock_pools;
ALTER TABLE shows DROP COLUMN store_id;
DROP INDEX products_by_store;
ALTER TABLE products DROP COLUMN store_id;
DROP TABLE stores;
DROP TABLE merchants;
