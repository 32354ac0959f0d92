package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// UpdateRedPacket changes a red packet of a store; an error of change comes back and nothing is written. Pieces that it
// returns replace those that there are. NotFound, also of a product that the store does not have.
func (db *DB) UpdateRedPacket(ctx context.Context, storeID, id string, change func(*offer.RedPacket) (pieces []int64, err error)) (p offer.RedPacket, err error) {
	const op = "sqldb.UpdateRedPacket"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		p, err = scanPacket(tx.QueryRowContext(ctx, "SELECT "+packetColumns+" FROM red_packets WHERE id = $1 AND store_id = $2"+db.forUpdate, id, storeID))
		if err != nil {
			return noPacket(op, id, err)
		}
		pieces, err := change(&p)
		if err != nil {
			return err
		}
		if err := checkScope(ctx, tx, op, storeID, p.Products); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE red_packets SET terms = $1, rules = $2, total = $3, pieces = $4, least = $5, updated_at = $6 WHERE id = $7",
			jsonText(p.Terms), jsonText(p.Rules), p.Total, p.Pieces, p.Least, millis(p.UpdatedAt), id)
		if err != nil || pieces == nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM red_packet_pieces WHERE packet_id = $1", id); err != nil {
			return err
		}
		return addPieces(ctx, tx, id, pieces)
	})
	return p, err
}

// ReplaceFlashSale writes a ready sale anew that was last changed at an instant, and what is to be said of it instead of what
// was; nil: nothing yet. Conflict: it is not ready any more, somebody else changed it, or viewers were told of it. NotFound.
func (db *DB) ReplaceFlashSale(ctx context.Context, f offer.FlashSale, was time.Time, d *offer.Drop) error {
	const op = "sqldb.ReplaceFlashSale"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := db.lockRow(ctx, tx, "flash_sales", f.ID); err != nil {
			return noFlash(op, f.ID, err)
		}
		err := exactlyOne(tx.ExecContext(ctx, `UPDATE flash_sales SET show_id = $1, sku_id = $2, goods = $3, price = $4, quantity = $5, per_buyer = $6,
			countdown_ms = $7, duration_ms = $8, starts_at_ms = $9, updated_at = $10
			WHERE id = $11 AND store_id = $12 AND state = 'ready' AND updated_at = $13`,
			f.ShowID, f.SKU, jsonText(f.Goods), f.Price, f.Quantity, f.PerBuyer, f.Countdown.Milliseconds(), f.Duration.Milliseconds(), f.StartsAtMS,
			millis(f.UpdatedAt), f.ID, f.StoreID, was.UnixMilli()))
		if errors.Is(err, sql.ErrNoRows) {
			return errs.As(errs.Conflict, op, err, "the sale has just started, or somebody else changed it: look at it again")
		}
		if err != nil {
			return err
		}
		return resay(ctx, tx, op, f.ID, d)
	})
}

// resay replaces what is to be said of an offer that viewers were not told of.
func resay(ctx context.Context, tx *sql.Tx, op, offerID string, d *offer.Drop) error {
	var told int64
	if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(told), 0) FROM offer_drops WHERE offer_id = $1", offerID).Scan(&told); err != nil {
		return err
	}
	if told > 0 {
		return errs.New(errs.Conflict, op, "viewers were told of this sale: stop it, and prepare another one")
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM offer_drops WHERE offer_id = $1", offerID); err != nil || d == nil {
		return err
	}
	_, err := putDrop(ctx, tx, *d)
	return err
}
