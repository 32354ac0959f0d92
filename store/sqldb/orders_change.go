package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/stock"
)

// ChangeOrder locks an order within a scope, changes it and writes what became of it, all in one transaction, and returns
// it with what the pools it touched have left. An error of change comes back and nothing is written. NotFound.
func (db *DB) ChangeOrder(ctx context.Context, s order.Scope, id string, change order.Change) (o order.Order, left []stock.Left, err error) {
	const op = "sqldb.ChangeOrder"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if o, err = lockOrder(ctx, tx, s, id); err != nil {
			return noOrder(op, id, err)
		}
		before := o
		before.Lines, before.History = slices.Clone(o.Lines), slices.Clone(o.History)
		before.Attempts, before.Receipts, before.Repayments = slices.Clone(o.Attempts), slices.Clone(o.Receipts), slices.Clone(o.Repayments)
		l := &ledger{tx: tx, op: op}
		if err := change(ctx, &o, l); err != nil {
			return err
		}
		left = l.left
		return saveOrder(ctx, tx, &before, &o)
	})
	if err != nil {
		return order.Order{}, nil, err
	}
	return o, left, nil
}

// lockOrder reads an order by a statement that writes to it, so that everybody else waits.
func lockOrder(ctx context.Context, tx *sql.Tx, s order.Scope, id string) (order.Order, error) {
	var w where
	w.add("id = ", id)
	w.scope(s)
	o, err := scanOrder(tx.QueryRowContext(ctx, "UPDATE orders SET revision = revision + 1"+w.sql()+" RETURNING "+orderColumns, w.args...))
	if err != nil {
		return o, err
	}
	one := []order.Order{o}
	err = complete(ctx, tx, one)
	return one[0], err
}

// saveOrder writes what a change made of an order.
func saveOrder(ctx context.Context, tx *sql.Tx, before, o *order.Order) error {
	if err := saveLines(ctx, tx, before, o); err != nil {
		return err
	}
	for i, a := range o.Attempts {
		if i < len(before.Attempts) && before.Attempts[i] == a {
			continue
		}
		if err := saveAttempt(ctx, tx, o.ID, a); err != nil {
			return err
		}
	}
	for _, r := range o.Receipts[len(before.Receipts):] { // what came in stays as it was
		if _, err := insertReceipt(ctx, tx, r); err != nil {
			return err
		}
	}
	for i, r := range o.Repayments {
		if i < len(before.Repayments) && before.Repayments[i] == r {
			continue
		}
		if err := saveRepayment(ctx, tx, r); err != nil {
			return err
		}
	}
	if o.State == before.State && o.UpdatedAt.Equal(before.UpdatedAt) && len(o.History) == len(before.History) && o.Shipping == before.Shipping {
		return nil
	}
	if err := saveHead(ctx, tx, o); err != nil {
		return err
	}
	return addOutbox(ctx, tx, o.StoreID, changeEvent(before, o), o.UpdatedAt, o.View())
}

// changeEvent names what the outside hears: the new state, or that something else of the order changed.
func changeEvent(before, o *order.Order) string {
	if o.State == before.State {
		return "order.updated"
	}
	return "order." + string(o.State)
}

func saveHead(ctx context.Context, tx *sql.Tx, o *order.Order) error {
	history, err := json.Marshal(o.History)
	if err != nil {
		return err
	}
	shipping := []byte{}
	if o.Shipping != (order.Shipping{}) {
		if shipping, err = json.Marshal(o.Shipping); err != nil {
			return err
		}
	}
	return exactlyOne(tx.ExecContext(ctx, `UPDATE orders SET state = $1, refunded = $2, updated_at = $3, paid_at = $4, shipped_at = $5,
		completed_at = $6, ended_at = $7, provider = $8, transaction_id = $9, shipping = $10, history = $11 WHERE id = $12`,
		string(o.State), o.Refunded, o.UpdatedAt.UnixMilli(), millis(o.PaidAt), millis(o.ShippedAt), millis(o.CompletedAt),
		millis(o.EndedAt), o.Provider, o.TransactionID, string(shipping), string(history), o.ID))
}

// saveLines writes pieces that were put back; the ledger has written the holds already.
func saveLines(ctx context.Context, tx *sql.Tx, before, o *order.Order) error {
	for i := range o.Lines {
		l := &o.Lines[i]
		if l.Returned == before.Lines[i].Returned {
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE order_lines SET returned = $1 WHERE order_id = $2 AND n = $3", l.Returned, o.ID, l.N); err != nil {
			return err
		}
	}
	return nil
}

func saveAttempt(ctx context.Context, tx *sql.Tx, orderID string, a order.Attempt) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO order_attempts (`+attemptColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (order_id, provider) DO UPDATE SET closed = excluded.closed, close_at = excluded.close_at, tries = excluded.tries`,
		orderID, a.Provider, a.StartedAt.UnixMilli(), flag(a.Closed), millis(a.CloseAt), a.Tries)
	return err
}

// insertReceipt notes money that came in; it reports whether it was not known yet.
func insertReceipt(ctx context.Context, tx *sql.Tx, r order.Receipt) (bool, error) {
	res, err := tx.ExecContext(ctx, "INSERT INTO order_receipts ("+receiptColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (provider, transaction_id) DO NOTHING`, r.Provider, r.TransactionID, r.OrderID, r.OrderNo, r.Money.Amount,
		r.Money.Currency, string(r.Outcome), r.PaidAt.UnixMilli(), r.ReceivedAt.UnixMilli())
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

func saveRepayment(ctx context.Context, tx *sql.Tx, r order.Repayment) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO order_refunds (no, order_id, provider, transaction_id, amount, paid, currency, cause,
		reason, state, tries, error, created_at, ask_at, done_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (no) DO UPDATE SET state = excluded.state, tries = excluded.tries, error = excluded.error,
			ask_at = excluded.ask_at, done_at = excluded.done_at`,
		r.No, r.OrderID, r.Provider, r.TransactionID, r.Money.Amount, r.Paid.Amount, r.Money.Currency, string(r.Cause), r.Reason,
		string(r.State), r.Tries, r.Error, r.CreatedAt.UnixMilli(), millis(r.AskAt), millis(r.DoneAt))
	return err
}
