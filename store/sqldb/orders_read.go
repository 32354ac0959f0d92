package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const orderColumns = `id, no, store_id, viewer_id, state, currency, subtotal, off, shipping_fee, total, refunded, expires_at,
	created_at, updated_at, paid_at, shipped_at, completed_at, ended_at, provider, transaction_id, snapshot, shipping, history`

const lineColumns = `order_id, n, sku_id, product_id, pool_id, quantity, unit, amount, off, source, ref, hold, returned, show_id,
	pin_id, show_time_ms, via, share_code, channel`

// Order returns an order within a scope, or NotFound.
func (db *DB) Order(ctx context.Context, s order.Scope, id string) (order.Order, error) {
	const op = "sqldb.Order"
	var o order.Order
	err := db.view(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		var w where
		w.add("id = ", id)
		w.scope(s)
		all, err := readOrders(ctx, tx, w.sql(), w.args...)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return noOrder(op, id, sql.ErrNoRows)
		}
		o = all[0]
		return nil
	})
	return o, err
}

// Orders lists orders, newest first.
func (db *DB) Orders(ctx context.Context, f order.Filter) ([]order.Order, error) {
	var all []order.Order
	err := db.view(ctx, "sqldb.Orders", func(ctx context.Context, tx *sql.Tx) (err error) {
		w := orderFilter(f)
		all, err = readOrders(ctx, tx, w.sql()+" ORDER BY created_at DESC, id DESC LIMIT "+strconv.Itoa(f.Limit), w.args...)
		return err
	})
	return all, err
}

func orderFilter(f order.Filter) *where {
	w := &where{}
	w.scope(f.Scope)
	if f.State != "" {
		w.add("state = ", string(f.State))
	}
	if f.ShowID != "" {
		w.add("id IN (SELECT order_id FROM order_lines WHERE show_id <> '' AND show_id = ", f.ShowID)
		w.text.WriteByte(')')
	}
	if !f.Since.IsZero() {
		w.add("created_at >= ", f.Since.UnixMilli())
	}
	if !f.Until.IsZero() {
		w.add("created_at < ", f.Until.UnixMilli())
	}
	if f.After != "" {
		w.add("(created_at, id) < (SELECT created_at, id FROM orders WHERE id = ", f.After)
		w.text.WriteByte(')')
	}
	if f.Text != "" {
		part := "%" + likeEscaper.Replace(strings.ToLower(f.Text)) + "%"
		w.add("(no = ", f.Text)
		w.more(` OR LOWER(recipient) LIKE `, part)
		w.more(` ESCAPE '\' OR phone LIKE `, part)
		w.text.WriteString(` ESCAPE '\')`)
	}
	return w
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// where gathers the conditions of a query and their values, in order.
type where struct {
	text strings.Builder
	args []any
}

// add puts a condition that ends in a value after those before.
func (w *where) add(condition string, value any) {
	if w.text.Len() > 0 {
		w.text.WriteString(" AND ")
	}
	w.more(condition, value)
}

func (w *where) more(text string, value any) {
	w.args = append(w.args, value)
	w.text.WriteString(text + "$" + strconv.Itoa(len(w.args)))
}

func (w *where) scope(s order.Scope) {
	if s.StoreID != "" {
		w.add("store_id = ", s.StoreID)
	}
	if s.ViewerID != "" {
		w.add("viewer_id = ", s.ViewerID)
	}
}

func (w *where) sql() string {
	if w.text.Len() == 0 {
		return ""
	}
	return " WHERE " + w.text.String()
}

// readOrders reads orders with all that belongs to them.
func readOrders(ctx context.Context, tx *sql.Tx, rest string, args ...any) ([]order.Order, error) {
	//nolint:gosec // what is joined are conditions of this package and numbers of parameters
	rows, err := tx.QueryContext(ctx, "SELECT "+orderColumns+" FROM orders"+rest, args...)
	all, err := collect(rows, err, scanOrder)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all, complete(ctx, tx, all)
}

// complete reads what belongs to orders.
func complete(ctx context.Context, tx *sql.Tx, all []order.Order) error {
	byID, ids := make(map[string]*order.Order, len(all)), make([]any, len(all))
	for i := range all {
		byID[all[i].ID], ids[i] = &all[i], all[i].ID
	}
	in := " WHERE order_id IN (" + placeholders(1, len(ids)) + ")"
	if err := each(ctx, tx, "SELECT "+lineColumns+" FROM order_lines"+in+" ORDER BY order_id, n", ids, func(row scanner) error {
		return scanLine(row, byID)
	}); err != nil {
		return err
	}
	if err := each(ctx, tx, "SELECT "+attemptColumns+" FROM order_attempts"+in+" ORDER BY started_at, provider", ids, func(row scanner) error {
		return scanAttempt(row, byID)
	}); err != nil {
		return err
	}
	if err := each(ctx, tx, "SELECT "+receiptColumns+" FROM order_receipts"+in+" ORDER BY received_at, transaction_id", ids, func(row scanner) error {
		r, err := scanReceipt(row)
		if err == nil {
			byID[r.OrderID].Receipts = append(byID[r.OrderID].Receipts, r)
		}
		return err
	}); err != nil {
		return err
	}
	return each(ctx, tx, "SELECT "+repaymentColumns+" FROM order_refunds r JOIN orders o ON o.id = r.order_id"+in+" ORDER BY r.created_at, r.no", ids, func(row scanner) error {
		r, err := scanRepayment(row)
		if err == nil {
			byID[r.OrderID].Repayments = append(byID[r.OrderID].Repayments, r)
		}
		return err
	})
}

// each calls scan for each row of a query.
func each(ctx context.Context, tx *sql.Tx, query string, args []any, scan func(scanner) error) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) { return struct{}{}, scan(row) })
	return err
}

func scanOrder(row scanner) (o order.Order, err error) {
	var expires, created, updated, paid, shipped, completed, ended sql.NullInt64
	var snap, shipping, history string
	if err := row.Scan(&o.ID, &o.No, &o.StoreID, &o.ViewerID, &o.State, &o.Currency, &o.Subtotal, &o.Off, &o.ShippingFee, &o.Total,
		&o.Refunded, &expires, &created, &updated, &paid, &shipped, &completed, &ended, &o.Provider, &o.TransactionID, &snap,
		&shipping, &history); err != nil {
		return o, err
	}
	o.ExpiresAt, o.CreatedAt, o.UpdatedAt, o.PaidAt = instant(expires), instant(created), instant(updated), instant(paid)
	o.ShippedAt, o.CompletedAt, o.EndedAt = instant(shipped), instant(completed), instant(ended)
	var s snapshot
	if err := json.Unmarshal([]byte(snap), &s); err != nil {
		return o, err
	}
	o.Offers, o.Address, o.Remark, o.Buyer = s.Offers, s.Address, s.Remark, s.Buyer
	o.Lines = make([]order.Line, len(s.Items)) // filled by scanLine
	for i := range s.Items {
		o.Lines[i].Item = s.Items[i]
	}
	if shipping != "" {
		if err := json.Unmarshal([]byte(shipping), &o.Shipping); err != nil {
			return o, err
		}
	}
	return o, json.Unmarshal([]byte(history), &o.History)
}

func scanLine(row scanner, byID map[string]*order.Order) error {
	var id, via string
	var l order.Line
	a := &l.Attribution
	if err := row.Scan(&id, &l.N, &l.SKU, &l.ProductID, &l.PoolID, &l.Quantity, &l.Unit, &l.Amount, &l.Off, &l.Source, &l.Ref, &l.Hold,
		&l.Returned, &a.ShowID, &a.PinID, &a.ShowTimeMS, &via, &a.ShareCode, &a.Channel); err != nil {
		return err
	}
	a.Source = commerce.Source(via)
	o := byID[id]
	if l.N < 1 || l.N > len(o.Lines) {
		return errs.New(errs.Internal, "sqldb.scanLine", "order %s has a line %d that its snapshot does not know", id, l.N)
	}
	l.Item = o.Lines[l.N-1].Item
	o.Lines[l.N-1] = l
	return nil
}

const attemptColumns = "order_id, provider, started_at, closed, close_at, tries"

func scanAttempt(row scanner, byID map[string]*order.Order) error {
	var id string
	var a order.Attempt
	var started, closeAt sql.NullInt64
	if err := row.Scan(&id, &a.Provider, &started, &a.Closed, &closeAt, &a.Tries); err != nil {
		return err
	}
	a.StartedAt, a.CloseAt = instant(started), instant(closeAt)
	byID[id].Attempts = append(byID[id].Attempts, a)
	return nil
}

const receiptColumns = "provider, transaction_id, order_id, order_no, amount, currency, outcome, paid_at, received_at"

func scanReceipt(row scanner) (r order.Receipt, err error) {
	var paid, received sql.NullInt64
	err = row.Scan(&r.Provider, &r.TransactionID, &r.OrderID, &r.OrderNo, &r.Money.Amount, &r.Money.Currency, &r.Outcome, &paid, &received)
	r.PaidAt, r.ReceivedAt = instant(paid), instant(received)
	return r, err
}

const repaymentColumns = `r.no, r.order_id, o.no, r.provider, r.transaction_id, r.amount, r.paid, r.currency, r.cause, r.reason,
	r.state, r.tries, r.error, r.created_at, r.ask_at, r.done_at`

func scanRepayment(row scanner) (r order.Repayment, err error) {
	var created, ask, done sql.NullInt64
	err = row.Scan(&r.No, &r.OrderID, &r.OrderNo, &r.Provider, &r.TransactionID, &r.Money.Amount, &r.Paid.Amount, &r.Money.Currency,
		&r.Cause, &r.Reason, &r.State, &r.Tries, &r.Error, &created, &ask, &done)
	r.Paid.Currency = r.Money.Currency
	r.CreatedAt, r.AskAt, r.DoneAt = instant(created), instant(ask), instant(done)
	return r, err
}

func noOrder(op, id string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no order %s", id)
	}
	return err
}
