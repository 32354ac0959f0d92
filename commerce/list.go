package commerce

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// The sizes of a page of products.
const (
	DefaultPage = 50
	MaxPage     = 200
)

// ProductFilter selects a page of products.
type ProductFilter struct {
	StoreID string
	Audit   AuditState // only those in this state; empty: all
	Cursor  string     // Next of the page before; empty for the first page
	Limit   int        // 1 to MaxPage; 0 stands for DefaultPage
}

// ProductQuery asks a store for the products of a shop, newest first: those older than Before (zero: from the newest),
// those in one state of the audit (empty: in any).
type ProductQuery struct {
	StoreID string
	Audit   AuditState
	Before  ProductKey
	Limit   int
}

// ProductPage is one page of products, newest first.
type ProductPage struct {
	Products []Product
	Next     string // cursor of the next page; empty on the last one
}

// ProductKey is the place of a product in the order of creation.
type ProductKey struct {
	CreatedAt time.Time
	ID        string
}

// List returns a page of the catalogue, newest first. A product that is created or deleted between two pages moves no
// other one: each product that exists throughout is listed exactly once. Invalid names "cursor" or "limit".
func (c *Catalogue) List(ctx context.Context, f ProductFilter) (ProductPage, error) {
	const op = "commerce.List"
	before, err := parseCursor(f.Cursor)
	if err != nil {
		return ProductPage{}, err
	}
	if f.Limit == 0 {
		f.Limit = DefaultPage
	}
	if f.Limit < 1 || f.Limit > MaxPage {
		return ProductPage{}, errs.Field(op, "limit", "the limit must be 1 to %d", MaxPage)
	}
	products, err := c.store.Products(ctx, ProductQuery{f.StoreID, f.Audit, before, f.Limit + 1}) // one more tells whether there is a next page
	if err != nil {
		return ProductPage{}, errs.Wrap(op, err)
	}
	page := ProductPage{Products: products}
	if len(products) > f.Limit {
		page.Products = products[:f.Limit]
		last := page.Products[f.Limit-1]
		page.Next = ProductKey{last.CreatedAt, last.ID}.cursor()
	}
	return page, nil
}

// cursor renders the key so that clients treat it as opaque.
func (k ProductKey) cursor() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(k.CreatedAt.UnixMilli(), 10) + "." + k.ID))
}

func parseCursor(s string) (ProductKey, error) {
	if s == "" {
		return ProductKey{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	ms, id, ok := strings.Cut(string(raw), ".")
	at, numErr := strconv.ParseInt(ms, 10, 64)
	if err != nil || numErr != nil || !ok || id == "" {
		return ProductKey{}, errs.Field("commerce.List", "cursor", "the cursor is not one that a list returned")
	}
	return ProductKey{CreatedAt: time.UnixMilli(at).UTC(), ID: id}, nil
}
