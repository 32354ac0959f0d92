-- What a room's picture is made of: its ladder (JSON array of preset names, null for none), the address it is pulled from, and the
-- merchant's store it counts for.

-- +goose Up
ALTER TABLE rooms ADD COLUMN ladder TEXT NOT NULL DEFAULT 'null';
ALTER TABLE rooms ADD COLUMN source_url TEXT NOT NULL DEFAULT '';
ALTER TABLE rooms ADD COLUMN store_id TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE rooms DROP COLUMN store_id;
ALTER TABLE rooms DROP COLUMN source_url;
ALTER TABLE rooms DROP COLUMN ladder;
