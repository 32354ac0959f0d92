package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"

	"github.com/vitrine-live/vitrine/commerce/funnel"
)

// Reports are added up here, while their lines and events pass by once, and not by the database, which would sort all of them
// anew for each way to tell rows apart. What this keeps is the rows themselves; how people are told apart says reports_looks.go.

// sheet is the rows of one dimension, by their keys.
type sheet map[string]*row

// row is a row as it is added up.
type row struct {
	funnel.Looks
	sold map[string]*sold // by currency
	seen people           // who count among Viewers
	took people           // and among Clickers
}

func (s sheet) of(key []byte) *row {
	r := s[string(key)]
	if r == nil {
		r = &row{sold: map[string]*sold{}}
		s[string(key)] = r
	}
	return r
}

// total is the one row of a sheet without keys.
func (s sheet) total() funnel.Row { return s.of(nil).done("") }

// rows are in the order of their keys, those that are numbers by value.
func (s sheet) rows() []funnel.Row {
	out := make([]funnel.Row, 0, len(s))
	for key, r := range s {
		out = append(out, r.done(key))
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

func (r *row) done(key string) funnel.Row {
	out := funnel.Row{Key: key, Looks: r.Looks}
	for _, s := range r.sold {
		out.Sales = append(out.Sales, s.Sales)
	}
	slices.SortFunc(out.Sales, func(a, b funnel.Sales) int { return cmp.Compare(a.Currency, b.Currency) })
	return out
}

// sold is what was ordered in one currency. An order counts once, however many of its lines there are: they follow each
// other, so that remembering the newest one is enough.
type sold struct {
	funnel.Sales
	placed, paid int64
	classes      [3]int64
}

func (r *row) in(currency []byte) *sold {
	s := r.sold[string(currency)]
	if s == nil {
		s = &sold{Sales: funnel.Sales{Currency: string(currency)}}
		r.sold[s.Currency] = s
	}
	return s
}

// saleLine is a line of an order.
type saleLine struct {
	order                sql.RawBytes
	currency             sql.RawBytes
	paid                 int64
	class                sql.RawBytes
	units, net, refunded int64
}

// add counts a line of the n-th order.
func (s *sold) add(n int64, l *saleLine) {
	if s.placed != n {
		s.placed, s.Placed = n, s.Placed+1
	}
	if l.paid == 0 {
		return
	}
	addTo(&s.Sum, &s.paid, n, l)
	switch string(l.class) {
	case "direct":
		addTo(&s.Direct, &s.classes[0], n, l)
	case "assisted":
		addTo(&s.Assisted, &s.classes[1], n, l)
	default:
		addTo(&s.Other, &s.classes[2], n, l)
	}
}

func addTo(sum *funnel.Sum, newest *int64, n int64, l *saleLine) {
	if *newest != n {
		*newest, sum.Orders = n, sum.Orders+1
	}
	sum.Units, sum.GMV, sum.Refunded = sum.Units+l.units, sum.GMV+l.net, sum.Refunded+l.refunded
}

// column is a sheet and which of the keys of a line or event it goes by; -1: by none, it has one row.
type column struct {
	key int
	sheet
}

func (c *column) row(keys []sql.RawBytes) *row {
	if c.key < 0 {
		return c.of(nil)
	}
	return c.of(keys[c.key])
}

// sheets are all that one report goes by.
type sheets []column

// addSales adds the lines that a query makes: soldLines, and then so many keys.
func (all sheets) addSales(ctx context.Context, tx *sql.Tx, keys int, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err below tells
	var l saleLine
	key, dest := keysInto(keys, &l.order, &l.currency, &l.paid, &l.class, &l.units, &l.net, &l.refunded)
	var turn turns
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		n := turn.next(l.order, nil)
		for i := range all {
			all[i].row(key).in(l.currency).add(n, &l)
		}
	}
	return rows.Err()
}

func keysInto(n int, first ...any) (keys []sql.RawBytes, dest []any) {
	keys = make([]sql.RawBytes, n)
	for i := range keys {
		first = append(first, &keys[i])
	}
	return keys, first
}
