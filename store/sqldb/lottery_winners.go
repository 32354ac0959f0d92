package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/commerce/lottery"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const selectWinners = `SELECT w.id, w.lottery_id, l.store_id, l.title, w.place, w.entrant, w.viewer_id, w.name, w.prize, w.state, w.claim_by,
	w.claimed_at, w.address, w.coupon_ref FROM lottery_winners w JOIN lotteries l ON l.id = w.lottery_id `

func addWinners(ctx context.Context, tx *sql.Tx, winners []lottery.Winner) error {
	for _, w := range winners {
		prize, err := json.Marshal(w.Prize)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO lottery_winners (id, lottery_id, place, entrant, viewer_id, name, prize, state, claim_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			w.ID, w.LotteryID, w.Rank, w.Entrant, w.ViewerID, w.Name, string(prize), string(w.State), w.ClaimBy.UnixMilli())
		if err != nil {
			return err
		}
	}
	return nil
}

// LotteryWinners lists the winners of a lottery by rank.
func (db *DB) LotteryWinners(ctx context.Context, id string) ([]lottery.Winner, error) {
	rows, err := db.read.QueryContext(ctx, selectWinners+"WHERE w.lottery_id = $1 ORDER BY w.place", id)
	all, err := collect(rows, err, scanWinner)
	return all, db.fail("sqldb.LotteryWinners", err)
}

// ViewerPrizes lists at most limit of what a viewer has won, the one to be claimed last first.
func (db *DB) ViewerPrizes(ctx context.Context, viewerID string, limit int) ([]lottery.Winner, error) {
	rows, err := db.read.QueryContext(ctx, selectWinners+"WHERE w.viewer_id = $1 ORDER BY w.claim_by DESC, w.id LIMIT $2", viewerID, limit)
	all, err := collect(rows, err, scanWinner)
	return all, db.fail("sqldb.ViewerPrizes", err)
}

// ClaimPrize changes what became of a viewer's prize as claim says; its error comes back and nothing is written. NotFound,
// also for the prize of somebody else.
func (db *DB) ClaimPrize(ctx context.Context, viewerID, id string, claim func(*lottery.Winner) error) (lottery.Winner, error) {
	const op = "sqldb.ClaimPrize"
	var w lottery.Winner
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		// The write that changes nothing locks the row: claims of one prize, and its lapse, take turns.
		err := exactlyOne(tx.ExecContext(ctx, "UPDATE lottery_winners SET name = name WHERE id = $1 AND viewer_id = $2", id, viewerID))
		if errors.Is(err, sql.ErrNoRows) {
			return errs.As(errs.NotFound, op, err, "you have won no prize %s", id)
		} else if err != nil {
			return err
		}
		if w, err = scanWinner(tx.QueryRowContext(ctx, selectWinners+"WHERE w.id = $1", id)); err != nil {
			return err
		}
		if err := claim(&w); err != nil {
			return err
		}
		address := ""
		if w.Address != nil {
			doc, err := json.Marshal(w.Address)
			if err != nil {
				return err
			}
			address = string(doc)
		}
		_, err = tx.ExecContext(ctx, "UPDATE lottery_winners SET state = $1, claimed_at = $2, address = $3, coupon_ref = $4 WHERE id = $5",
			string(w.State), millis(w.ClaimedAt), address, w.CouponRef, id)
		return err
	})
	if err != nil {
		return lottery.Winner{}, err
	}
	return w, nil
}

// LapsePrizes ends the time of prizes that were not claimed by an instant, and returns how many they are.
func (db *DB) LapsePrizes(ctx context.Context, at time.Time) (n int64, err error) {
	err = db.update(ctx, "sqldb.LapsePrizes", func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE lottery_winners SET state = 'lapsed' WHERE state = 'pending' AND claim_by <= $1", at.UnixMilli())
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

func scanWinner(row scanner) (w lottery.Winner, err error) {
	var prize, address string
	var claimBy, claimed sql.NullInt64
	err = row.Scan(&w.ID, &w.LotteryID, &w.StoreID, &w.Title, &w.Rank, &w.Entrant, &w.ViewerID, &w.Name, &prize, &w.State, &claimBy, &claimed,
		&address, &w.CouponRef)
	if err != nil {
		return w, err
	}
	w.ClaimBy, w.ClaimedAt = instant(claimBy), instant(claimed)
	if address != "" {
		w.Address = new(lottery.Address)
		err = json.Unmarshal([]byte(address), w.Address)
	}
	return w, errors.Join(err, json.Unmarshal([]byte(prize), &w.Prize))
}
