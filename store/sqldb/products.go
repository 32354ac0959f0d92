package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const productColumns = "id, title, image_url, price, currency, url, stock, created_at, updated_at"

// CreateProduct stores a new product. Conflict: the ID is taken.
func (db *DB) CreateProduct(ctx context.Context, p commerce.Product) error {
	return db.update(ctx, "sqldb.CreateProduct", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO products ("+productColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, p.ID, p.Title, p.ImageURL, p.Price.Amount, p.Price.Currency,
			p.URL, p.Stock, millis(p.CreatedAt), millis(p.UpdatedAt))
		return err
	})
}

// Product returns a product, or NotFound.
func (db *DB) Product(ctx context.Context, id string) (commerce.Product, error) {
	const op = "sqldb.Product"
	p, err := scanProduct(db.read.QueryRowContext(ctx, "SELECT "+productColumns+" FROM products WHERE id = $1", id))
	return p, db.fail(op, noProduct(op, id, err))
}

// Products lists products newest first, those older than before; from the newest when before is zero.
func (db *DB) Products(ctx context.Context, before commerce.ProductKey, limit int) ([]commerce.Product, error) {
	const order = " ORDER BY created_at DESC, id DESC LIMIT "
	var rows *sql.Rows
	var err error
	if before.ID == "" {
		rows, err = db.read.QueryContext(ctx, "SELECT "+productColumns+" FROM products"+order+"$1", limit)
	} else {
		rows, err = db.read.QueryContext(ctx, "SELECT "+productColumns+" FROM products WHERE (created_at, id) < ($1, $2)"+
			order+"$3", millis(before.CreatedAt), before.ID, limit)
	}
	products, err := collect(rows, err, scanProduct)
	return products, db.fail("sqldb.Products", err)
}

// UpdateProduct reads a product, changes it by change and writes it, all in one transaction, and returns it. The ID and
// the time of creation stay. An error of change comes back and nothing is written. NotFound.
func (db *DB) UpdateProduct(ctx context.Context, id string, change func(*commerce.Product) error) (commerce.Product, error) {
	const op = "sqldb.UpdateProduct"
	var p commerce.Product
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) (err error) {
		p, err = scanProduct(tx.QueryRowContext(ctx, "SELECT "+productColumns+" FROM products WHERE id = $1"+db.forUpdate, id))
		if err != nil {
			return noProduct(op, id, err)
		}
		if err := change(&p); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE products SET title = $1, image_url = $2, price = $3, currency = $4, url = $5,
			stock = $6, updated_at = $7 WHERE id = $8`, p.Title, p.ImageURL, p.Price.Amount, p.Price.Currency, p.URL,
			p.Stock, millis(p.UpdatedAt), id)
		return err
	})
	if err != nil {
		return commerce.Product{}, err
	}
	return p, nil
}

// DeleteProduct removes a product and takes it out of all bags. NotFound.
func (db *DB) DeleteProduct(ctx context.Context, id string) error {
	const op = "sqldb.DeleteProduct"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		return noProduct(op, id, exactlyOne(tx.ExecContext(ctx, "DELETE FROM products WHERE id = $1", id)))
	})
}

func noProduct(op, id string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no product %s", id)
	}
	return err
}

func scanProduct(row scanner) (p commerce.Product, err error) {
	var created, updated sql.NullInt64
	err = row.Scan(&p.ID, &p.Title, &p.ImageURL, &p.Price.Amount, &p.Price.Currency, &p.URL, &p.Stock, &created, &updated)
	p.CreatedAt, p.UpdatedAt = instant(created), instant(updated)
	return p, err
}
