package offer_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/commerce/pricing"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/store/sqldb"
	"github.com/vitrine-live/vitrine/store/sqldb/sqldbtest"
)

var evening = time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)

// promised is a shop with one active coupon.
func promised(t *testing.T, now *time.Time, validFor time.Duration, until time.Time) (*offer.Service, *sqldb.DB, offer.Coupon) {
	t.Helper()
	db := sqldbtest.Open(t)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	s := offer.New(offer.Deps{Store: db, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return *now }})
	c, err := s.CreateCoupon(t.Context(), offer.Coupon{
		StoreID: account.DefaultStore, State: offer.Active, PerViewer: 1, Rules: offer.Rules{Where: offer.InLive},
		Terms: offer.Terms{Title: "Ten off", Currency: "CNY", Amount: 1000, Stacks: pricing.StacksOther, ValidFor: validFor, ValidUntil: until},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, db, c
}

func TestUsableAsAPrize(t *testing.T) {
	now := evening
	s, _, c := promised(t, &now, 0, evening.Add(48*time.Hour))
	for name, of := range map[string]struct {
		store, id string
		until     time.Time
		want      errs.Kind
	}{
		"another store's":        {"store_x", c.ID, evening, errs.NotFound},
		"unknown":                {account.DefaultStore, "cpn_x", evening, errs.NotFound},
		"worth nothing by then":  {account.DefaultStore, c.ID, evening.Add(48 * time.Hour), errs.Conflict},
		"worth less than a day ": {account.DefaultStore, c.ID, evening.Add(24*time.Hour + time.Second), errs.Conflict},
	} {
		if err := s.Usable(t.Context(), of.store, of.id, of.until); errs.KindOf(err) != of.want {
			t.Errorf("%s: %v, want %v", name, err, of.want)
		}
	}
	if err := s.Usable(t.Context(), account.DefaultStore, c.ID, evening.Add(24*time.Hour)); err != nil {
		t.Error(err)
	}
	if _, err := s.UpdateCoupon(t.Context(), account.DefaultStore, c.ID, func(c *offer.Coupon) { c.State = offer.Stopped }); err != nil {
		t.Fatal(err)
	}
	if err := s.Usable(t.Context(), account.DefaultStore, c.ID, evening); errs.KindOf(err) != errs.Conflict {
		t.Errorf("stopped: %v", err)
	}
}

func TestGivenCouponsAreWorthSomething(t *testing.T) {
	for name, of := range map[string]struct {
		validFor     time.Duration
		until, asked time.Time
		want         time.Time
	}{
		"for a time":                      {time.Hour, time.Time{}, evening, evening.Add(time.Hour)},
		"until a day":                     {0, evening.Add(72 * time.Hour), evening, evening.Add(72 * time.Hour)},
		"the earlier end":                 {90 * time.Hour, evening.Add(72 * time.Hour), evening, evening.Add(72 * time.Hour)},
		"asked for after the end":         {0, evening.Add(time.Hour), evening.Add(2 * time.Hour), evening.Add(26 * time.Hour)},
		"asked for after it, for a time":  {time.Hour, evening.Add(time.Hour), evening.Add(2 * time.Hour), evening.Add(3 * time.Hour)},
		"asked for just before the end":   {0, evening.Add(time.Hour), evening.Add(time.Hour - time.Second), evening.Add(25*time.Hour - time.Second)},
		"with weeks left, asked for late": {48 * time.Hour, evening.Add(500 * time.Hour), evening.Add(300 * time.Hour), evening.Add(348 * time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			now := evening
			s, db, c := promised(t, &now, of.validFor, of.until)
			now = of.asked
			id, err := s.Give(t.Context(), account.DefaultStore, c.ID, "visitor:1", "win_1")
			if err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Minute)
			if again, err := s.Give(t.Context(), account.DefaultStore, c.ID, "visitor:1", "win_1"); err != nil || again != id {
				t.Errorf("again: %s, %v, want %s", again, err, id)
			}
			if _, err := s.Give(t.Context(), account.DefaultStore, c.ID, "visitor:2", "win_1"); errs.KindOf(err) != errs.Conflict {
				t.Errorf("somebody else: %v", err)
			}
			got, err := db.Claims(t.Context(), "visitor:1", offer.ClaimFilter{At: now, Usable: offer.UsableClaims, Limit: 9})
			if err != nil || len(got) != 1 || !got[0].ValidUntil.Equal(of.want) || got[0].Kind() != offer.CouponKind {
				t.Errorf("%+v, %v, want it until %v", got, err, of.want)
			}
		})
	}
}
