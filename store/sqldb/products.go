package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// productColumns are read by scanProduct. What is shown of a product bought here is counted: the pieces of its SKUs, null
// where one is not counted.
const productColumns = `products.id, products.store_id, title, points, image_url, more_images, price, price_max, original_price, currency,
	display, link, url, sku_count, audit_state, audit, created_at, updated_at, CASE link WHEN 'checkout' THEN (
		SELECT CASE MIN(skus.tracked) WHEN 1 THEN CAST(SUM(stock_pools.available) AS BIGINT) END FROM skus JOIN stock_pools ON stock_pools.sku_id = skus.id
		WHERE skus.product_id = products.id AND skus.deleted = 0 AND stock_pools.closed = 0) ELSE stock END`

// CreateProduct stores a new product with its SKUs, each with a main pool of its pieces. Conflict: the ID or a SKU's code
// is taken.
func (db *DB) CreateProduct(ctx context.Context, p commerce.Product) error {
	const op = "sqldb.CreateProduct"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error { return createProduct(ctx, tx, op, &p) })
}

func createProduct(ctx context.Context, tx *sql.Tx, op string, p *commerce.Product) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO products (id, store_id, title, points, image_url, more_images, price, price_max,
		original_price, currency, display, link, url, sku_count, audit_state, audit, created_at, updated_at, stock)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		p.ID, storeOr(p.StoreID), p.Title, jsonText(p.Points), p.Image(), jsonText(furtherImages(p)), p.Price.Amount, p.PriceMax,
		p.Original, p.Price.Currency, string(p.Display), string(p.Link), p.URL, p.SKUCount, string(p.Audit.State), auditText(&p.Audit),
		millis(p.CreatedAt), millis(p.UpdatedAt), shownStock(p))
	if err != nil {
		return err
	}
	for i := range p.SKUs {
		if err := addSKU(ctx, tx, op, p, i); err != nil {
			return err
		}
	}
	return useImages(ctx, tx, p)
}

// Product returns a product with its SKUs, or NotFound.
func (db *DB) Product(ctx context.Context, id string) (commerce.Product, error) {
	const op = "sqldb.Product"
	var p commerce.Product
	err := db.view(ctx, op, func(ctx context.Context, tx *sql.Tx) (err error) {
		p, err = oneProduct(ctx, tx, op, "products.id = $1", id)
		return err
	})
	return p, err
}

func oneProduct(ctx context.Context, tx *sql.Tx, op, where string, args ...any) (commerce.Product, error) {
	p, err := scanProduct(tx.QueryRowContext(ctx, "SELECT "+productColumns+" FROM products WHERE deleted = 0 AND "+where, args...))
	if err != nil {
		return commerce.Product{}, noProduct(op, args[0], err)
	}
	one := []commerce.Product{p}
	err = withSKUs(ctx, tx, one)
	return one[0], err
}

// Products lists products with their SKUs, newest first.
func (db *DB) Products(ctx context.Context, q commerce.ProductQuery) ([]commerce.Product, error) {
	where, args := "products.store_id = $1", []any{storeOr(q.StoreID)}
	arg := func(v any) string { args = append(args, v); return placeholder(len(args)) }
	if q.Audit != "" {
		where += " AND audit_state = " + arg(string(q.Audit))
		if q.Audit != commerce.Approved { // says to the planner that the partial index has them all
			where += " AND audit_state <> 'approved'"
		}
	}
	if q.Before.ID != "" {
		where += " AND (created_at, products.id) < (" + arg(millis(q.Before.CreatedAt)) + ", " + arg(q.Before.ID) + ")"
	}
	where += " ORDER BY created_at DESC, products.id DESC LIMIT " + arg(q.Limit)
	var products []commerce.Product
	err := db.view(ctx, "sqldb.Products", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT "+productColumns+" FROM products WHERE deleted = 0 AND "+where, args...) //nolint:gosec // where is a constant of this package
		if products, err = collect(rows, err, scanProduct); err != nil {
			return err
		}
		return withSKUs(ctx, tx, products)
	})
	return products, err
}

// UpdateProduct reads a product of a store, changes it by change and writes it, all in one transaction, and returns it.
// The ID, the store and the time of creation stay, and so do the pieces of the SKUs that it had. An error of change comes
// back and nothing is written. NotFound; Conflict: a SKU's code is taken.
func (db *DB) UpdateProduct(ctx context.Context, storeID, id string, change func(*commerce.Product) error) (commerce.Product, error) {
	const op = "sqldb.UpdateProduct"
	var p commerce.Product
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) (err error) {
		p, err = changeProduct(ctx, tx, op, storeID, id, change)
		return err
	})
	if err != nil {
		return commerce.Product{}, err
	}
	return p, nil
}

func changeProduct(ctx context.Context, tx *sql.Tx, op, storeID, id string, change func(*commerce.Product) error) (commerce.Product, error) {
	// Writing first keeps others from reading what is about to change.
	err := exactlyOne(tx.ExecContext(ctx, "UPDATE products SET updated_at = updated_at WHERE id = $1 AND store_id = $2 AND deleted = 0", id, storeID))
	if err != nil {
		return commerce.Product{}, noProduct(op, id, err)
	}
	p, err := oneProduct(ctx, tx, op, "products.id = $1", id)
	if err != nil {
		return commerce.Product{}, err
	}
	before := p.SKUs
	if err := change(&p); err != nil {
		return commerce.Product{}, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE products SET title = $1, points = $2, image_url = $3, more_images = $4, price = $5, price_max = $6,
		original_price = $7, currency = $8, display = $9, link = $10, url = $11, sku_count = $12, audit_state = $13, audit = $14, stock = $15,
		updated_at = $16 WHERE id = $17`,
		p.Title, jsonText(p.Points), p.Image(), jsonText(furtherImages(&p)), p.Price.Amount, p.PriceMax,
		p.Original, p.Price.Currency, string(p.Display), string(p.Link), p.URL, p.SKUCount, string(p.Audit.State), auditText(&p.Audit), shownStock(&p),
		millis(p.UpdatedAt), id)
	if err != nil {
		return commerce.Product{}, err
	}
	if err := useImages(ctx, tx, &p); err != nil {
		return commerce.Product{}, err
	}
	return p, writeSKUs(ctx, tx, op, &p, before)
}

// DeleteProduct takes a product of a store out of the catalogue and out of all bags. NotFound.
func (db *DB) DeleteProduct(ctx context.Context, storeID, id string) error {
	const op = "sqldb.DeleteProduct"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		err := exactlyOne(tx.ExecContext(ctx, "UPDATE products SET deleted = 1 WHERE id = $1 AND store_id = $2 AND deleted = 0", id, storeID))
		if err != nil {
			return noProduct(op, id, err)
		}
		if _, err := tx.ExecContext(ctx, "UPDATE skus SET deleted = 1 WHERE product_id = $1", id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM bag_items WHERE product_id = $1", id)
		return err
	})
}

func noProduct(op string, id any, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no product %s", id)
	}
	return err
}

func scanProduct(row scanner) (p commerce.Product, err error) {
	var created, updated sql.NullInt64
	var points, image, more, audit string
	err = row.Scan(&p.ID, &p.StoreID, &p.Title, &points, &image, &more, &p.Price.Amount, &p.PriceMax, &p.Original, &p.Price.Currency,
		&p.Display, &p.Link, &p.URL, &p.SKUCount, &p.Audit.State, &audit, &created, &updated, &p.Stock)
	if err != nil {
		return p, err
	}
	p.CreatedAt, p.UpdatedAt = instant(created), instant(updated)
	var further []string
	err = errors.Join(json.Unmarshal([]byte(points), &p.Points), json.Unmarshal([]byte(more), &further), readAudit(audit, &p.Audit))
	if image != "" {
		p.Images = append([]string{image}, further...)
	}
	if len(p.Points) == 0 {
		p.Points = nil
	}
	return p, err
}

func furtherImages(p *commerce.Product) []string {
	if len(p.Images) == 0 {
		return nil
	}
	return p.Images[1:]
}

// shownStock is what is kept of the stock shown: that of a product bought here is counted.
func shownStock(p *commerce.Product) *int64 {
	if p.Link == commerce.LinkCheckout {
		return nil
	}
	return p.Stock
}

// auditJSON is what is kept of an audit beside its state.
type auditJSON struct {
	Reasons []commerce.Reason `json:"reasons,omitempty"`
	Note    string            `json:"note,omitempty"`
	By      string            `json:"by,omitempty"`
	At      int64             `json:"at,omitempty"`
	Prices  map[string]int64  `json:"prices,omitempty"`
}

func auditText(a *commerce.Audit) string {
	j := auditJSON{Reasons: a.Reasons, Note: a.Note, By: a.By, Prices: a.Prices}
	if !a.At.IsZero() {
		j.At = a.At.UnixMilli()
	}
	return jsonText(j)
}

func readAudit(text string, a *commerce.Audit) error {
	var j auditJSON
	err := json.Unmarshal([]byte(text), &j)
	a.Reasons, a.Note, a.By, a.Prices = j.Reasons, j.Note, j.By, j.Prices
	if j.At != 0 {
		a.At = time.UnixMilli(j.At).UTC()
	}
	return err
}
