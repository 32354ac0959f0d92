package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// ledger moves pieces and coupons of orders within a transaction. It implements order.Ledger.
type ledger struct {
	tx   *sql.Tx
	op   string
	at   time.Time
	left []stock.Left // what the pools that were touched have left
}

// take takes all pieces of a line from the first of the pools that has them, and holds or sells them as the line says.
func (l *ledger) take(ctx context.Context, line *order.Line, pools []string) error {
	if len(pools) == 0 {
		return nil
	}
	column := "reserved"
	if line.Hold == order.Sold {
		column = "sold"
	}
	for _, pool := range pools {
		left := stock.Left{PoolID: pool, SKU: line.SKU}
		err := l.tx.QueryRowContext(ctx, "UPDATE stock_pools SET available = available - $1, "+column+" = "+column+` + $1
			WHERE id = $2 AND sku_id = $3 AND closed = 0 AND available >= $1 RETURNING available, kind, ref`,
			line.Quantity, pool, line.SKU).Scan(&left.Available, &left.Kind, &left.Ref)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		line.PoolID = pool
		l.left = append(l.left, left)
		return nil
	}
	return &order.SoldOut{SKU: line.SKU, Pools: pools}
}

// Sell implements order.Ledger.
func (l *ledger) Sell(ctx context.Context, o *order.Order) error {
	for _, i := range bySKU(o.Lines) {
		line := &o.Lines[i]
		if line.Hold != order.Held {
			continue
		}
		if line.PoolID != "" {
			if err := exactlyOne(l.tx.ExecContext(ctx, "UPDATE stock_pools SET reserved = reserved - $1, sold = sold + $1 WHERE id = $2",
				line.Quantity, line.PoolID)); err != nil {
				return l.lost(line, err)
			}
		}
		line.Hold = order.Sold
	}
	return l.holds(ctx, o.ID, order.Sold)
}

// Release implements order.Ledger.
func (l *ledger) Release(ctx context.Context, o *order.Order) error {
	if err := l.ReleaseCoupons(ctx, o); err != nil {
		return err
	}
	for _, i := range bySKU(o.Lines) {
		line := &o.Lines[i]
		if line.Hold != order.Held {
			continue
		}
		if err := l.free(ctx, line, "reserved", line.Quantity); err != nil {
			return err
		}
		line.Hold = order.Released
	}
	return l.holds(ctx, o.ID, order.Released)
}

// PutBack implements order.Ledger.
func (l *ledger) PutBack(ctx context.Context, line *order.Line, pieces int64) error {
	if err := l.free(ctx, line, "sold", pieces); err != nil {
		return err
	}
	line.Returned += pieces // the caller's change stores it
	return nil
}

// free makes pieces of a pool available again; those of a closed pool go to the main one.
func (l *ledger) free(ctx context.Context, line *order.Line, from string, pieces int64) error {
	if line.PoolID == "" {
		return nil
	}
	left := stock.Left{PoolID: line.PoolID, SKU: line.SKU}
	var closed bool
	err := l.tx.QueryRowContext(ctx, "UPDATE stock_pools SET "+from+" = "+from+` - $1,
		available = available + CASE WHEN closed = 0 THEN $1 ELSE 0 END, total = total - CASE WHEN closed = 0 THEN 0 ELSE $1 END
		WHERE id = $2 RETURNING available, kind, ref, closed`, pieces, line.PoolID).Scan(&left.Available, &left.Kind, &left.Ref, &closed)
	if err != nil {
		return l.lost(line, err)
	}
	if closed {
		left = stock.Left{PoolID: line.SKU, SKU: line.SKU, Kind: stock.Main}
		if err := l.tx.QueryRowContext(ctx, `UPDATE stock_pools SET total = total + $1, available = available + $1
			WHERE id = $2 RETURNING available`, pieces, line.SKU).Scan(&left.Available); err != nil {
			return l.lost(line, err)
		}
	}
	l.left = append(l.left, left)
	return nil
}

// lost says that a pool an order has pieces of is gone, which nothing may make happen.
func (l *ledger) lost(line *order.Line, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.Internal, l.op, err, "the pool %s of SKU %s is gone", line.PoolID, line.SKU)
	}
	return err
}

// Retake implements order.Ledger. Pieces come from where they were, or from the main pool where that is closed or empty.
func (l *ledger) Retake(ctx context.Context, o *order.Order) (bool, error) {
	if _, err := l.tx.ExecContext(ctx, "SAVEPOINT retake"); err != nil {
		return false, err
	}
	lines, before := slices.Clone(o.Lines), len(l.left)
	err := l.retake(ctx, o)
	if err == nil {
		_, err = l.tx.ExecContext(ctx, "RELEASE SAVEPOINT retake")
		return err == nil, err
	}
	if errs.KindOf(err) != errs.Conflict {
		return false, err
	}
	o.Lines, l.left = lines, l.left[:before]
	_, err = l.tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT retake")
	return false, err
}

func (l *ledger) retake(ctx context.Context, o *order.Order) error {
	if err := checkLimits(ctx, l.tx, l.op, o); err != nil {
		return err
	}
	if err := takeCoupons(ctx, l.tx, l.op, o, l.at); err != nil {
		return err
	}
	for _, i := range bySKU(o.Lines) {
		line := &o.Lines[i]
		line.Hold = order.Sold
		if line.PoolID == "" {
			continue
		}
		if err := l.take(ctx, line, slices.Compact([]string{line.PoolID, line.SKU})); err != nil {
			return err
		}
		if _, err := l.tx.ExecContext(ctx, "UPDATE order_lines SET pool_id = $1 WHERE order_id = $2 AND n = $3", line.PoolID, o.ID, line.N); err != nil {
			return err
		}
	}
	return l.holds(ctx, o.ID, order.Sold)
}

// ReleaseCoupons implements order.Ledger.
func (l *ledger) ReleaseCoupons(ctx context.Context, o *order.Order) error {
	if len(o.Offers) == 0 {
		return nil
	}
	return releaseClaims(ctx, l.tx, o.ID)
}

func (l *ledger) holds(ctx context.Context, orderID string, h order.Hold) error {
	_, err := l.tx.ExecContext(ctx, "UPDATE order_lines SET hold = $1 WHERE order_id = $2", string(h), orderID)
	return err
}
