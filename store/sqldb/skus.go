package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// addSKU stores the i-th SKU of a product, with its pieces. Conflict: its code is taken.
func addSKU(ctx context.Context, tx *sql.Tx, op string, p *commerce.Product, i int) error {
	s := &p.SKUs[i]
	_, err := tx.ExecContext(ctx, `INSERT INTO skus (id, product_id, store_id, code, attributes, price, original_price, per_buyer, position, tracked)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		s.ID, p.ID, storeOr(p.StoreID), s.Code, jsonText(s.Attributes), s.Price, s.Original, s.PerBuyer, i, flag(s.Tracked))
	if err != nil {
		return codeTaken(op, s, err)
	}
	return addPool(ctx, tx, stock.Pool{ID: s.ID, SKU: s.ID, Kind: stock.Main, Level: stock.Level{Total: s.Total}})
}

// writeSKUs makes the SKUs of a product what they are in p. Pieces stay as they are.
func writeSKUs(ctx context.Context, tx *sql.Tx, op string, p *commerce.Product, before []commerce.SKU) error {
	for _, old := range before { // first, so that their codes are free
		if slices.ContainsFunc(p.SKUs, func(s commerce.SKU) bool { return s.ID == old.ID }) {
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE skus SET deleted = 1 WHERE id = $1", old.ID); err != nil {
			return err
		}
	}
	for i := range p.SKUs {
		s := &p.SKUs[i]
		if !slices.ContainsFunc(before, func(old commerce.SKU) bool { return s.ID == old.ID }) {
			if err := addSKU(ctx, tx, op, p, i); err != nil {
				return err
			}
			continue
		}
		_, err := tx.ExecContext(ctx, `UPDATE skus SET code = $1, attributes = $2, price = $3, original_price = $4, per_buyer = $5, position = $6,
			tracked = $7 WHERE id = $8`, s.Code, jsonText(s.Attributes), s.Price, s.Original, s.PerBuyer, i, flag(s.Tracked), s.ID)
		if err != nil {
			return codeTaken(op, s, err)
		}
	}
	return nil
}

func codeTaken(op string, s *commerce.SKU, err error) error {
	if kindOf(err) != errs.Conflict {
		return err
	}
	return &errs.Error{Kind: errs.Conflict, Op: op, Field: "code", Message: "the code " + strconv.Quote(s.Code) + " is taken by another SKU of the store", Err: err}
}

// withSKUs fills in the SKUs of products.
func withSKUs(ctx context.Context, tx *sql.Tx, products []commerce.Product) error {
	if len(products) == 0 {
		return nil
	}
	at, ids := make(map[string]int, len(products)), make([]any, len(products))
	for i := range products {
		at[products[i].ID], ids[i] = i, products[i].ID
	}
	type owned struct {
		product string
		commerce.SKU
	}
	//nolint:gosec // placeholders alone
	rows, err := tx.QueryContext(ctx, `SELECT product_id, skus.id, code, attributes, price, original_price, per_buyer, tracked,
		CAST(SUM(stock_pools.total) AS BIGINT), CAST(SUM(CASE stock_pools.closed WHEN 0 THEN stock_pools.available ELSE 0 END) AS BIGINT)
		FROM skus JOIN stock_pools ON stock_pools.sku_id = skus.id WHERE deleted = 0 AND product_id IN (`+placeholders(1, len(ids))+`)
		GROUP BY product_id, skus.id, code, attributes, price, original_price, per_buyer, tracked, position ORDER BY product_id, position`, ids...)
	skus, err := collect(rows, err, func(row scanner) (o owned, err error) {
		var attributes string
		err = row.Scan(&o.product, &o.ID, &o.Code, &attributes, &o.Price, &o.Original, &o.PerBuyer, &o.Tracked, &o.Total, &o.Available)
		return o, errors.Join(err, readList(attributes, &o.Attributes))
	})
	for _, o := range skus {
		p := &products[at[o.product]]
		p.SKUs = append(p.SKUs, o.SKU)
	}
	return err
}

// OfferedSKUs returns SKUs with their products, those sold no longer too. Unknown ones are left out.
func (db *DB) OfferedSKUs(ctx context.Context, skuIDs []string) (map[string]commerce.Offered, error) {
	if len(skuIDs) == 0 {
		return map[string]commerce.Offered{}, nil
	}
	found, err := db.offered.do(ctx, strings.Join(skuIDs, " "), func(ctx context.Context) (map[string]commerce.Offered, error) {
		return db.offeredSKUs(ctx, skuIDs)
	})
	return maps.Clone(found), db.fail("sqldb.OfferedSKUs", err)
}

func (db *DB) offeredSKUs(ctx context.Context, skuIDs []string) (map[string]commerce.Offered, error) {
	all := make(map[string]commerce.Offered, len(skuIDs))
	ids := make([]any, len(skuIDs))
	for i, id := range skuIDs {
		ids[i] = id
	}
	//nolint:gosec // placeholders alone
	rows, err := db.read.QueryContext(ctx, `SELECT skus.id, product_id, skus.store_id, code, title, image_url, attributes, skus.price,
		skus.original_price, currency, per_buyer, tracked, link, audit_state, skus.deleted
		FROM skus JOIN products ON products.id = product_id WHERE skus.id IN (`+placeholders(1, len(ids))+")", ids...)
	found, err := collect(rows, err, func(row scanner) (o commerce.Offered, err error) {
		var attributes string
		err = row.Scan(&o.SKU, &o.ProductID, &o.StoreID, &o.Code, &o.Title, &o.ImageURL, &attributes, &o.Price, &o.Original, &o.Currency,
			&o.PerBuyer, &o.Tracked, &o.Link, &o.Audit, &o.Deleted)
		return o, errors.Join(err, readList(attributes, &o.Attributes))
	})
	for _, o := range found {
		all[o.SKU] = o
	}
	return all, err
}

// StoreCurrency returns the currency of a store, or NotFound.
func (db *DB) StoreCurrency(ctx context.Context, storeID string) (currency string, err error) {
	const op = "sqldb.StoreCurrency"
	err = db.read.QueryRowContext(ctx, "SELECT currency FROM stores WHERE id = $1", storeID).Scan(&currency)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errs.As(errs.NotFound, op, err, "there is no store %s", storeID)
	}
	return currency, db.fail(op, err)
}

// jsonText is a value as the database keeps it; nothing and an empty list are the same.
func jsonText(v any) string {
	b, _ := json.Marshal(v) // lists and structs of plain values always marshal
	if string(b) == "null" {
		return "[]"
	}
	return string(b)
}

// readList reads a list that jsonText wrote; an empty one is nil.
func readList[T any](text string, list *[]T) error {
	if text == "" || text == "[]" {
		*list = nil
		return nil
	}
	return json.Unmarshal([]byte(text), list)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func placeholder(n int) string { return "$" + strconv.Itoa(n) }

// placeholders is n of them, from the first.
func placeholders(first, n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = placeholder(first + i)
	}
	return strings.Join(all, ", ")
}
