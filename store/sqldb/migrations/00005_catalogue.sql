-- Products in variants (SKUs) with prices for one show, and what the audit says of them. Lists are JSON text.

-- +goose Up
ALTER TABLE products ADD COLUMN points TEXT NOT NULL DEFAULT '[]';
ALTER TABLE products ADD COLUMN more_images TEXT NOT NULL DEFAULT '[]'; -- those after the main one, which is image_url
ALTER TABLE products ADD COLUMN link TEXT NOT NULL DEFAULT 'none' CHECK (link IN ('checkout', 'url', 'mini_program', 'none'));
ALTER TABLE products ADD COLUMN display TEXT NOT NULL DEFAULT '';
-- The lowest price is price. These follow from the SKUs too, so that a bag is read without them.
ALTER TABLE products ADD COLUMN price_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE products ADD COLUMN original_price BIGINT NOT NULL DEFAULT 0;
ALTER TABLE products ADD COLUMN sku_count BIGINT NOT NULL DEFAULT 1;
ALTER TABLE products ADD COLUMN audit_state TEXT NOT NULL DEFAULT 'approved' CHECK (audit_state IN ('approved', 'flagged', 'rejected'));
ALTER TABLE products ADD COLUMN audit TEXT NOT NULL DEFAULT '{}';
ALTER TABLE products ADD COLUMN deleted BIGINT NOT NULL DEFAULT 0; -- orders still name it
CREATE INDEX products_audited ON products (store_id, audit_state, created_at, id) WHERE audit_state <> 'approved' AND deleted = 0;

CREATE TABLE skus (
    id             TEXT   NOT NULL PRIMARY KEY, -- also of its main pool
    product_id     TEXT   NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    store_id       TEXT   NOT NULL,
    code           TEXT   NOT NULL, -- the merchant's; empty: none
    attributes     TEXT   NOT NULL,
    price          BIGINT NOT NULL CHECK (price >= 0),
    original_price BIGINT NOT NULL, -- 0: none
    per_buyer      BIGINT NOT NULL, -- 0: no limit
    position       BIGINT NOT NULL,
    tracked        BIGINT NOT NULL, -- 1: its pieces are counted
    deleted        BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX skus_by_product ON skus (product_id, position);
CREATE UNIQUE INDEX skus_by_code ON skus (store_id, code) WHERE code <> '' AND deleted = 0;

-- Each product of until now is one SKU that leads to where it led. Its stock stays what is shown of it: nobody buys it here.
UPDATE products SET price_max = price, link = CASE WHEN url = '' THEN 'none' WHEN url LIKE 'weapp:%' THEN 'mini_program' ELSE 'url' END;
INSERT INTO skus (id, product_id, store_id, code, attributes, price, original_price, per_buyer, position, tracked)
    SELECT 'sku_' || SUBSTR(id, 6), id, store_id, '', '[]', price, 0, 0, 0, 0 FROM products;
INSERT INTO stock_pools (id, sku_id, kind, ref, total, available, reserved, sold, closed)
    SELECT id, id, 'main', '', 0, 0, 0, 0, 0 FROM skus;

CREATE TABLE show_prices (
    id           TEXT   NOT NULL PRIMARY KEY,
    store_id     TEXT   NOT NULL,
    show_id      TEXT   NOT NULL REFERENCES shows (id) ON DELETE CASCADE,
    sku_id       TEXT   NOT NULL REFERENCES skus (id) ON DELETE CASCADE,
    price        BIGINT NOT NULL CHECK (price >= 0),
    replay_hours BIGINT NOT NULL,
    UNIQUE (show_id, sku_id)
);

-- Pictures by their content; their files lie in the blob store.
CREATE TABLE images (
    id         TEXT   NOT NULL,
    store_id   TEXT   NOT NULL,
    ext        TEXT   NOT NULL,
    width      BIGINT NOT NULL,
    height     BIGINT NOT NULL,
    bytes      BIGINT NOT NULL,
    used       BIGINT NOT NULL DEFAULT 0, -- 1: a product shows it or did, so past pins and orders may
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id, store_id)
);
CREATE INDEX images_unused ON images (store_id, created_at, id) WHERE used = 0;
CREATE INDEX images_by_store ON images (store_id);

-- Imports of products. One that runs when the server stops imported nothing: its rows and its end are one transaction.
CREATE TABLE catalogue_imports (
    id           TEXT   NOT NULL PRIMARY KEY,
    store_id     TEXT   NOT NULL,
    format       TEXT   NOT NULL,
    dry_run      BIGINT NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('waiting', 'checking', 'applying', 'done', 'failed')),
    rows_read    BIGINT NOT NULL,
    rows_valid   BIGINT NOT NULL,
    rows_applied BIGINT NOT NULL,
    created      BIGINT NOT NULL, -- products
    updated      BIGINT NOT NULL,
    reason       TEXT   NOT NULL,
    errors       TEXT   NOT NULL,
    started_by   TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    ended_at     BIGINT
);
CREATE INDEX catalogue_imports_by_store ON catalogue_imports (store_id, created_at, id);
CREATE INDEX catalogue_imports_open ON catalogue_imports (state) WHERE state IN ('waiting', 'checking', 'applying');

-- +goose Down
DROP TABLE catalogue_imports;
DROP TABLE images;
DROP TABLE show_prices;
DELETE FROM stock_pools WHERE id IN (SELECT id FROM skus);
DROP TABLE skus;
DROP INDEX products_audited;
ALTER TABLE products DROP COLUMN deleted;
ALTER TABLE products DROP COLUMN audit;
ALTER TABLE products DROP COLUMN audit_state;
ALTER TABLE products DROP COLUMN sku_count;
ALTER TABLE products DROP COLUMN original_price;
ALTER TABLE products DROP COLUMN price_max;
ALTER TABLE products DROP COLUMN display;
ALTER TABLE products DROP COLUMN link;
ALTER TABLE products DROP COLUMN more_images;
ALTER TABLE products DROP COLUMN points;
