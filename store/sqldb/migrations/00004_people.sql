-- People: who works in which store, how they prove it, the secrets with which stores vouch for their viewers, and the log of
-- what staff did. Tokens, sessions and invitations are random and kept as their SHA-256 alone.

-- +goose Up
CREATE TABLE staff (
    id          TEXT   NOT NULL PRIMARY KEY,
    merchant_id TEXT   NOT NULL REFERENCES merchants (id),
    login       TEXT   NOT NULL, -- lower case, without @; empty: none
    email       TEXT   NOT NULL, -- lower case; empty: none
    name        TEXT   NOT NULL,
    password    TEXT   NOT NULL, -- argon2id with its parameters; empty: none was set yet
    created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX staff_by_login ON staff (login) WHERE login <> '';
CREATE UNIQUE INDEX staff_by_email ON staff (email) WHERE email <> '';

CREATE TABLE staff_roles (
    staff_id   TEXT   NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    store_id   TEXT   NOT NULL REFERENCES stores (id),
    role       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (staff_id, store_id)
);
CREATE INDEX staff_roles_by_store ON staff_roles (store_id, created_at, staff_id);

CREATE TABLE staff_sessions (
    id         TEXT   NOT NULL PRIMARY KEY,
    hash       TEXT   NOT NULL UNIQUE,
    staff_id   TEXT   NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    remote     TEXT   NOT NULL,
    agent      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX staff_sessions_by_staff ON staff_sessions (staff_id);

-- A link with which a person sets the password. A person has one at most: a newer one makes the older worthless.
CREATE TABLE staff_invitations (
    staff_id   TEXT   NOT NULL PRIMARY KEY REFERENCES staff (id) ON DELETE CASCADE,
    hash       TEXT   NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL
);

CREATE TABLE api_tokens (
    id         TEXT   NOT NULL PRIMARY KEY,
    store_id   TEXT   NOT NULL REFERENCES stores (id),
    name       TEXT   NOT NULL,
    hash       TEXT   NOT NULL UNIQUE,
    scopes     TEXT   NOT NULL, -- JSON array of permissions
    created_by TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT, -- null: never
    used_at    BIGINT
);
CREATE INDEX api_tokens_by_store ON api_tokens (store_id, created_at, id);

-- These sign and check (HMAC), so they are kept as they are.
CREATE TABLE viewer_secrets (
    id         TEXT   NOT NULL PRIMARY KEY,
    store_id   TEXT   NOT NULL REFERENCES stores (id),
    secret     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT -- null: until another takes its place
);
CREATE INDEX viewer_secrets_by_store ON viewer_secrets (store_id, created_at);

-- What staff did or tried to do. Rows are only ever added: an entry before the operation runs, its outcome after.
CREATE TABLE audit_log (
    id         TEXT   NOT NULL PRIMARY KEY,
    store_id   TEXT   NOT NULL, -- empty: of no store
    at         BIGINT NOT NULL,
    who        TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    remote     TEXT   NOT NULL,
    operation  TEXT   NOT NULL,
    permission TEXT   NOT NULL,
    targets    TEXT   NOT NULL -- JSON object: what the address named
);
CREATE INDEX audit_log_by_store ON audit_log (store_id, at, id);

CREATE TABLE audit_outcomes (
    entry_id TEXT   NOT NULL PRIMARY KEY REFERENCES audit_log (id),
    at       BIGINT NOT NULL,
    status   BIGINT NOT NULL,
    changes  TEXT   NOT NULL -- JSON object: what was before and after, where the operation says so
);

-- +goose Down
DROP TABLE audit_outcomes;
DROP TABLE audit_log;
DROP TABLE viewer_secrets;
DROP TABLE api_tokens;
DROP TABLE staff_invitations;
DROP TABLE staff_sessions;
DROP TABLE staff_roles;
DROP TABLE staff;
