package sqldb

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/commerce/lottery"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const lotteryColumns = `id, store_id, show_id, title, prizes, conditions, window_ms, opens_at_ms, claim_ms, state, announced, reason, entries,
	commitment, entrants_hash, seed, opened_ms, closes_ms, closes_by, created_at, opened_at, closed_at, drawn_at, cancelled_at, claims_by`

// CreateLottery stores a new draft. Conflict: the ID is taken.
func (db *DB) CreateLottery(ctx context.Context, l lottery.Lottery) error {
	return db.update(ctx, "sqldb.CreateLottery", func(ctx context.Context, tx *sql.Tx) error {
		prizes, conditions, err := termsJSON(&l.Terms)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO lotteries (id, store_id, show_id, title, prizes, conditions, window_ms, opens_at_ms, claim_ms,
			state, announced, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'draft', 'draft', $10)`,
			l.ID, l.StoreID, l.ShowID, l.Title, prizes, conditions, l.Window.Milliseconds(), l.OpensAtMS, l.ClaimFor.Milliseconds(), l.CreatedAt.UnixMilli())
		return err
	})
}

// Lottery returns a lottery of any store, or NotFound.
func (db *DB) Lottery(ctx context.Context, id string) (lottery.Lottery, error) {
	const op = "sqldb.Lottery"
	l, err := scanLottery(db.read.QueryRowContext(ctx, "SELECT "+lotteryColumns+" FROM lotteries WHERE id = $1", id))
	return l, db.fail(op, noLottery(op, id, err))
}

// StoreLottery returns a store's lottery. NotFound, also for another store's.
func (db *DB) StoreLottery(ctx context.Context, storeID, id string) (lottery.Lottery, error) {
	const op = "sqldb.StoreLottery"
	l, err := scanLottery(db.read.QueryRowContext(ctx, "SELECT "+lotteryColumns+" FROM lotteries WHERE id = $1 AND store_id = $2", id, storeID))
	return l, db.fail(op, noLottery(op, id, err))
}

// Lotteries lists at most limit lotteries of a store, newest first, those made before the one named by beforeID; from the
// newest when it is empty. showID "" stands for all shows.
func (db *DB) Lotteries(ctx context.Context, storeID, showID, beforeID string, limit int) ([]lottery.Lottery, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+lotteryColumns+` FROM lotteries
		WHERE store_id = $1 AND (CAST($2 AS TEXT) = '' OR show_id = $2)
		AND (CAST($3 AS TEXT) = '' OR (created_at, id) < (SELECT created_at, id FROM lotteries WHERE id = $3))
		ORDER BY created_at DESC, id DESC LIMIT $4`, storeID, showID, beforeID, limit)
	all, err := collect(rows, err, scanLottery)
	return all, db.fail("sqldb.Lotteries", err)
}

// ShownLotteries lists the lotteries of a show that were opened, in the order of their opening.
func (db *DB) ShownLotteries(ctx context.Context, showID string) ([]lottery.Lottery, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+lotteryColumns+` FROM lotteries WHERE show_id = $1 AND commitment <> ''
		ORDER BY opened_at, id`, showID)
	all, err := collect(rows, err, scanLottery)
	return all, db.fail("sqldb.ShownLotteries", err)
}

// LotteriesAtWork lists at most limit lotteries that wait for something, oldest first.
func (db *DB) LotteriesAtWork(ctx context.Context, limit int) ([]lottery.Lottery, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+lotteryColumns+` FROM lotteries
		WHERE state IN ('open', 'closed') OR announced <> state OR (state = 'draft' AND opens_at_ms IS NOT NULL)
		ORDER BY created_at, id LIMIT $1`, limit)
	all, err := collect(rows, err, scanLottery)
	return all, db.fail("sqldb.LotteriesAtWork", err)
}

// UpdateLottery changes the terms of a draft; an error of change comes back and nothing is written. NotFound; Conflict: it
// is no draft any more.
func (db *DB) UpdateLottery(ctx context.Context, storeID, id string, change func(*lottery.Terms) error) (lottery.Lottery, error) {
	const op = "sqldb.UpdateLottery"
	var l lottery.Lottery
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) (err error) {
		if l, err = scanLottery(tx.QueryRowContext(ctx, "SELECT "+lotteryColumns+" FROM lotteries WHERE id = $1 AND store_id = $2", id, storeID)); err != nil {
			return noLottery(op, id, err)
		}
		if err := change(&l.Terms); err != nil {
			return err
		}
		prizes, conditions, err := termsJSON(&l.Terms)
		if err != nil {
			return err
		}
		l, err = moved(ctx, tx, op, id, `UPDATE lotteries SET show_id = $1, title = $2, prizes = $3, conditions = $4, window_ms = $5,
			opens_at_ms = $6, claim_ms = $7 WHERE id = $8 AND state = 'draft'`,
			l.ShowID, l.Title, prizes, conditions, l.Window.Milliseconds(), l.OpensAtMS, l.ClaimFor.Milliseconds(), id)
		return err
	})
	return l, err
}

// OpenLottery opens a draft and keeps its secret. NotFound; Conflict: it is no draft.
func (db *DB) OpenLottery(ctx context.Context, id string, o lottery.Opening) (lottery.Lottery, error) {
	const op = "sqldb.OpenLottery"
	var l lottery.Lottery
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) (err error) {
		l, err = moved(ctx, tx, op, id, `UPDATE lotteries SET state = 'open', commitment = $1, opened_ms = $2, closes_ms = $3, opened_at = $4,
			closes_by = $5 WHERE id = $6 AND state = 'draft'`,
			o.Commitment, o.OpenedMS, o.ClosesMS, o.At.UnixMilli(), o.ClosesBy.UnixMilli(), id)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO lottery_secrets (lottery_id, seed, pseudonyms) VALUES ($1, $2, $3)",
			id, hex.EncodeToString(o.Secret.Seed), hex.EncodeToString(o.Secret.Pseudonyms))
		return err
	})
	return l, err
}

// CancelLottery gives up a store's lottery that has not closed. NotFound; Conflict: it has.
func (db *DB) CancelLottery(ctx context.Context, storeID, id, reason string, at time.Time) (lottery.Lottery, error) {
	const op = "sqldb.CancelLottery"
	var l lottery.Lottery
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) (err error) {
		if err := tx.QueryRowContext(ctx, "SELECT id FROM lotteries WHERE id = $1 AND store_id = $2", id, storeID).Scan(&id); err != nil {
			return noLottery(op, id, err)
		}
		l, err = moved(ctx, tx, op, id, `UPDATE lotteries SET announced = CASE WHEN state = 'draft' THEN 'cancelled' ELSE announced END,
			state = 'cancelled', reason = $1, cancelled_at = $2 WHERE id = $3 AND state IN ('draft', 'open')`, reason, at.UnixMilli(), id)
		return err
	})
	return l, err
}

// CloseLottery closes an open lottery: nobody enters any more, and the hash of the entrants, ascending, is stored. NotFound;
// Conflict: it is not open.
func (db *DB) CloseLottery(ctx context.Context, id string, at time.Time, hash func([]string) string) (lottery.Lottery, error) {
	const op = "sqldb.CloseLottery"
	var l lottery.Lottery
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		// The first write locks the row that every entry locks too: those before it are read below, the others come too late.
		_, err := moved(ctx, tx, op, id, "UPDATE lotteries SET entries = entries WHERE id = $1 AND state = 'open'", id)
		if err != nil {
			return err
		}
		entries, err := lotteryEntries(ctx, tx, id)
		if err != nil {
			return err
		}
		l, err = moved(ctx, tx, op, id, `UPDATE lotteries SET state = 'closed', closed_at = $1, entries = $2, entrants_hash = $3
			WHERE id = $4 AND state = 'open'`, at.UnixMilli(), len(entries), hash(entrantsOf(entries)), id)
		return err
	})
	return l, err
}

// DrawLottery draws a closed lottery. NotFound; Conflict: it is not closed, so it cannot be drawn, or not again.
func (db *DB) DrawLottery(ctx context.Context, id string, d lottery.Drawing) (lottery.Lottery, error) {
	const op = "sqldb.DrawLottery"
	var l lottery.Lottery
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) (err error) {
		l, err = moved(ctx, tx, op, id, `UPDATE lotteries SET state = 'drawn', drawn_at = $1, claims_by = $2,
			seed = (SELECT s.seed FROM lottery_secrets s WHERE s.lottery_id = lotteries.id) WHERE id = $3 AND state = 'closed'`,
			d.At.UnixMilli(), d.ClaimsBy.UnixMilli(), id)
		if err != nil {
			return err
		}
		entries, err := lotteryEntries(ctx, tx, id)
		if err != nil {
			return err
		}
		raw, err := hex.DecodeString(l.Seed)
		if err != nil {
			return err
		}
		winners, err := d.Winners(&l, raw, entries)
		if err != nil {
			return err
		}
		return addWinners(ctx, tx, winners)
	})
	return l, err
}

// LotteryAnnounced notes the state that the show's viewers were told last. NotFound.
func (db *DB) LotteryAnnounced(ctx context.Context, id string, s lottery.State) error {
	const op = "sqldb.LotteryAnnounced"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		return noLottery(op, id, exactlyOne(tx.ExecContext(ctx, "UPDATE lotteries SET announced = $1 WHERE id = $2", string(s), id)))
	})
}

// moved carries out an update of one lottery that belongs to certain states, and returns the lottery. NotFound; Conflict:
// the lottery is in another state.
func moved(ctx context.Context, tx *sql.Tx, op, id, update string, args ...any) (lottery.Lottery, error) {
	l, err := scanLottery(tx.QueryRowContext(ctx, update+" RETURNING "+lotteryColumns, args...))
	if !errors.Is(err, sql.ErrNoRows) {
		return l, err
	}
	var state string
	if err := tx.QueryRowContext(ctx, "SELECT state FROM lotteries WHERE id = $1", id).Scan(&state); err != nil {
		return l, noLottery(op, id, err)
	}
	return l, errs.As(errs.Conflict, op, sql.ErrNoRows, "the lottery is %s: that cannot be done with it any more, or not yet", state)
}

func termsJSON(t *lottery.Terms) (prizes, conditions string, err error) {
	p, err := json.Marshal(t.Prizes)
	if err != nil {
		return "", "", err
	}
	c, err := json.Marshal(t.Conditions)
	return string(p), string(c), err
}

func noLottery(op, id string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no lottery %s", id)
	}
	return err
}

func scanLottery(row scanner) (l lottery.Lottery, err error) {
	var prizes, conditions string
	var window, claim int64
	var opensAt, closesBy, created, opened, closed, drawn, cancelled, claimsBy sql.NullInt64
	err = row.Scan(&l.ID, &l.StoreID, &l.ShowID, &l.Title, &prizes, &conditions, &window, &opensAt, &claim, &l.State, &l.Announced, &l.Reason,
		&l.Entries, &l.Commitment, &l.EntrantsHash, &l.Seed, &l.OpenedMS, &l.ClosesMS, &closesBy, &created, &opened, &closed, &drawn,
		&cancelled, &claimsBy)
	if err != nil {
		return l, err
	}
	l.Window, l.ClaimFor = time.Duration(window)*time.Millisecond, time.Duration(claim)*time.Millisecond
	if opensAt.Valid {
		l.OpensAtMS = &opensAt.Int64
	}
	l.ClosesBy, l.CreatedAt, l.OpenedAt, l.ClosedAt = instant(closesBy), instant(created), instant(opened), instant(closed)
	l.DrawnAt, l.CancelledAt, l.ClaimsBy = instant(drawn), instant(cancelled), instant(claimsBy)
	return l, errors.Join(json.Unmarshal([]byte(prizes), &l.Prizes), json.Unmarshal([]byte(conditions), &l.Conditions))
}

// entrantsOf are the entrants of entries, ascending by their bytes: databases order text by many rules.
func entrantsOf(entries []lottery.Entry) []string {
	entrants := make([]string, len(entries))
	for i, e := range entries {
		entrants[i] = e.Entrant
	}
	slices.Sort(entrants)
	return entrants
}
