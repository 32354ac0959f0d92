package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"hash/maphash"
	"slices"

	"github.com/vitrine-live/vitrine/commerce/funnel"
)

// keyed are the columns of sales, in the order of keysOfShow, by which the dimensions tell rows apart. What pages told has the
// same ones in the same order.
const keyed = "product_id, minute, source, channel, share_code FROM sales ORDER BY order_id"

var keysOfShow = []funnel.Dimension{funnel.ByProduct, funnel.ByMinute, funnel.BySource, funnel.ByChannel, funnel.ByShareCode}

// ShowReport adds up what a show brought in, from one state of the database. The times of the show are left to the caller.
func (db *DB) ShowReport(ctx context.Context, q funnel.ReportQuery) (r funnel.Report, err error) {
	err = db.view(ctx, "sqldb.ShowReport", func(ctx context.Context, tx *sql.Tx) error {
		r = funnel.Report{Rows: map[funnel.Dimension][]funnel.Row{}}
		all, total := sheets{}, sheet{}
		all = append(all, column{-1, total})
		for _, d := range q.Dimensions {
			all = append(all, column{slices.Index(keysOfShow, d), sheet{}})
		}
		err := all.addSales(ctx, tx, len(keysOfShow), withShowSales+soldLines+keyed, q.Window.Milliseconds(), q.ShowID, q.StoreID)
		if err != nil {
			return err
		}
		if err := all.addLooks(ctx, tx, len(keysOfShow), &inTurn{}, looksOfShow, q.ShowID); err != nil {
			return err
		}
		r.Totals = total.total()
		for i, d := range q.Dimensions {
			r.Rows[d] = all[i+1].rows()
		}
		if err := nameProducts(ctx, tx, q.StoreID, r.Rows[funnel.ByProduct]); err != nil {
			return err
		}
		r.Audience, err = audienceOf(ctx, tx, q.ShowID)
		return err
	})
	return r, err
}

// StoreReport adds up what each show of a store brought in of what was ordered in a time, and what no show brought.
func (db *DB) StoreReport(ctx context.Context, q funnel.StoreQuery) (r funnel.StoreReport, err error) {
	err = db.view(ctx, "sqldb.StoreReport", func(ctx context.Context, tx *sql.Tx) error {
		r = funnel.StoreReport{}
		from, to := q.From.UnixMilli(), q.To.UnixMilli()
		total, shows := sheet{}, sheet{}
		all := sheets{{-1, total}, {0, shows}}
		err := all.addSales(ctx, tx, 1, withStoreSales+soldLines+"show_key FROM sales ORDER BY order_id", q.Window.Milliseconds(), q.StoreID, from, to)
		if err != nil {
			return err
		}
		if err := all.addLooks(ctx, tx, 1, &mixed{seed: maphash.MakeSeed()}, looksOfStore, q.StoreID, from, to); err != nil {
			return err
		}
		r.Totals, r.Shows = total.total(), shows.rows()
		return nameShows(ctx, tx, r.Shows)
	})
	return r, err
}

func nameProducts(ctx context.Context, tx *sql.Tx, storeID string, rows []funnel.Row) error {
	for i := range rows {
		err := tx.QueryRowContext(ctx, "SELECT title FROM products WHERE id = $1 AND store_id = $2", rows[i].Key, storeID).Scan(&rows[i].Title)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	return nil
}

func nameShows(ctx context.Context, tx *sql.Tx, shows []funnel.Row) error {
	for i := range shows {
		err := tx.QueryRowContext(ctx, "SELECT title FROM shows WHERE id = $1", shows[i].Key).Scan(&shows[i].Title)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	return nil
}
