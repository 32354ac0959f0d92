package sqldb

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/stock"
)

// Products from before there were SKUs lead where they led, and each is one SKU that is counted nowhere.
func TestProductsOfBeforeSKUs(t *testing.T) {
	db := openTest(t, filepath.Join(t.TempDir(), "vitrine.db"))
	provider, err := newProvider(db.write, db.dialect)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	for id, url := range map[string]string{"prod_1": "https://shop.example/", "prod_2": "weapp:/pages/x", "prod_3": ""} {
		_, err := db.write.ExecContext(t.Context(), `INSERT INTO products (id, title, image_url, price, currency, url, stock, created_at, updated_at)
			VALUES ($1, 'Lamp', '/a".jpg', 990, 'CNY', $2, 7, 1, 2)`, id, url)
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id, link := range map[string]commerce.LinkKind{"prod_1": commerce.LinkURL, "prod_2": commerce.LinkMiniProgram, "prod_3": commerce.LinkNone} {
		p, err := db.Product(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		sku := "sku_" + id[5:]
		if p.Link != link || *p.Stock != 7 || p.PriceMax != 990 || p.Images[0] != `/a".jpg` || p.Audit.State != commerce.Approved || p.SKUCount != 1 {
			t.Errorf("%+v", p)
		}
		if diff := cmp.Diff([]commerce.SKU{{ID: sku, Price: 990}}, p.SKUs); diff != "" {
			t.Error(diff)
		}
		pools, err := db.Pools(t.Context(), sku)
		if err != nil || len(pools) != 1 || pools[0].Kind != stock.Main {
			t.Errorf("%+v %v", pools, err)
		}
	}
}
