package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/store"
)

// BeginIdempotent asks whether a request was answered before. It returns the stored answer if so. It returns nil when
// the request is fresh: the caller runs it and then calls FinishIdempotent or AbortIdempotent. Conflict: the key was
// used for another request, or the same one is in the works.
//
// Answers older than store.IdempotencyTTL are forgotten.
func (db *DB) BeginIdempotent(ctx context.Context, r store.IdempotentRequest) (*store.IdempotentResponse, error) {
	const op = "sqldb.BeginIdempotent"
	var answer *store.IdempotentResponse
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := forget(ctx, tx, r.At); err != nil {
			return err
		}
		fresh, err := claim(ctx, tx, r)
		if err != nil || fresh {
			return err
		}
		answer, err = stored(ctx, tx, op, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// FinishIdempotent stores the answer to a request that BeginIdempotent called fresh.
func (db *DB) FinishIdempotent(ctx context.Context, r store.IdempotentRequest, answer store.IdempotentResponse) error {
	return db.update(ctx, "sqldb.FinishIdempotent", func(ctx context.Context, tx *sql.Tx) error {
		header, err := json.Marshal(answer.Header)
		if err != nil {
			return err
		}
		return exactlyOne(tx.ExecContext(ctx, `UPDATE idempotency_keys SET status = $1, header = $2, body = $3
			WHERE scope = $4 AND key = $5 AND request_hash = $6`,
			answer.Status, string(header), string(answer.Body), r.Scope, r.Key, r.Hash))
	})
}

// AbortIdempotent forgets a fresh request that came to nothing, so that it may be tried again at once.
func (db *DB) AbortIdempotent(ctx context.Context, r store.IdempotentRequest) error {
	return db.update(ctx, "sqldb.AbortIdempotent", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM idempotency_keys WHERE scope = $1 AND key = $2 AND status = 0",
			r.Scope, r.Key)
		return err
	})
}

// forget removes what is older than the promise, and requests that a crash cut short.
func forget(ctx context.Context, tx *sql.Tx, now time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE created_at <= $1
		OR (status = 0 AND created_at <= $2)`,
		now.Add(-store.IdempotencyTTL).UnixMilli(), now.Add(-store.IdempotencyLease).UnixMilli())
	return err
}

func claim(ctx context.Context, tx *sql.Tx, r store.IdempotentRequest) (fresh bool, err error) {
	err = exactlyOne(tx.ExecContext(ctx, `INSERT INTO idempotency_keys
		(scope, key, request_hash, status, header, body, created_at) VALUES ($1, $2, $3, 0, '', '', $4)
		ON CONFLICT (scope, key) DO NOTHING`, r.Scope, r.Key, r.Hash, r.At.UnixMilli()))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func stored(ctx context.Context, tx *sql.Tx, op string, r store.IdempotentRequest) (*store.IdempotentResponse, error) {
	var hash, header, body string
	var answer store.IdempotentResponse
	err := tx.QueryRowContext(ctx, "SELECT request_hash, status, header, body FROM idempotency_keys WHERE scope = $1 AND key = $2",
		r.Scope, r.Key).Scan(&hash, &answer.Status, &header, &body)
	switch {
	case err != nil:
		return nil, err
	case hash != r.Hash:
		return nil, errs.New(errs.Conflict, op, "the Idempotency-Key was used for another request: take a new one")
	case answer.Status == 0:
		return nil, errs.New(errs.Conflict, op, "the same request is still in the works: repeat it in a moment")
	}
	answer.Body = []byte(body)
	return &answer, json.Unmarshal([]byte(header), &answer.Header)
}
