package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/vitrine-live/vitrine/commerce/funnel"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// eventsPerInsert keeps a statement far below the number of parameters that the engines take.
const eventsPerInsert = 100

// AddFunnelEvents stores entries; those whose key is there already are left out.
func (db *DB) AddFunnelEvents(ctx context.Context, entries []funnel.Entry) error {
	return db.update(ctx, "sqldb.AddFunnelEvents", func(ctx context.Context, tx *sql.Tx) error {
		for rest := entries; len(rest) > 0; {
			n := min(len(rest), eventsPerInsert)
			if err := insertEvents(ctx, tx, rest[:n]); err != nil {
				return err
			}
			rest = rest[n:]
		}
		return nil
	})
}

func insertEvents(ctx context.Context, tx *sql.Tx, entries []funnel.Entry) error {
	const columns = 12
	var rows strings.Builder
	args := make([]any, 0, len(entries)*columns)
	for i := range entries {
		if i > 0 {
			rows.WriteString(", ")
		}
		rows.WriteString("(" + placeholders(i*columns+1, columns) + ")")
		e := &entries[i]
		args = append(args, e.Key, string(e.Kind), e.StoreID, e.ViewerID, e.ShowID, e.PinID, e.ProductID, e.ShowTimeMS, string(e.Source),
			e.ShareCode, e.Channel, e.At.UnixMilli())
	}
	//nolint:gosec // placeholders alone
	_, err := tx.ExecContext(ctx, `INSERT INTO funnel_events (id, kind, store_id, viewer_id, show_id, pin_id, product_id, show_time_ms, source,
		share_code, channel, at) VALUES `+rows.String()+" ON CONFLICT (id) DO NOTHING", args...)
	return err
}

// ProductStore returns the store of a product, or NotFound.
func (db *DB) ProductStore(ctx context.Context, productID string) (storeID string, err error) {
	const op = "sqldb.ProductStore"
	err = db.view(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		return noProduct(op, productID, tx.QueryRowContext(ctx, "SELECT store_id FROM products WHERE id = $1", productID).Scan(&storeID))
	})
	return storeID, err
}

const shareCodeColumns = "code, store_id, show_id, viewer_id, channel, created_at"

// AddShareCode stores a share code, or returns the one of the same show, viewer and channel.
func (db *DB) AddShareCode(ctx context.Context, c funnel.ShareCode) (kept funnel.ShareCode, err error) {
	err = db.update(ctx, "sqldb.AddShareCode", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO share_codes ("+shareCodeColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (show_id, viewer_id, channel) DO NOTHING`, c.Code, c.StoreID, c.ShowID, c.ViewerID, c.Channel, c.CreatedAt.UnixMilli())
		if err != nil {
			return err
		}
		kept, err = scanShareCode(tx.QueryRowContext(ctx, "SELECT "+shareCodeColumns+` FROM share_codes
			WHERE show_id = $1 AND viewer_id = $2 AND channel = $3`, c.ShowID, c.ViewerID, c.Channel))
		return err
	})
	return kept, err
}

// ShareCode returns a share code, or NotFound.
func (db *DB) ShareCode(ctx context.Context, code string) (c funnel.ShareCode, err error) {
	const op = "sqldb.ShareCode"
	err = db.view(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		c, err = scanShareCode(tx.QueryRowContext(ctx, "SELECT "+shareCodeColumns+" FROM share_codes WHERE code = $1", code))
		if errors.Is(err, sql.ErrNoRows) {
			return errs.As(errs.NotFound, op, err, "there is no such share code")
		}
		return err
	})
	return c, err
}

// ShareCodes lists a store's own share codes of a show, newest first.
func (db *DB) ShareCodes(ctx context.Context, storeID, showID string, limit int) (codes []funnel.ShareCode, err error) {
	err = db.view(ctx, "sqldb.ShareCodes", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT "+shareCodeColumns+` FROM share_codes WHERE store_id = $1 AND show_id = $2 AND viewer_id = ''
			ORDER BY created_at DESC, code LIMIT $3`, storeID, showID, limit)
		codes, err = collect(rows, err, scanShareCode)
		return err
	})
	return codes, err
}

func scanShareCode(row scanner) (c funnel.ShareCode, err error) {
	var created sql.NullInt64
	err = row.Scan(&c.Code, &c.StoreID, &c.ShowID, &c.ViewerID, &c.Channel, &created)
	c.CreatedAt = instant(created)
	return c, err
}

// AddViewerCounts adds samples to the minutes of shows that they fall into.
func (db *DB) AddViewerCounts(ctx context.Context, samples []funnel.Sample) error {
	return db.update(ctx, "sqldb.AddViewerCounts", func(ctx context.Context, tx *sql.Tx) error {
		for i := range samples {
			s := &samples[i]
			_, err := tx.ExecContext(ctx, `INSERT INTO viewer_counts (show_id, minute, samples, total, peak) VALUES ($1, $2, 1, $3, $3)
				ON CONFLICT (show_id, minute) DO UPDATE SET samples = viewer_counts.samples + 1, total = viewer_counts.total + excluded.total,
				peak = CASE WHEN excluded.peak > viewer_counts.peak THEN excluded.peak ELSE viewer_counts.peak END`,
				s.ShowID, s.Minute(), s.Viewers)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func audienceOf(ctx context.Context, tx *sql.Tx, showID string) ([]funnel.Audience, error) {
	rows, err := tx.QueryContext(ctx, "SELECT minute, samples, total, peak FROM viewer_counts WHERE show_id = $1 ORDER BY minute", showID)
	return collect(rows, err, func(row scanner) (a funnel.Audience, err error) {
		var samples, total int64
		err = row.Scan(&a.Minute, &samples, &total, &a.Peak)
		a.Average = float64(total) / float64(max(samples, 1))
		return a, err
	})
}
