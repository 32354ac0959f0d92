-- Orders: what was bought, at which terms, how it is paid and sent. Whether a state may follow another is decided in code,
-- in one table (commerce/order); here is only what must be true of any of them.

-- +goose Up
CREATE TABLE orders (
    id             TEXT   NOT NULL PRIMARY KEY,
    no             TEXT   NOT NULL, -- the day and the random part of the id: whoever has the number finds the id
    store_id       TEXT   NOT NULL,
    viewer_id      TEXT   NOT NULL,
    state          TEXT   NOT NULL,
    currency       TEXT   NOT NULL,
    subtotal       BIGINT NOT NULL,
    off            BIGINT NOT NULL,
    shipping_fee   BIGINT NOT NULL,
    total          BIGINT NOT NULL,
    refunded       BIGINT NOT NULL DEFAULT 0, -- of the total, given back
    recipient      TEXT   NOT NULL,
    phone          TEXT   NOT NULL,
    expires_at     BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    paid_at        BIGINT,
    shipped_at     BIGINT,
    completed_at   BIGINT,
    ended_at       BIGINT, -- cancelled, expired or refunded
    provider       TEXT   NOT NULL DEFAULT '',
    transaction_id TEXT   NOT NULL DEFAULT '', -- the payment that counts
    revision       BIGINT NOT NULL DEFAULT 0,
    snapshot       TEXT   NOT NULL, -- JSON: titles, pictures, offers, address, as they were
    shipping       TEXT   NOT NULL DEFAULT '',
    history        TEXT   NOT NULL DEFAULT '[]'
);
CREATE INDEX orders_by_store ON orders (store_id, created_at, id);
CREATE INDEX orders_by_viewer ON orders (viewer_id, created_at, id);
CREATE INDEX orders_due ON orders (expires_at) WHERE state = 'pending_payment';
CREATE INDEX orders_sent ON orders (shipped_at) WHERE state = 'shipped';

CREATE TABLE order_lines (
    order_id     TEXT   NOT NULL REFERENCES orders (id),
    n            BIGINT NOT NULL, -- from 1
    sku_id       TEXT   NOT NULL,
    product_id   TEXT   NOT NULL,
    pool_id      TEXT   NOT NULL, -- where its pieces were taken from; empty: of what nobody counts
    quantity     BIGINT NOT NULL CHECK (quantity > 0),
    unit         BIGINT NOT NULL,
    amount       BIGINT NOT NULL,
    off          BIGINT NOT NULL,
    source       TEXT   NOT NULL,
    ref          TEXT   NOT NULL, -- the flash sale or the show price
    hold         TEXT   NOT NULL CHECK (hold IN ('held', 'sold', 'released')),
    returned     BIGINT NOT NULL DEFAULT 0 CHECK (returned >= 0 AND returned <= quantity), -- sold pieces that are for sale again
    show_id      TEXT   NOT NULL,
    pin_id       TEXT   NOT NULL,
    show_time_ms BIGINT NOT NULL,
    via          TEXT   NOT NULL,
    share_code   TEXT   NOT NULL,
    channel      TEXT   NOT NULL,
    PRIMARY KEY (order_id, n)
);
CREATE INDEX order_lines_by_show ON order_lines (show_id, product_id) WHERE show_id <> '';

-- Whoever places an order of something with a limit per buyer locks this row first: two orders of one buyer cannot both
-- count only the orders before them.
CREATE TABLE buyer_guards (
    viewer_id TEXT   NOT NULL,
    sku_id    TEXT   NOT NULL,
    turns     BIGINT NOT NULL,
    PRIMARY KEY (viewer_id, sku_id)
);

-- Payments that were begun, noted before the provider hears of them. One of an order that ended unpaid must be closed
-- there; close_at is when that is tried next.
CREATE TABLE order_attempts (
    order_id   TEXT   NOT NULL REFERENCES orders (id),
    provider   TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    closed     BIGINT NOT NULL DEFAULT 0,
    close_at   BIGINT,
    tries      BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (order_id, provider)
);
CREATE INDEX order_attempts_to_close ON order_attempts (close_at) WHERE close_at IS NOT NULL;

-- Money that came in, each once however often it is reported.
CREATE TABLE order_receipts (
    provider       TEXT   NOT NULL,
    transaction_id TEXT   NOT NULL,
    order_id       TEXT   NOT NULL, -- empty: of no order of ours
    order_no       TEXT   NOT NULL,
    amount         BIGINT NOT NULL,
    currency       TEXT   NOT NULL,
    outcome        TEXT   NOT NULL, -- 'accepted', 'late', 'refused', 'surplus', 'mismatch', 'unknown'
    paid_at        BIGINT NOT NULL,
    received_at    BIGINT NOT NULL,
    PRIMARY KEY (provider, transaction_id)
);
CREATE INDEX order_receipts_by_order ON order_receipts (order_id);

-- Money that goes back, noted before the provider is asked; ask_at is when it is asked, or asked after, next.
CREATE TABLE order_refunds (
    no             TEXT   NOT NULL PRIMARY KEY,
    order_id       TEXT   NOT NULL REFERENCES orders (id),
    provider       TEXT   NOT NULL,
    transaction_id TEXT   NOT NULL,
    amount         BIGINT NOT NULL,
    paid           BIGINT NOT NULL, -- what the transaction had brought
    currency       TEXT   NOT NULL,
    cause          TEXT   NOT NULL, -- 'merchant', 'late', 'surplus', 'mismatch'
    reason         TEXT   NOT NULL,
    state          TEXT   NOT NULL, -- 'asked', 'pending', 'refunded', 'failed'
    tries          BIGINT NOT NULL DEFAULT 0,
    error          TEXT   NOT NULL DEFAULT '',
    created_at     BIGINT NOT NULL,
    ask_at         BIGINT,
    done_at        BIGINT
);
CREATE INDEX order_refunds_by_order ON order_refunds (order_id);
CREATE INDEX order_refunds_waiting ON order_refunds (ask_at) WHERE ask_at IS NOT NULL;

-- A show has one allotment of a SKU.
CREATE UNIQUE INDEX stock_pools_of_show ON stock_pools (ref, sku_id) WHERE kind = 'show' AND closed = 0;

-- The sandbox's own books: what its bank knows.
CREATE TABLE sandbox_payments (
    order_no    TEXT   NOT NULL PRIMARY KEY,
    page        TEXT   NOT NULL UNIQUE, -- the unguessable part of its address
    description TEXT   NOT NULL,
    amount      BIGINT NOT NULL,
    currency    TEXT   NOT NULL,
    state       TEXT   NOT NULL, -- 'pending', 'paid', 'closed', 'failed'
    return_url  TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    late        BIGINT NOT NULL DEFAULT 0 -- 1: pays after it expired, whatever was said meanwhile
);
CREATE INDEX sandbox_payments_late ON sandbox_payments (expires_at) WHERE late = 1;
CREATE TABLE sandbox_reports (
    id             TEXT   NOT NULL PRIMARY KEY,
    order_no       TEXT   NOT NULL REFERENCES sandbox_payments (order_no),
    transaction_id TEXT   NOT NULL UNIQUE,
    at             BIGINT NOT NULL,
    reported       BIGINT NOT NULL DEFAULT 0 -- 1: the shop has taken note
);
CREATE INDEX sandbox_reports_of ON sandbox_reports (order_no, at);
CREATE INDEX sandbox_reports_waiting ON sandbox_reports (at) WHERE reported = 0;
CREATE TABLE sandbox_refunds (
    refund_no      TEXT   NOT NULL PRIMARY KEY,
    order_no       TEXT   NOT NULL REFERENCES sandbox_payments (order_no),
    transaction_id TEXT   NOT NULL,
    amount         BIGINT NOT NULL,
    at             BIGINT NOT NULL
);

-- +goose Down
DROP TABLE sandbox_refunds;
DROP TABLE sandbox_reports;
DROP TABLE sandbox_payments;
DROP INDEX stock_pools_of_show;
DROP TABLE order_refunds;
DROP TABLE order_receipts;
DROP TABLE order_attempts;
DROP TABLE buyer_guards;
DROP TABLE order_lines;
DROP TABLE orders;
