package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"

	"github.com/vitrine-live/vitrine/commerce/funnel"
)

// keys are the columns, of sales and of events, by which a dimension tells rows apart.
var keys = map[funnel.Dimension]struct{ sales, events string }{
	funnel.ByProduct:   {"product_id", "product_id"},
	funnel.ByMinute:    {"CAST(minute AS TEXT)", "CAST(show_time_ms / 60000 AS TEXT)"},
	funnel.BySource:    {"source", "source"},
	funnel.ByChannel:   {"channel", "channel"},
	funnel.ByShareCode: {"share_code", "share_code"},
}

// rows collects the rows of one dimension.
type rows map[string]*funnel.Row

func (r rows) of(key string) *funnel.Row {
	if r[key] == nil {
		r[key] = &funnel.Row{Key: key}
	}
	return r[key]
}

// sorted are the rows in the order of their keys, those that are numbers by value.
func (r rows) sorted() []funnel.Row {
	out := make([]funnel.Row, 0, len(r))
	for _, row := range r {
		out = append(out, *row)
	}
	slices.SortFunc(out, func(a, b funnel.Row) int {
		x, errX := strconv.ParseInt(a.Key, 10, 64)
		y, errY := strconv.ParseInt(b.Key, 10, 64)
		if errX == nil && errY == nil && x != y {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(a.Key, b.Key)
	})
	return out
}

// ShowReport adds up what a show brought in, from one state of the database. The times of the show are left to the caller.
func (db *DB) ShowReport(ctx context.Context, q funnel.ReportQuery) (r funnel.Report, err error) {
	err = db.view(ctx, "sqldb.ShowReport", func(ctx context.Context, tx *sql.Tx) error {
		r = funnel.Report{Rows: map[funnel.Dimension][]funnel.Row{}}
		ofShow := func(sales, events string) (rows, error) {
			return addUp(ctx, tx, half{withShowSales, sales, []any{q.Window.Milliseconds(), q.ShowID, q.StoreID}}, half{"", events, []any{q.ShowID}}, "show_id = $1")
		}
		totals, err := ofShow("''", "''")
		if err != nil {
			return err
		}
		r.Totals = *totals.of("")
		for _, d := range q.Dimensions {
			found, err := ofShow(keys[d].sales, keys[d].events)
			if err != nil {
				return err
			}
			if d == funnel.ByProduct {
				if err := nameProducts(ctx, tx, q.StoreID, found); err != nil {
					return err
				}
			}
			r.Rows[d] = found.sorted()
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
		ofStore := func(sales, events string) (rows, error) {
			return addUp(ctx, tx, half{withStoreSales, sales, []any{q.Window.Milliseconds(), q.StoreID, from, to}},
				half{"", events, []any{q.StoreID, from, to}}, "store_id = $1 AND at >= $2 AND at < $3")
		}
		totals, err := ofStore("''", "''")
		if err != nil {
			return err
		}
		r.Totals = *totals.of("")
		shows, err := ofStore("show_key", "show_id")
		if err != nil {
			return err
		}
		r.Shows = shows.sorted()
		return nameShows(ctx, tx, r.Shows)
	})
	return r, err
}

// half is one half of a report: where its rows come from, by what they are told apart, and the parameters.
type half struct {
	with, key string
	args      []any
}

// addUp makes the rows of one dimension from sales and events.
func addUp(ctx context.Context, tx *sql.Tx, sales, events half, where string) (rows, error) {
	all := rows{}
	sold, err := tx.QueryContext(ctx, sales.with+"SELECT "+sales.key+" AS key, currency, "+sums+" FROM sales GROUP BY 1, currency ORDER BY 1, currency", sales.args...)
	if _, err = collect(sold, err, func(row scanner) (none struct{}, err error) {
		key, s, err := scanSales(row)
		if err == nil {
			r := all.of(key)
			r.Sales = append(r.Sales, s)
		}
		return none, err
	}); err != nil {
		return nil, err
	}
	//nolint:gosec // constants of this package
	seen, err := tx.QueryContext(ctx, "SELECT "+events.key+" AS key, "+looks+" FROM funnel_events WHERE "+where+" GROUP BY 1", events.args...)
	_, err = collect(seen, err, func(row scanner) (none struct{}, err error) {
		var key string
		var l funnel.Looks
		if err = row.Scan(&key, &l.Viewers, &l.Exposures, &l.Clickers, &l.Clicks, &l.Adds); err == nil {
			all.of(key).Looks = l
		}
		return none, err
	})
	return all, err
}

func scanSales(row scanner) (key string, s funnel.Sales, err error) {
	dest := []any{&key, &s.Currency, &s.Placed}
	for _, sum := range []*funnel.Sum{&s.Sum, &s.Direct, &s.Assisted, &s.Other} {
		dest = append(dest, &sum.Orders, &sum.Units, &sum.GMV, &sum.Refunded)
	}
	return key, s, row.Scan(dest...)
}

func nameProducts(ctx context.Context, tx *sql.Tx, storeID string, found rows) error {
	for id, row := range found {
		err := tx.QueryRowContext(ctx, "SELECT title FROM products WHERE id = $1 AND store_id = $2", id, storeID).Scan(&row.Title)
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
