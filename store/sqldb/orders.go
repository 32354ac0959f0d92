package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/stock"
)

// PlaceOrder takes the pieces of an order, uses its coupons and stores it, all or nothing. Its errors are a *order.SoldOut,
// and Conflicts for a limit per buyer or a coupon.
//
// Locks are taken in one order everywhere: the order, the buyer's guards, coupons, then pools by SKU, those set aside
// before the main one. The pools come late because many buyers meet there.
func (db *DB) PlaceOrder(ctx context.Context, p order.Placement) (left []stock.Left, err error) {
	const op = "sqldb.PlaceOrder"
	o := p.Order
	o.Lines = slices.Clone(o.Lines) // the caller's stays as it was
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := checkLimits(ctx, tx, op, &o); err != nil {
			return err
		}
		if err := insertOrder(ctx, tx, &o); err != nil {
			return err
		}
		if err := tellPlaced(ctx, tx, &o); err != nil {
			return err
		}
		if err := takeCoupons(ctx, tx, op, &o, o.CreatedAt); err != nil {
			return err
		}
		l := &ledger{tx: tx, op: op}
		for _, i := range bySKU(o.Lines) {
			if err := l.take(ctx, &o.Lines[i], p.Pools[i]); err != nil {
				return err
			}
		}
		left = l.left
		return insertLines(ctx, tx, &o)
	})
	return left, err
}

// tellPlaced notes for others that there is a new order, and that it is paid if it cost nothing.
func tellPlaced(ctx context.Context, tx *sql.Tx, o *order.Order) error {
	view := o.View()
	if err := addOutbox(ctx, tx, o.StoreID, "order.created", o.CreatedAt, view); err != nil || o.State == order.Pending {
		return err
	}
	return addOutbox(ctx, tx, o.StoreID, "order."+string(o.State), o.CreatedAt, view)
}

// bySKU is the order in which the pools of lines are locked.
func bySKU(lines []order.Line) []int {
	at := make([]int, len(lines))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int { return cmp.Compare(lines[a].SKU, lines[b].SKU) })
	return at
}

// checkLimits refuses pieces beyond what one buyer may have. The guard makes orders of one buyer for one SKU wait for each
// other, so that each counts those before it.
func checkLimits(ctx context.Context, tx *sql.Tx, op string, o *order.Order) error {
	for _, i := range bySKU(o.Lines) {
		l := &o.Lines[i]
		if err := flashLimit(ctx, tx, l); err != nil {
			return err
		}
		if l.Item.PerBuyer == 0 && l.Item.FlashPerBuyer == 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO buyer_guards (viewer_id, sku_id, turns) VALUES ($1, $2, 1)
			ON CONFLICT (viewer_id, sku_id) DO UPDATE SET turns = buyer_guards.turns + 1`, o.ViewerID, l.SKU); err != nil {
			return err
		}
		var has, hasFlash int64
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(l.quantity - l.returned), 0),
			COALESCE(SUM(CASE WHEN l.source = 'flash' AND l.ref = $1 THEN l.quantity - l.returned ELSE 0 END), 0)
			FROM orders o JOIN order_lines l ON l.order_id = o.id
			WHERE o.viewer_id = $2 AND o.state <> 'refunded' AND l.sku_id = $3 AND l.hold <> 'released'`,
			l.Ref, o.ViewerID, l.SKU).Scan(&has, &hasFlash); err != nil {
			return err
		}
		if most := l.Item.PerBuyer; most > 0 && has+l.Quantity > most {
			return order.LimitReached(op, most, has)
		}
		if most := l.Item.FlashPerBuyer; most > 0 && l.Source == "flash" && hasFlash+l.Quantity > most {
			return order.LimitReached(op, most, hasFlash)
		}
	}
	return nil
}

// flashLimit fills in how many pieces of the line's flash sale one buyer may have, unless that is known.
func flashLimit(ctx context.Context, tx *sql.Tx, l *order.Line) error {
	if l.Source != "flash" || l.Item.FlashPerBuyer != 0 {
		return nil
	}
	err := tx.QueryRowContext(ctx, "SELECT per_buyer FROM flash_sales WHERE id = $1", l.Ref).Scan(&l.Item.FlashPerBuyer)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// snapshot is what an order says of things as they were.
type snapshot struct {
	Items   []order.Item  `json:"items"` // by line
	Offers  []order.Offer `json:"offers,omitempty"`
	Address order.Address `json:"address"`
	Remark  string        `json:"remark,omitempty"`
	Buyer   string        `json:"buyer,omitempty"`
}

func insertOrder(ctx context.Context, tx *sql.Tx, o *order.Order) error {
	s := snapshot{Offers: o.Offers, Address: o.Address, Remark: o.Remark, Buyer: o.Buyer, Items: make([]order.Item, len(o.Lines))}
	for i := range o.Lines {
		s.Items[i] = o.Lines[i].Item
	}
	doc, err := json.Marshal(s)
	if err != nil {
		return err
	}
	history, err := json.Marshal(o.History)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO orders (id, no, store_id, viewer_id, state, currency, subtotal, off, shipping_fee,
		total, recipient, phone, expires_at, created_at, updated_at, paid_at, snapshot, history)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		o.ID, o.No, o.StoreID, o.ViewerID, string(o.State), o.Currency, o.Subtotal, o.Off, o.ShippingFee, o.Total,
		o.Address.Name, o.Address.Phone, o.ExpiresAt.UnixMilli(), o.CreatedAt.UnixMilli(), o.UpdatedAt.UnixMilli(),
		millis(o.PaidAt), string(doc), string(history))
	return err
}

func insertLines(ctx context.Context, tx *sql.Tx, o *order.Order) error {
	const columns = 19
	var q strings.Builder
	q.WriteString(`INSERT INTO order_lines (order_id, n, sku_id, product_id, pool_id, quantity, unit, amount, off, source, ref,
		hold, returned, show_id, pin_id, show_time_ms, via, share_code, channel) VALUES `)
	args := make([]any, 0, columns*len(o.Lines))
	for i, l := range o.Lines {
		if i > 0 {
			q.WriteString(", ")
		}
		q.WriteString("(" + placeholders(len(args)+1, columns) + ")")
		a := l.Attribution
		args = append(args, o.ID, l.N, l.SKU, l.ProductID, l.PoolID, l.Quantity, l.Unit, l.Amount, l.Off, l.Source, l.Ref,
			string(l.Hold), l.Returned, a.ShowID, a.PinID, a.ShowTimeMS, string(a.Source), a.ShareCode, a.Channel)
	}
	_, err := tx.ExecContext(ctx, q.String(), args...)
	return err
}

// takeCoupons marks the coupons of an order as used.
func takeCoupons(ctx context.Context, tx *sql.Tx, op string, o *order.Order, at time.Time) error {
	if len(o.Offers) == 0 {
		return nil
	}
	claims := make([]string, len(o.Offers))
	for i, f := range o.Offers {
		claims[i] = f.ClaimID
	}
	slices.Sort(claims) // locked in one order everywhere
	return useClaims(ctx, tx, op, o.ViewerID, o.ID, claims, at)
}
