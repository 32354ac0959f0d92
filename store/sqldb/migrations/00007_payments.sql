-- What goes out to merchants' servers, what comes back from their malls, and what the books of a payment provider say
-- otherwise than ours.

-- +goose Up
CREATE TABLE webhooks (
    id               TEXT   NOT NULL PRIMARY KEY,
    store_id         TEXT   NOT NULL REFERENCES stores (id),
    url              TEXT   NOT NULL,
    description      TEXT   NOT NULL,
    events           TEXT   NOT NULL, -- JSON list of types; empty: all
    secret           TEXT   NOT NULL, -- as it is: it signs what is sent
    old_secret       TEXT   NOT NULL, -- signs too until the instant beside it
    old_secret_until BIGINT,
    enabled          BIGINT NOT NULL,
    disabled_reason  TEXT   NOT NULL,
    failing_since    BIGINT, -- NULL: the newest attempt succeeded
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL
);
CREATE INDEX webhooks_by_store ON webhooks (store_id, created_at, id);

-- One event on its way to one endpoint. What is sent is the event's row in the outbox.
CREATE TABLE webhook_deliveries (
    id          TEXT   NOT NULL PRIMARY KEY,
    webhook_id  TEXT   NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event_id    TEXT   NOT NULL REFERENCES outbox (id),
    state       TEXT   NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts    BIGINT NOT NULL,
    next_at     BIGINT NOT NULL, -- of a pending one: when it may be tried; while it is tried, when the lease ends
    give_up_at  BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    attempt_at  BIGINT, -- the newest attempt, and what came of it
    last_status BIGINT NOT NULL, -- HTTP; 0: no answer
    last_error  TEXT   NOT NULL,
    took_ms     BIGINT NOT NULL,
    UNIQUE (webhook_id, event_id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (webhook_id, created_at, id);
CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_id);
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (created_at) WHERE state <> 'pending';
CREATE INDEX outbox_ended ON outbox (at) WHERE dispatched = 1;

-- The secret that a store's external mall signs its reports with.
CREATE TABLE malls (
    store_id         TEXT   NOT NULL PRIMARY KEY REFERENCES stores (id),
    secret           TEXT   NOT NULL,
    old_secret       TEXT   NOT NULL,
    old_secret_until BIGINT,
    updated_at       BIGINT NOT NULL
);

-- Orders made in an external mall, as it reports them. The attribution has the names that it has in order_lines.
CREATE TABLE external_orders (
    id          TEXT   NOT NULL PRIMARY KEY,
    store_id    TEXT   NOT NULL REFERENCES stores (id),
    no          TEXT   NOT NULL, -- the mall's
    state       TEXT   NOT NULL CHECK (state IN ('paid', 'refunded')),
    currency    TEXT   NOT NULL,
    total       BIGINT NOT NULL,
    refunded    BIGINT NOT NULL CHECK (refunded >= 0 AND refunded <= total), -- given back so far
    paid_at     BIGINT NOT NULL,
    refunded_at BIGINT,
    hash        TEXT   NOT NULL, -- of what may not change between two reports
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    UNIQUE (store_id, no)
);
CREATE INDEX external_orders_by_age ON external_orders (store_id, paid_at, id);

CREATE TABLE external_order_lines (
    order_id     TEXT   NOT NULL REFERENCES external_orders (id),
    n            BIGINT NOT NULL,
    product_id   TEXT   NOT NULL, -- of this server; empty: not known
    code         TEXT   NOT NULL, -- the mall's own name of what was sold
    title        TEXT   NOT NULL,
    quantity     BIGINT NOT NULL,
    amount       BIGINT NOT NULL, -- what was paid for the line
    click_id     TEXT   NOT NULL,
    verified     BIGINT NOT NULL, -- 1: the attribution is that of a click that this server signed
    clicked_at   BIGINT,
    show_id      TEXT   NOT NULL,
    pin_id       TEXT   NOT NULL,
    show_time_ms BIGINT NOT NULL,
    via          TEXT   NOT NULL,
    share_code   TEXT   NOT NULL,
    channel      TEXT   NOT NULL,
    PRIMARY KEY (order_id, n)
);
CREATE INDEX external_order_lines_by_show ON external_order_lines (show_id, product_id);

-- What the provider's books say otherwise than ours and could not be mended.
CREATE TABLE payment_discrepancies (
    id          TEXT   NOT NULL PRIMARY KEY,
    store_id    TEXT   NOT NULL,
    provider    TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    order_id    TEXT   NOT NULL,
    order_no    TEXT   NOT NULL,
    refund_no   TEXT   NOT NULL, -- empty: about the payment
    detail      TEXT   NOT NULL,
    found_at    BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL, -- when it was found again
    resolved_at BIGINT,
    resolution  TEXT   NOT NULL
);
CREATE UNIQUE INDEX payment_discrepancies_open ON payment_discrepancies (provider, order_no, refund_no, kind) WHERE resolved_at IS NULL;
CREATE INDEX payment_discrepancies_by_store ON payment_discrepancies (store_id, found_at, id);

-- When an order was compared with the books of its providers, and as of which change.
CREATE TABLE payment_checks (
    order_id   TEXT   NOT NULL PRIMARY KEY REFERENCES orders (id),
    checked_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL -- the order's updated_at then
);
CREATE INDEX order_attempts_by_start ON order_attempts (started_at);
CREATE INDEX order_refunds_by_age ON order_refunds (created_at);

-- +goose Down
DROP INDEX order_refunds_by_age;
DROP INDEX order_attempts_by_start;
DROP TABLE payment_checks;
DROP TABLE payment_discrepancies;
DROP TABLE external_order_lines;
DROP TABLE external_orders;
DROP TABLE malls;
DROP INDEX outbox_ended;
DROP TABLE webhook_deliveries;
DROP TABLE webhooks;
