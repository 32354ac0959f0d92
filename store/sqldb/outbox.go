package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/vitrine-live/vitrine/internal/ids"
)

// addOutbox notes what happened in a store, within the transaction that makes it happen: it is heard of exactly if it
// took place.
func addOutbox(ctx context.Context, tx *sql.Tx, storeID, kind string, at time.Time, data any) error {
	doc, err := json.Marshal(data)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO outbox (id, store_id, type, at, data) VALUES ($1, $2, $3, $4, $5)",
		ids.Ordered("evt", at), storeID, kind, at.UnixMilli(), string(doc))
	return err
}

// AddEvent notes what happened in a store, for what happens in no transaction of its own.
func (db *DB) AddEvent(ctx context.Context, storeID, kind string, at time.Time, data any) error {
	return db.update(ctx, "sqldb.AddEvent", func(ctx context.Context, tx *sql.Tx) error { return addOutbox(ctx, tx, storeID, kind, at, data) })
}
