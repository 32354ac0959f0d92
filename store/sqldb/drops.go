package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const dropColumns = "show_id, offer_id, store_id, kind, show_time_ms, dropped_at, state, state_ms, seq, told"

// PutDrop places a coupon or a red packet into a show, or says once more that it is there. Conflict: it is not there to
// be claimed, or a red packet was dropped into another show; NotFound: the store has no such offer.
func (db *DB) PutDrop(ctx context.Context, d offer.Drop) (offer.Drop, error) {
	const op = "sqldb.PutDrop"
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		ready := db.couponReady
		if d.Kind == offer.RedPacketKind {
			ready = db.packetReady
		}
		if err := ready(ctx, tx, op, d); err != nil {
			return err
		}
		var err error
		d, err = putDrop(ctx, tx, d)
		return err
	})
	return d, err
}

func (db *DB) couponReady(ctx context.Context, tx *sql.Tx, op string, d offer.Drop) error {
	c, err := scanCoupon(tx.QueryRowContext(ctx, "SELECT "+couponColumns+" FROM coupons WHERE id = $1 AND store_id = $2"+db.forUpdate, d.OfferID, d.StoreID))
	switch left := c.Left(); {
	case err != nil:
		return noCoupon(op, d.OfferID, err)
	case c.State != offer.Active:
		return errs.New(errs.Conflict, op, "the coupon is not active: activate it first")
	case left != nil && *left == 0:
		return errs.New(errs.Conflict, op, "all coupons are claimed: raise its quota first")
	}
	return nil
}

func (db *DB) packetReady(ctx context.Context, tx *sql.Tx, op string, d offer.Drop) error {
	p, err := scanPacket(tx.QueryRowContext(ctx, "SELECT "+packetColumns+" FROM red_packets WHERE id = $1 AND store_id = $2"+db.forUpdate, d.OfferID, d.StoreID))
	if err != nil {
		return noPacket(op, d.OfferID, err)
	}
	if p.State != offer.Draft && p.State != offer.Active {
		return errs.New(errs.Conflict, op, "the red packet is over: make another one")
	}
	var elsewhere int
	err = tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM offer_drops WHERE offer_id = $1 AND show_id <> $2", d.OfferID, d.ShowID).Scan(&elsewhere)
	if err != nil {
		return err
	}
	if elsewhere > 0 {
		return errs.New(errs.Conflict, op, "the red packet was dropped into another show: make another one")
	}
	_, err = tx.ExecContext(ctx, "UPDATE red_packets SET state = 'active', updated_at = $1 WHERE id = $2", millis(d.DroppedAt), d.OfferID)
	return err
}

// putDrop says something of an offer in a show. What viewers were told of before keeps its first place.
func putDrop(ctx context.Context, tx *sql.Tx, d offer.Drop) (offer.Drop, error) {
	return scanDrop(tx.QueryRowContext(ctx, "INSERT INTO offer_drops ("+dropColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, 0)
		ON CONFLICT (show_id, offer_id) DO UPDATE SET state = excluded.state, state_ms = excluded.state_ms, seq = offer_drops.seq + 1,
			show_time_ms = CASE WHEN offer_drops.told = 0 THEN excluded.show_time_ms ELSE offer_drops.show_time_ms END
		RETURNING `+dropColumns,
		d.ShowID, d.OfferID, d.StoreID, string(d.Kind), d.ShowTimeMS, millis(d.DroppedAt), string(d.Saying), d.StateMS))
}

// say makes all drops of an offer that say one of some things say another, where the clocks of their shows stand.
func say(ctx context.Context, tx *sql.Tx, offerID string, what offer.Saying, instead ...offer.Saying) error {
	return sayAt(ctx, tx, offerID, what, nil, instead...)
}

func sayAt(ctx context.Context, tx *sql.Tx, offerID string, what offer.Saying, ms *int64, instead ...offer.Saying) error {
	args := []any{string(what), ms, offerID}
	for _, s := range instead {
		args = append(args, string(s))
	}
	//nolint:gosec // what is joined are numbers of parameters
	_, err := tx.ExecContext(ctx, `UPDATE offer_drops SET state = $1, state_ms = $2, seq = seq + 1
		WHERE offer_id = $3 AND state IN (`+placeholders(4, len(instead))+")", args...)
	return err
}

// WithdrawDrop takes a coupon out of a show. One that is out already stays out. NotFound: it is not there.
func (db *DB) WithdrawDrop(ctx context.Context, showID, offerID string) error {
	const op = "sqldb.WithdrawDrop"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		d, err := scanDrop(tx.QueryRowContext(ctx, "SELECT "+dropColumns+" FROM offer_drops WHERE show_id = $1 AND offer_id = $2 AND kind = 'coupon'"+db.forUpdate, showID, offerID))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return errs.As(errs.NotFound, op, err, "the show has no coupon %s", offerID)
		case err != nil || d.Saying == offer.Withdrawn:
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE offer_drops SET state = 'stopped', state_ms = NULL, seq = seq + 1 WHERE show_id = $1 AND offer_id = $2", showID, offerID)
		return err
	})
}

// Drop returns the place of an offer in a show. NotFound.
func (db *DB) Drop(ctx context.Context, showID, offerID string) (offer.Drop, error) {
	const op = "sqldb.Drop"
	d, err := scanDrop(db.read.QueryRowContext(ctx, "SELECT "+dropColumns+" FROM offer_drops WHERE show_id = $1 AND offer_id = $2", showID, offerID))
	if errors.Is(err, sql.ErrNoRows) {
		return d, errs.As(errs.NotFound, op, err, "this show does not have %s", offerID)
	}
	return d, db.fail(op, err)
}

// Drops lists the offers of a show in the order of show time.
func (db *DB) Drops(ctx context.Context, showID string) ([]offer.Drop, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+dropColumns+" FROM offer_drops WHERE show_id = $1 ORDER BY show_time_ms, offer_id", showID)
	all, err := collect(rows, err, scanDrop)
	return all, db.fail("sqldb.Drops", err)
}

// UntoldDrops lists those of which something newer is to be said than the timeline says, the oldest first.
func (db *DB) UntoldDrops(ctx context.Context) ([]offer.Drop, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+dropColumns+" FROM offer_drops WHERE told < seq ORDER BY show_id, dropped_at, offer_id")
	all, err := collect(rows, err, scanDrop)
	return all, db.fail("sqldb.UntoldDrops", err)
}

// DropTold notes how far the timeline has been told of an offer.
func (db *DB) DropTold(ctx context.Context, showID, offerID string, seq int64) error {
	return db.update(ctx, "sqldb.DropTold", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE offer_drops SET told = $1 WHERE show_id = $2 AND offer_id = $3 AND told < $4", seq, showID, offerID, seq)
		return err
	})
}

// ForgetDrop removes a drop that viewers never heard of, unless something newer is to be said of it.
func (db *DB) ForgetDrop(ctx context.Context, showID, offerID string, seq int64) error {
	return db.update(ctx, "sqldb.ForgetDrop", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM offer_drops WHERE show_id = $1 AND offer_id = $2 AND told = 0 AND seq = $3", showID, offerID, seq)
		return err
	})
}

func scanDrop(row scanner) (d offer.Drop, err error) {
	var dropped sql.NullInt64
	err = row.Scan(&d.ShowID, &d.OfferID, &d.StoreID, &d.Kind, &d.ShowTimeMS, &dropped, &d.Saying, &d.StateMS, &d.Seq, &d.Told)
	d.DroppedAt = instant(dropped)
	return d, err
}
