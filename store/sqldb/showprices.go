package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

const (
	showPriceColumns = "id, store_id, show_id, sku_id, price, replay_hours"
	showPriceRead    = showPriceColumns + ", (SELECT product_id FROM skus WHERE skus.id = sku_id)"
)

// ShowPrices lists the prices of a show by SKU.
func (db *DB) ShowPrices(ctx context.Context, showID string) ([]commerce.ShowPrice, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+showPriceRead+" FROM show_prices WHERE show_id = $1 ORDER BY sku_id", showID)
	prices, err := collect(rows, err, scanShowPrice)
	return prices, db.fail("sqldb.ShowPrices", err)
}

// SetShowPrice stores a price, in place of the one that the SKU has in the show, whose ID stays. NotFound: the show or the
// SKU is gone.
func (db *DB) SetShowPrice(ctx context.Context, p commerce.ShowPrice) (commerce.ShowPrice, error) {
	var kept commerce.ShowPrice
	err := db.update(ctx, "sqldb.SetShowPrice", func(ctx context.Context, tx *sql.Tx) (err error) {
		kept, err = scanShowPrice(tx.QueryRowContext(ctx, "INSERT INTO show_prices ("+showPriceColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (show_id, sku_id) DO UPDATE SET price = excluded.price, replay_hours = excluded.replay_hours
			RETURNING `+showPriceRead, p.ID, p.StoreID, p.ShowID, p.SKU, p.Price, p.ReplayHours))
		return err
	})
	return kept, err
}

// DeleteShowPrice takes the price of a SKU in a show away. NotFound.
func (db *DB) DeleteShowPrice(ctx context.Context, showID, skuID string) error {
	const op = "sqldb.DeleteShowPrice"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		err := exactlyOne(tx.ExecContext(ctx, "DELETE FROM show_prices WHERE show_id = $1 AND sku_id = $2", showID, skuID))
		if errors.Is(err, sql.ErrNoRows) {
			return errs.As(errs.NotFound, op, err, "the SKU %s has no price in this show", skuID)
		}
		return err
	})
}

// ShopShow returns a show as the shop knows it, or NotFound.
func (db *DB) ShopShow(ctx context.Context, id string) (commerce.Show, error) {
	const op = "sqldb.ShopShow"
	var s commerce.Show
	var scheduled, started, ended sql.NullInt64
	var duration media.Ticks
	err := db.read.QueryRowContext(ctx, `SELECT id, room_id, store_id, title, state, scheduled_at, started_at, ended_at, duration
		FROM shows WHERE id = $1`, id).Scan(&s.ID, &s.RoomID, &s.StoreID, &s.Title, &s.State, &scheduled, &started, &ended, &duration)
	if errors.Is(err, sql.ErrNoRows) {
		return s, errs.As(errs.NotFound, op, err, "there is no such show")
	}
	s.ScheduledAt, s.StartedAt, s.EndedAt, s.PositionMS = instant(scheduled), instant(started), instant(ended), duration.Milliseconds()
	return s, db.fail(op, err)
}

func scanShowPrice(row scanner) (p commerce.ShowPrice, err error) {
	err = row.Scan(&p.ID, &p.StoreID, &p.ShowID, &p.SKU, &p.Price, &p.ReplayHours, &p.ProductID)
	return p, err
}
