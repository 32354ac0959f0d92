package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const packetColumns = "id, store_id, state, terms, rules, total, pieces, least, claimed, claimed_amount, created_at, updated_at"

// CreateRedPacket stores a new red packet with its pieces. NotFound: the store has no such product.
func (db *DB) CreateRedPacket(ctx context.Context, p offer.RedPacket, pieces []int64) error {
	const op = "sqldb.CreateRedPacket"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := checkScope(ctx, tx, op, p.StoreID, p.Products); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO red_packets ("+packetColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, $10)",
			p.ID, p.StoreID, string(p.State), jsonText(p.Terms), jsonText(p.Rules), p.Total, p.Pieces, p.Least, millis(p.CreatedAt), millis(p.UpdatedAt))
		if err != nil {
			return err
		}
		return addPieces(ctx, tx, p.ID, pieces)
	})
}

func addPieces(ctx context.Context, tx *sql.Tx, packetID string, pieces []int64) error {
	insert, err := tx.PrepareContext(ctx, "INSERT INTO red_packet_pieces (packet_id, n, amount) VALUES ($1, $2, $3)")
	if err != nil {
		return err
	}
	defer insert.Close() //nolint:errcheck // ends with its transaction
	for i, amount := range pieces {
		if _, err := insert.ExecContext(ctx, packetID, i+1, amount); err != nil {
			return err
		}
	}
	return nil
}

// RedPacket returns a red packet of a store, of any when storeID is empty. NotFound.
func (db *DB) RedPacket(ctx context.Context, storeID, id string) (offer.RedPacket, error) {
	const op = "sqldb.RedPacket"
	p, err := scanPacket(db.read.QueryRowContext(ctx, "SELECT "+packetColumns+" FROM red_packets WHERE id = $1 AND (CAST($2 AS TEXT) = '' OR store_id = $2)", id, storeID))
	return p, db.fail(op, noPacket(op, id, err))
}

// RedPackets lists the red packets of a store, newest first, those made before the one named by beforeID; from the newest
// when it is empty.
func (db *DB) RedPackets(ctx context.Context, storeID, beforeID string, limit int) ([]offer.RedPacket, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+packetColumns+` FROM red_packets WHERE store_id = $1
		AND (CAST($2 AS TEXT) = '' OR (created_at, id) < (SELECT created_at, id FROM red_packets WHERE id = $2))
		ORDER BY created_at DESC, id DESC LIMIT $3`, storeID, beforeID, limit)
	all, err := collect(rows, err, scanPacket)
	return all, db.fail("sqldb.RedPackets", err)
}

// StopRedPacket ends a red packet of a store, and its drop says so. One that is over stays as it is. NotFound.
func (db *DB) StopRedPacket(ctx context.Context, storeID, id string, at time.Time) (p offer.RedPacket, err error) {
	const op = "sqldb.StopRedPacket"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE red_packets SET state = 'stopped', updated_at = $1 WHERE id = $2 AND store_id = $3
			AND state IN ('draft', 'active')`, at.UnixMilli(), id, storeID)
		if err != nil {
			return err
		}
		p, err = scanPacket(tx.QueryRowContext(ctx, "SELECT "+packetColumns+" FROM red_packets WHERE id = $1 AND store_id = $2", id, storeID))
		if err != nil {
			return noPacket(op, id, err)
		}
		if p.State != offer.Stopped {
			return nil
		}
		return say(ctx, tx, id, offer.Withdrawn, offer.Dropped)
	})
	return p, err
}

// DeleteRedPacket removes a draft of a store that stands on no timeline. Conflict; NotFound.
func (db *DB) DeleteRedPacket(ctx context.Context, storeID, id string) error {
	const op = "sqldb.DeleteRedPacket"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		var state string
		err := tx.QueryRowContext(ctx, "SELECT state FROM red_packets WHERE id = $1 AND store_id = $2"+db.forUpdate, id, storeID).Scan(&state)
		if err != nil {
			return noPacket(op, id, err)
		}
		if state != string(offer.Draft) {
			return errs.New(errs.Conflict, op, "the red packet was dropped into a show: stop it instead")
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM red_packets WHERE id = $1", id)
		return err
	})
}

// ClaimPiece adds a claim of the next piece of an active red packet, for a viewer who has none of it. last reports that it
// was the last one. Conflict: one of these is not so. The row of the red packet orders all its claims.
func (db *DB) ClaimPiece(ctx context.Context, c offer.Claim) (claimed offer.Claim, last bool, err error) {
	const op = "sqldb.ClaimPiece"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		claimed = c
		var n, pieces int64
		err := tx.QueryRowContext(ctx, `UPDATE red_packets SET claimed = claimed + 1 WHERE id = $1 AND store_id = $2 AND state = 'active'
			AND claimed < pieces RETURNING claimed, pieces`, c.CouponID, c.StoreID).Scan(&n, &pieces)
		if errors.Is(err, sql.ErrNoRows) {
			return errs.As(errs.Conflict, op, err, "the red packet is empty, or it was stopped")
		}
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, "SELECT amount FROM red_packet_pieces WHERE packet_id = $1 AND n = $2", c.CouponID, n).Scan(&claimed.Terms.Amount)
		if err != nil {
			return err
		}
		if err := addClaim(ctx, tx, op, claimed, 1); err != nil {
			return err
		}
		last = n == pieces
		return takePiece(ctx, tx, claimed, last)
	})
	return claimed, last, err
}

// takePiece counts what was claimed; after the last piece the red packet is empty.
func takePiece(ctx context.Context, tx *sql.Tx, c offer.Claim, last bool) error {
	_, err := tx.ExecContext(ctx, `UPDATE red_packets SET claimed_amount = claimed_amount + $1,
		state = CASE WHEN claimed = pieces THEN 'empty' ELSE state END, updated_at = $2 WHERE id = $3`,
		c.Terms.Amount, c.ClaimedAt.UnixMilli(), c.CouponID)
	if err != nil || !last {
		return err
	}
	return say(ctx, tx, c.CouponID, offer.Emptied, offer.Dropped)
}

func noPacket(op, id string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no red packet %s", id)
	}
	return err
}

func scanPacket(row scanner) (p offer.RedPacket, err error) {
	var terms, rules string
	var created, updated sql.NullInt64
	if err := row.Scan(&p.ID, &p.StoreID, &p.State, &terms, &rules, &p.Total, &p.Pieces, &p.Least, &p.Claimed, &p.ClaimedAmount, &created, &updated); err != nil {
		return p, err
	}
	p.CreatedAt, p.UpdatedAt = instant(created), instant(updated)
	return p, errors.Join(json.Unmarshal([]byte(terms), &p.Terms), json.Unmarshal([]byte(rules), &p.Rules))
}
