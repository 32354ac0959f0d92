package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/commerce/webhook"
	"github.com/vitrine-live/vitrine/internal/cursor"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const deliveryColumns = `d.id, d.webhook_id, d.event_id, e.type, d.state, d.attempts, d.next_at, d.give_up_at, d.attempt_at, d.last_status,
	d.last_error, d.took_ms, d.created_at`

func scanDelivery(row scanner) (webhook.Delivery, error) { return scanDeliveryAnd(row) }

// scanDeliveryAnd scans the columns of a delivery and those that follow them.
func scanDeliveryAnd(row scanner, more ...any) (webhook.Delivery, error) {
	var d webhook.Delivery
	var next, giveUp, attempt, created sql.NullInt64
	var tookMS int64
	err := row.Scan(append([]any{
		&d.ID, &d.WebhookID, &d.EventID, &d.EventType, &d.State, &d.Attempts, &next, &giveUp, &attempt, &d.LastStatus,
		&d.LastError, &tookMS, &created,
	}, more...)...)
	d.NextAt, d.GiveUpAt, d.AttemptAt, d.CreatedAt = instant(next), instant(giveUp), instant(attempt), instant(created)
	d.Took = time.Duration(tookMS) * time.Millisecond
	return d, err
}

// WebhookDeliveries lists the deliveries of an endpoint, newest first, those before the key; state "" stands for all.
// NotFound: the store has no such endpoint.
func (db *DB) WebhookDeliveries(ctx context.Context, storeID, webhookID string, state webhook.State, before cursor.Key, limit int) ([]webhook.Delivery, error) {
	var all []webhook.Delivery
	err := db.view(ctx, "sqldb.WebhookDeliveries", func(ctx context.Context, tx *sql.Tx) error {
		if err := notOfWebhook(ctx, tx, storeID, webhookID); err != nil {
			return err
		}
		at, id := before.At.UnixMilli(), before.ID
		if id == "" {
			at = 1 << 62
		}
		rows, err := tx.QueryContext(ctx, "SELECT "+deliveryColumns+` FROM webhook_deliveries d JOIN outbox e ON e.id = d.event_id
			WHERE d.webhook_id = $1 AND (CAST($2 AS TEXT) = '' OR d.state = $2) AND (d.created_at < $3 OR (d.created_at = $3 AND d.id < $4))
			ORDER BY d.created_at DESC, d.id DESC LIMIT $5`, webhookID, string(state), at, id, limit)
		all, err = collect(rows, err, scanDelivery)
		return err
	})
	return all, err
}

const eventColumns = "e.store_id, e.at, e.data"

// scanJob scans a delivery and its event.
func scanJob(row scanner) (webhook.Delivery, webhook.Event, error) {
	var e webhook.Event
	var at sql.NullInt64
	var data string
	d, err := scanDeliveryAnd(row, &e.StoreID, &at, &data)
	e.ID, e.Type, e.At, e.Data = d.EventID, d.EventType, instant(at), []byte(data)
	return d, e, err
}

// WebhookDelivery returns a delivery of an endpoint and its event, or NotFound.
func (db *DB) WebhookDelivery(ctx context.Context, storeID, webhookID, id string) (d webhook.Delivery, e webhook.Event, err error) {
	d, e, err = scanJob(db.read.QueryRowContext(ctx, "SELECT "+deliveryColumns+", "+eventColumns+` FROM webhook_deliveries d
		JOIN outbox e ON e.id = d.event_id JOIN webhooks w ON w.id = d.webhook_id
		WHERE w.store_id = $1 AND w.id = $2 AND d.id = $3`, storeID, webhookID, id))
	return d, e, db.fail("sqldb.WebhookDelivery", err)
}

// ReplayWebhookDelivery makes a delivery that has ended pending again. Conflict: it has not ended, or the endpoint is
// disabled.
func (db *DB) ReplayWebhookDelivery(ctx context.Context, storeID, webhookID, id string, at, giveUp time.Time) (webhook.Delivery, error) {
	const op = "sqldb.ReplayWebhookDelivery"
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := notOfWebhook(ctx, tx, storeID, webhookID); err != nil {
			return err
		}
		if err := mustBeEnabled(ctx, tx, op, webhookID); err != nil {
			return err
		}
		var state webhook.State
		if err := tx.QueryRowContext(ctx, "SELECT state FROM webhook_deliveries WHERE webhook_id = $1 AND id = $2", webhookID, id).Scan(&state); err != nil {
			return err
		}
		err := exactlyOne(tx.ExecContext(ctx, `UPDATE webhook_deliveries SET state = 'pending', attempts = 0, next_at = $1, give_up_at = $2
			WHERE id = $3 AND state <> 'pending'`, at.UnixMilli(), giveUp.UnixMilli(), id))
		if errors.Is(err, sql.ErrNoRows) {
			return errs.New(errs.Conflict, op, "the event is on its way already")
		}
		return err
	})
	if err != nil {
		return webhook.Delivery{}, err
	}
	d, _, err := db.WebhookDelivery(ctx, storeID, webhookID, id)
	return d, err
}

// ReplayDeadWebhooks makes what is dead and was made since an instant pending again, and tells how many. Conflict: the
// endpoint is disabled.
func (db *DB) ReplayDeadWebhooks(ctx context.Context, storeID, webhookID string, since, at, giveUp time.Time) (n int64, err error) {
	const op = "sqldb.ReplayDeadWebhooks"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := notOfWebhook(ctx, tx, storeID, webhookID); err != nil {
			return err
		}
		if err := mustBeEnabled(ctx, tx, op, webhookID); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE webhook_deliveries SET state = 'pending', attempts = 0, next_at = $1, give_up_at = $2
			WHERE webhook_id = $3 AND state = 'dead' AND created_at >= $4`, at.UnixMilli(), giveUp.UnixMilli(), webhookID, since.UnixMilli())
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}
