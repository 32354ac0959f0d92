package sqldb

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/offer"
)

// Everybody claims the same coupon, each once.
func BenchmarkClaimCoupon(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkClaims(b, openTest(b, filepath.Join(b.TempDir(), "vitrine.db"))) })
	b.Run("postgres", func(b *testing.B) { benchmarkClaims(b, openPostgres(b)) })
}

func benchmarkClaims(b *testing.B, db *DB) {
	c := offer.Coupon{
		ID: "cpn_0000000000000001", StoreID: "store_default", State: offer.Active, PerViewer: 1, CreatedAt: time.UnixMilli(1), UpdatedAt: time.UnixMilli(1),
		Terms: offer.Terms{Title: "Ten off", Currency: "CNY", Amount: 1000, Stacks: "none", ValidFor: time.Hour}, Rules: offer.Rules{Where: offer.InLive},
	}
	if err := db.CreateCoupon(b.Context(), c); err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	b.SetParallelism(50)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			_, err := db.ClaimCoupon(b.Context(), offer.Claim{
				ID: fmt.Sprintf("clm_%016d", i), CouponID: c.ID, StoreID: c.StoreID, ViewerID: fmt.Sprintf("visitor:%d", i), Terms: c.Terms,
				State: offer.Claimed, ClaimedAt: time.UnixMilli(2), ValidUntil: time.UnixMilli(3),
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
}
