package sqldb

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/stock"
)

// BenchmarkPlaceOrder places orders of one line each, many at once.
func BenchmarkPlaceOrder(b *testing.B) {
	db, err := Open(b.Context(), filepath.Join(b.TempDir(), "vitrine.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := db.OpenPool(b.Context(), stock.Pool{ID: "sku_a", SKU: "sku_a", Kind: stock.Main, Level: stock.Level{Total: 1 << 40}}); err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			at := time.Now()
			o := order.Order{
				StoreID: "store_default", ViewerID: fmt.Sprintf("visitor:%d", n.Add(1)), State: order.Pending, Currency: "CNY",
				Subtotal: 1, Total: 1, CreatedAt: at, UpdatedAt: at, ExpiresAt: at,
				Lines: []order.Line{{N: 1, SKU: "sku_a", ProductID: "prod_a", Quantity: 1, Unit: 1, Amount: 1, Source: "list", Hold: order.Held, Item: order.Item{Title: "Lamp"}}},
			}
			o.ID, o.No = order.NewID(at)
			if _, err := db.PlaceOrder(b.Context(), order.Placement{Order: o, Pools: [][]string{{"sku_a"}}}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
}
