package sqldb

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"

	"github.com/vitrine-live/vitrine/commerce/lottery"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const entryColumns = "viewer_id, entrant, name, entered_at"

// EnterLottery adds a viewer to an open lottery, or returns the entry that is there. NotFound; Conflict: it is not open;
// Exhausted: it has limit entries.
func (db *DB) EnterLottery(ctx context.Context, id string, e lottery.Entry, limit int, pseudonym func(lottery.Secret) string) (lottery.Entry, error) {
	const op = "sqldb.EnterLottery"
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		// Locks the lottery's row: entries and the closing take turns.
		counted := exactlyOne(tx.ExecContext(ctx, `UPDATE lotteries SET entries = entries + 1
			WHERE id = $1 AND state = 'open' AND entries < $2`, id, limit))
		if counted != nil && !errors.Is(counted, sql.ErrNoRows) {
			return counted
		}
		there, err := scanEntry(tx.QueryRowContext(ctx, "SELECT "+entryColumns+" FROM lottery_entries WHERE lottery_id = $1 AND viewer_id = $2", id, e.ViewerID))
		switch {
		case err == nil:
			e = there
			if counted == nil {
				_, err = tx.ExecContext(ctx, "UPDATE lotteries SET entries = entries - 1 WHERE id = $1", id)
			}
			return err
		case !errors.Is(err, sql.ErrNoRows):
			return err
		case counted != nil:
			return refused(ctx, tx, op, id)
		}
		secret, err := lotterySecret(ctx, tx, id)
		if err != nil {
			return err
		}
		e.Entrant = pseudonym(secret)
		_, err = tx.ExecContext(ctx, `INSERT INTO lottery_entries (lottery_id, viewer_id, entrant, name, entered_at)
			VALUES ($1, $2, $3, $4, $5)`, id, e.ViewerID, e.Entrant, e.Name, e.At.UnixMilli())
		return err
	})
	if err != nil {
		return lottery.Entry{}, err
	}
	return e, nil
}

// refused says why nobody enters.
func refused(ctx context.Context, tx *sql.Tx, op, id string) error {
	var state lottery.State
	if err := tx.QueryRowContext(ctx, "SELECT state FROM lotteries WHERE id = $1", id).Scan(&state); err != nil {
		return noLottery(op, id, err)
	}
	if state == lottery.Open {
		return errs.New(errs.Exhausted, op, "the lottery is full")
	}
	return errs.New(errs.Conflict, op, "the lottery is %s: nobody can enter it now", state)
}

// LotteryEntry returns the entry of a viewer, or NotFound.
func (db *DB) LotteryEntry(ctx context.Context, id, viewerID string) (lottery.Entry, error) {
	e, err := scanEntry(db.read.QueryRowContext(ctx, "SELECT "+entryColumns+" FROM lottery_entries WHERE lottery_id = $1 AND viewer_id = $2", id, viewerID))
	return e, db.fail("sqldb.LotteryEntry", err)
}

// LotteryEntrants lists all entrants of a lottery, ascending by their bytes.
func (db *DB) LotteryEntrants(ctx context.Context, id string) ([]string, error) {
	var entries []lottery.Entry
	err := db.view(ctx, "sqldb.LotteryEntrants", func(ctx context.Context, tx *sql.Tx) (err error) {
		entries, err = lotteryEntries(ctx, tx, id)
		return err
	})
	return entrantsOf(entries), err
}

func lotteryEntries(ctx context.Context, tx *sql.Tx, id string) ([]lottery.Entry, error) {
	rows, err := tx.QueryContext(ctx, "SELECT "+entryColumns+" FROM lottery_entries WHERE lottery_id = $1", id)
	return collect(rows, err, scanEntry)
}

func lotterySecret(ctx context.Context, tx *sql.Tx, id string) (lottery.Secret, error) {
	var seed, pseudonyms string
	err := tx.QueryRowContext(ctx, "SELECT seed, pseudonyms FROM lottery_secrets WHERE lottery_id = $1", id).Scan(&seed, &pseudonyms)
	if err != nil {
		return lottery.Secret{}, err
	}
	s, errSeed := hex.DecodeString(seed)
	p, errPseudonyms := hex.DecodeString(pseudonyms)
	return lottery.Secret{Seed: s, Pseudonyms: p}, errors.Join(errSeed, errPseudonyms)
}

func scanEntry(row scanner) (e lottery.Entry, err error) {
	var at sql.NullInt64
	err = row.Scan(&e.ViewerID, &e.Entrant, &e.Name, &at)
	e.At = instant(at)
	return e, err
}
