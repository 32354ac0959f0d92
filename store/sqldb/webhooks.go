package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/vitrine-live/vitrine/commerce/webhook"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const webhookColumns = `id, store_id, url, description, events, secret, old_secret, old_secret_until, enabled, disabled_reason,
	failing_since, created_at, updated_at`

// CreateWebhook stores a new endpoint. Exhausted: the store has webhook.MaxEndpoints already. NotFound: no such store.
func (db *DB) CreateWebhook(ctx context.Context, e webhook.Endpoint) error {
	const op = "sqldb.CreateWebhook"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := exactlyOne(tx.ExecContext(ctx, "UPDATE stores SET name = name WHERE id = $1", e.StoreID)); err != nil {
			return err // the row is locked: two that come together are counted one after the other
		}
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM webhooks WHERE store_id = $1", e.StoreID).Scan(&n); err != nil {
			return err
		}
		if n >= webhook.MaxEndpoints {
			return errs.New(errs.Exhausted, op, "the store has %d webhooks, and no more are possible: delete one first", n)
		}
		args, err := webhookArgs(e)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO webhooks ("+webhookColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)", args...)
		return err
	})
}

func webhookArgs(e webhook.Endpoint) ([]any, error) {
	if e.Events == nil {
		e.Events = []string{}
	}
	events, err := json.Marshal(e.Events)
	return []any{
		e.ID, e.StoreID, e.URL, e.Description, string(events), e.Secret, e.OldSecret, millis(e.OldSecretUntil), flag(e.Enabled),
		e.DisabledReason, millis(e.FailingSince), e.CreatedAt.UnixMilli(), e.UpdatedAt.UnixMilli(),
	}, err
}

func scanWebhook(row scanner) (webhook.Endpoint, error) {
	var e webhook.Endpoint
	var events string
	var enabled int64
	var oldUntil, failing, created, updated sql.NullInt64
	err := row.Scan(&e.ID, &e.StoreID, &e.URL, &e.Description, &events, &e.Secret, &e.OldSecret, &oldUntil, &enabled, &e.DisabledReason,
		&failing, &created, &updated)
	if err != nil {
		return e, err
	}
	e.Enabled, e.OldSecretUntil, e.FailingSince = enabled == 1, instant(oldUntil), instant(failing)
	e.CreatedAt, e.UpdatedAt = instant(created), instant(updated)
	return e, json.Unmarshal([]byte(events), &e.Events)
}

// Webhook returns an endpoint of a store, or NotFound.
func (db *DB) Webhook(ctx context.Context, storeID, id string) (webhook.Endpoint, error) {
	e, err := scanWebhook(db.read.QueryRowContext(ctx, "SELECT "+webhookColumns+" FROM webhooks WHERE store_id = $1 AND id = $2", storeID, id))
	return e, db.fail("sqldb.Webhook", err)
}

// Webhooks lists the endpoints of a store, the oldest first.
func (db *DB) Webhooks(ctx context.Context, storeID string) ([]webhook.Endpoint, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+webhookColumns+" FROM webhooks WHERE store_id = $1 ORDER BY created_at, id", storeID)
	all, err := collect(rows, err, scanWebhook)
	return all, db.fail("sqldb.Webhooks", err)
}

// UpdateWebhook reads, changes and writes an endpoint; an error of change comes back as it is and nothing is written. What
// waits for an endpoint that is disabled becomes dead.
func (db *DB) UpdateWebhook(ctx context.Context, storeID, id string, change func(*webhook.Endpoint) error) (webhook.Endpoint, error) {
	var e webhook.Endpoint
	err := db.update(ctx, "sqldb.UpdateWebhook", func(ctx context.Context, tx *sql.Tx) error {
		var err error
		// The write of nothing locks the row, so that a change is made upon the one before.
		e, err = scanWebhook(tx.QueryRowContext(ctx, "UPDATE webhooks SET url = url WHERE store_id = $1 AND id = $2 RETURNING "+webhookColumns, storeID, id))
		if err != nil {
			return err
		}
		was := e.Enabled
		if err := change(&e); err != nil {
			return err
		}
		args, err := webhookArgs(e)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE webhooks SET url = $1, description = $2, events = $3, secret = $4, old_secret = $5,
			old_secret_until = $6, enabled = $7, disabled_reason = $8, failing_since = $9, updated_at = $10 WHERE id = $11`,
			append(args[2:11:11], e.UpdatedAt.UnixMilli(), e.ID)...)
		if err != nil || !was || e.Enabled {
			return err
		}
		return bury(ctx, tx, e.ID, "the webhook was disabled")
	})
	return e, err
}

// bury gives up what waits for an endpoint.
func bury(ctx context.Context, tx *sql.Tx, webhookID, why string) error {
	_, err := tx.ExecContext(ctx, "UPDATE webhook_deliveries SET state = 'dead', last_error = $1 WHERE webhook_id = $2 AND state = 'pending'",
		why, webhookID)
	return err
}

// DeleteWebhook removes an endpoint and its deliveries. NotFound.
func (db *DB) DeleteWebhook(ctx context.Context, storeID, id string) error {
	return db.update(ctx, "sqldb.DeleteWebhook", func(ctx context.Context, tx *sql.Tx) error {
		return exactlyOne(tx.ExecContext(ctx, "DELETE FROM webhooks WHERE store_id = $1 AND id = $2", storeID, id))
	})
}

// notOfWebhook is NotFound unless the store has the endpoint.
func notOfWebhook(ctx context.Context, tx *sql.Tx, storeID, id string) error {
	var one int
	return tx.QueryRowContext(ctx, "SELECT 1 FROM webhooks WHERE store_id = $1 AND id = $2", storeID, id).Scan(&one)
}

// AddWebhookEvent stores an event that only one endpoint hears of. Conflict: it is disabled.
func (db *DB) AddWebhookEvent(ctx context.Context, webhookID string, e webhook.Event, d webhook.Delivery) error {
	const op = "sqldb.AddWebhookEvent"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := mustBeEnabled(ctx, tx, op, webhookID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO outbox (id, store_id, type, at, data, dispatched) VALUES ($1, $2, $3, $4, $5, 1)",
			e.ID, e.StoreID, e.Type, e.At.UnixMilli(), string(e.Data))
		if err != nil {
			return err
		}
		return addDelivery(ctx, tx, d.ID, webhookID, e.ID, d.CreatedAt, d.GiveUpAt)
	})
}

func mustBeEnabled(ctx context.Context, tx *sql.Tx, op, webhookID string) error {
	var enabled int64
	if err := tx.QueryRowContext(ctx, "SELECT enabled FROM webhooks WHERE id = $1", webhookID).Scan(&enabled); err != nil {
		return err
	}
	if enabled == 0 {
		return errs.New(errs.Conflict, op, "the webhook is disabled: enable it first")
	}
	return nil
}

// addDelivery makes a delivery that is due at once; one that is there already stays.
func addDelivery(ctx context.Context, tx *sql.Tx, id, webhookID, eventID string, at, giveUp time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO webhook_deliveries (id, webhook_id, event_id, state, attempts, next_at, give_up_at,
		created_at, last_status, last_error, took_ms) VALUES ($1, $2, $3, 'pending', 0, $4, $5, $6, 0, '', 0)
		ON CONFLICT (webhook_id, event_id) DO NOTHING`, id, webhookID, eventID, at.UnixMilli(), giveUp.UnixMilli(), at.UnixMilli())
	return err
}
