package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/commerce/webhook"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// FanOutWebhooks takes the oldest events out of the outbox, at most limit, makes their deliveries to the endpoints that
// want them, and tells how many events it took. An event meets every endpoint once, however many servers do this.
func (db *DB) FanOutWebhooks(ctx context.Context, limit int, at, giveUp time.Time) (taken int, err error) {
	const op = "sqldb.FanOutWebhooks"
	var waits int
	// The outbox is nearly always empty: that is found out without a write.
	err = db.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT id FROM outbox WHERE dispatched = 0 LIMIT 1) AS first").Scan(&waits)
	if err != nil || waits == 0 {
		return 0, db.fail(op, err)
	}
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `UPDATE outbox SET dispatched = 1 WHERE dispatched = 0 AND id IN
			(SELECT id FROM outbox WHERE dispatched = 0 ORDER BY at, id LIMIT $1) RETURNING id, store_id, type`, limit)
		events, err := collect(rows, err, func(row scanner) (e webhook.Event, err error) {
			err = row.Scan(&e.ID, &e.StoreID, &e.Type)
			return e, err
		})
		if err != nil {
			return err
		}
		taken = len(events)
		return fanOut(ctx, tx, events, at, giveUp)
	})
	return taken, err
}

func fanOut(ctx context.Context, tx *sql.Tx, events []webhook.Event, at, giveUp time.Time) error {
	endpoints := map[string][]webhook.Endpoint{} // by store
	for i := range events {
		e := &events[i]
		all, known := endpoints[e.StoreID]
		if !known {
			rows, err := tx.QueryContext(ctx, "SELECT "+webhookColumns+" FROM webhooks WHERE store_id = $1 AND enabled = 1", e.StoreID)
			if all, err = collect(rows, err, scanWebhook); err != nil {
				return err
			}
			endpoints[e.StoreID] = all
		}
		for j := range all {
			if !all[j].Wants(e.Type) {
				continue
			}
			if err := addDelivery(ctx, tx, ids.New("dlv"), all[j].ID, e.ID, at, giveUp); err != nil {
				return err
			}
		}
	}
	return nil
}

// DueWebhooks lists the enabled endpoints that have something due: those that do not fail first, then by what has waited
// longest.
func (db *DB) DueWebhooks(ctx context.Context, at time.Time) ([]webhook.Due, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id, failing FROM (SELECT w.id, CASE WHEN w.failing_since IS NULL THEN 0 ELSE 1 END AS failing,
		(SELECT MIN(d.next_at) FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending') AS first
		FROM webhooks w WHERE w.enabled = 1) AS waiting WHERE first <= $1 ORDER BY failing, first, id`, at.UnixMilli())
	due, err := collect(rows, err, func(row scanner) (d webhook.Due, err error) {
		err = row.Scan(&d.WebhookID, &d.Failing)
		return d, err
	})
	return due, db.fail("sqldb.DueWebhooks", err)
}

// ClaimWebhookDeliveries takes at most n due deliveries of an endpoint, the oldest first, so that nobody else takes them
// until the lease ends. Each counts as an attempt.
func (db *DB) ClaimWebhookDeliveries(ctx context.Context, webhookID string, n int, at, leaseEnds time.Time) (jobs []webhook.Job, err error) {
	err = db.update(ctx, "sqldb.ClaimWebhookDeliveries", func(ctx context.Context, tx *sql.Tx) error {
		jobs = nil
		endpoint, err := scanWebhook(tx.QueryRowContext(ctx, "SELECT "+webhookColumns+" FROM webhooks WHERE id = $1", webhookID))
		if err != nil {
			return err
		}
		// What another server took meanwhile is due no more when its row is looked at again.
		rows, err := tx.QueryContext(ctx, `UPDATE webhook_deliveries SET next_at = $1, attempts = attempts + 1
			WHERE state = 'pending' AND next_at <= $2 AND id IN (SELECT id FROM webhook_deliveries
				WHERE webhook_id = $3 AND state = 'pending' AND next_at <= $2 ORDER BY next_at, id LIMIT $4)
			RETURNING id`, leaseEnds.UnixMilli(), at.UnixMilli(), webhookID, n)
		taken, err := collect(rows, err, func(row scanner) (id string, err error) {
			err = row.Scan(&id)
			return id, err
		})
		for _, id := range taken {
			d, e, err := scanJob(tx.QueryRowContext(ctx, "SELECT "+deliveryColumns+", "+eventColumns+` FROM webhook_deliveries d
				JOIN outbox e ON e.id = d.event_id WHERE d.id = $1`, id))
			if err != nil {
				return err
			}
			jobs = append(jobs, webhook.Job{Delivery: d, Endpoint: endpoint, Event: e})
		}
		return err
	})
	return jobs, err
}

// ReportWebhookDelivery notes what came of an attempt, and disables an endpoint that asks for it or has failed for too
// long. A success always counts; a failure only if nobody has taken the delivery since.
func (db *DB) ReportWebhookDelivery(ctx context.Context, r webhook.Report) (disabled bool, err error) {
	err = db.update(ctx, "sqldb.ReportWebhookDelivery", func(ctx context.Context, tx *sql.Tx) error {
		switch {
		case r.Interrupted:
			_, err := tx.ExecContext(ctx, `UPDATE webhook_deliveries SET next_at = $1, attempts = attempts - 1
				WHERE id = $2 AND attempts = $3 AND state = 'pending'`, r.NextAt.UnixMilli(), r.DeliveryID, r.Attempt)
			return err
		case r.Delivered:
			return reportDelivered(ctx, tx, &r)
		}
		var err error
		disabled, err = reportFailed(ctx, tx, &r)
		return err
	})
	return disabled, err
}

func reportDelivered(ctx context.Context, tx *sql.Tx, r *webhook.Report) error {
	_, err := tx.ExecContext(ctx, `UPDATE webhook_deliveries SET state = 'delivered', attempt_at = $1, last_status = $2, last_error = '', took_ms = $3
		WHERE id = $4`, r.At.UnixMilli(), r.Status, r.Took.Milliseconds(), r.DeliveryID)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE webhooks SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL", r.WebhookID)
	return err
}

func reportFailed(ctx context.Context, tx *sql.Tx, r *webhook.Report) (disabled bool, err error) {
	state, next := webhook.Pending, r.NextAt
	if next.IsZero() {
		state, next = webhook.Dead, r.At
	}
	res, err := tx.ExecContext(ctx, `UPDATE webhook_deliveries SET state = $1, next_at = $2, attempt_at = $3, last_status = $4, last_error = $5,
		took_ms = $6 WHERE id = $7 AND attempts = $8 AND state = 'pending'`, string(state), next.UnixMilli(), r.At.UnixMilli(), r.Status, r.Error,
		r.Took.Milliseconds(), r.DeliveryID, r.Attempt)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	var since sql.NullInt64
	err = tx.QueryRowContext(ctx, `UPDATE webhooks SET failing_since = COALESCE(failing_since, $1) WHERE id = $2 AND enabled = 1
		RETURNING failing_since`, r.At.UnixMilli(), r.WebhookID).Scan(&since)
	if err != nil {
		if errors.Is(err, sql.ErrNoRows) { // disabled or deleted meanwhile
			err = nil
		}
		return false, err
	}
	why := r.Disable
	if why == "" && !instant(since).After(r.FailingBefore) {
		why = r.FailingReason
	}
	if why == "" {
		return false, nil
	}
	_, err = tx.ExecContext(ctx, "UPDATE webhooks SET enabled = 0, disabled_reason = $1 WHERE id = $2", why, r.WebhookID)
	if err != nil {
		return false, err
	}
	return true, bury(ctx, tx, r.WebhookID, "the webhook was disabled: "+why)
}

// PruneWebhooks deletes what was finished before an instant: deliveries, and events that no delivery needs, at most limit
// of each, and tells how much it was.
func (db *DB) PruneWebhooks(ctx context.Context, before time.Time, limit int) (n int64, err error) {
	err = db.update(ctx, "sqldb.PruneWebhooks", func(ctx context.Context, tx *sql.Tx) error {
		n = 0
		for _, statement := range []string{
			`DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries
				WHERE created_at < $1 AND give_up_at < $1 AND state <> 'pending' LIMIT $2)`,
			`DELETE FROM outbox WHERE id IN (SELECT id FROM outbox e WHERE e.at < $1 AND e.dispatched = 1
				AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.event_id = e.id) LIMIT $2)`,
		} {
			res, err := tx.ExecContext(ctx, statement, before.UnixMilli(), limit)
			if err != nil {
				return err
			}
			gone, err := res.RowsAffected()
			if err != nil {
				return err
			}
			n += gone
		}
		return nil
	})
	return n, err
}
