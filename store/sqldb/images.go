package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/picture"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const imageColumns = "id, store_id, ext, width, height, bytes, used, created_at"

// AddImage notes a picture of a store, or returns the same one that is noted already. Exhausted: the store has most.
func (db *DB) AddImage(ctx context.Context, i picture.Image, most int) (picture.Image, error) {
	const op = "sqldb.AddImage"
	var kept picture.Image
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM images WHERE store_id = $1", i.StoreID).Scan(&n); err != nil {
			return err
		}
		if n >= most {
			return errs.New(errs.Exhausted, op, "the store has %d images: delete some that are not used", n)
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO images ("+imageColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
			i.ID, i.StoreID, i.Ext, i.Width, i.Height, i.Bytes, flag(i.Used), millis(i.CreatedAt))
		if err != nil {
			return err
		}
		kept, err = scanImage(tx.QueryRowContext(ctx, "SELECT "+imageColumns+" FROM images WHERE id = $1 AND store_id = $2", i.ID, i.StoreID))
		return err
	})
	return kept, err
}

// Image returns a picture of a store, or NotFound.
func (db *DB) Image(ctx context.Context, storeID, id string) (picture.Image, error) {
	const op = "sqldb.Image"
	i, err := scanImage(db.read.QueryRowContext(ctx, "SELECT "+imageColumns+" FROM images WHERE id = $1 AND store_id = $2", id, storeID))
	return i, db.fail(op, noImage(op, id, err))
}

// UnusedImages lists pictures of a store that no product ever showed, oldest first, at most 1000.
func (db *DB) UnusedImages(ctx context.Context, storeID string) ([]picture.Image, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+imageColumns+` FROM images WHERE store_id = $1 AND used = 0
		ORDER BY created_at, id LIMIT 1000`, storeID)
	images, err := collect(rows, err, scanImage)
	return images, db.fail("sqldb.UnusedImages", err)
}

// DeleteImage forgets a picture of a store; last is true when no other store has the same. NotFound; Conflict: it is used.
func (db *DB) DeleteImage(ctx context.Context, storeID, id string) (last bool, err error) {
	const op = "sqldb.DeleteImage"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		var used bool
		err := tx.QueryRowContext(ctx, "SELECT used FROM images WHERE id = $1 AND store_id = $2"+db.forUpdate, id, storeID).Scan(&used)
		if err != nil {
			return noImage(op, id, err)
		}
		if used {
			return errs.New(errs.Conflict, op, "a product shows the image or did: past shows and orders may still")
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM images WHERE id = $1 AND store_id = $2", id, storeID); err != nil {
			return err
		}
		var others int
		err = tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM images WHERE id = $1", id).Scan(&others)
		last = others == 0
		return err
	})
	return last, err
}

// useImages notes that a product shows pictures of this server.
func useImages(ctx context.Context, tx *sql.Tx, p *commerce.Product) error {
	for _, url := range p.Images {
		id, ok := picture.IDOf(url)
		if !ok {
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE images SET used = 1 WHERE id = $1 AND used = 0", id); err != nil {
			return err
		}
	}
	return nil
}

func noImage(op, id string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "the store has no image %s", id)
	}
	return err
}

func scanImage(row scanner) (i picture.Image, err error) {
	var created sql.NullInt64
	err = row.Scan(&i.ID, &i.StoreID, &i.Ext, &i.Width, &i.Height, &i.Bytes, &i.Used, &created)
	i.CreatedAt = instant(created)
	return i, err
}
