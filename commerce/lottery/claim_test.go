package lottery_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/lottery"
	"github.com/vitrine-live/vitrine/internal/errs"
)

var home = lottery.Address{Name: "Anna", Phone: "13800000000", Street: "1 Tea Road"}

// drawnFor draws a lottery with one entrant, who wins.
func drawnFor(t *testing.T, s *lottery.Service, show *stage) (account.Viewer, lottery.Winner) {
	t.Helper()
	l := opened(t, s, 1)
	show.pass(time.Minute)
	for range 3 {
		s.Step(t.Context())
		show.pass(10 * time.Second)
	}
	v := account.Viewer{ID: "visitor:0"}
	won, err := s.Prizes(t.Context(), v.ID, 10)
	if err != nil || len(won) != 1 || won[0].LotteryID != l.ID || won[0].Prize.Name != "Teapot" {
		t.Fatalf("%+v, %v", won, err)
	}
	return v, won[0]
}

func TestPrizesLapse(t *testing.T) {
	show := newStage()
	s := service(openDB(t), show)
	v, won := drawnFor(t, s, show)
	show.pass(won.ClaimBy.Sub(show.time()))
	if _, err := s.Claim(t.Context(), v, won.ID, &home); errs.KindOf(err) != errs.Conflict { // the deadline holds before anybody swept
		t.Errorf("a claim at the deadline: %v", err)
	}
	s.Lapse(t.Context())
	if got, err := s.Prizes(t.Context(), v.ID, 10); err != nil || got[0].State != lottery.Lapsed {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.Claim(t.Context(), v, won.ID, &home); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a claim of a lapsed prize: %v", err)
	}
}

func TestAddressIsChecked(t *testing.T) {
	show := newStage()
	s := service(openDB(t), show)
	v, won := drawnFor(t, s, show)
	for field, change := range map[string]func(*lottery.Address){
		"address.name": func(a *lottery.Address) { a.Name = " " }, "address.phone": func(a *lottery.Address) { a.Phone = "1" },
		"address.street": func(a *lottery.Address) { a.Street = "" }, "address.postal_code": func(a *lottery.Address) { a.PostalCode = "123456789012345678901" },
	} {
		a := home
		change(&a)
		if _, err := s.Claim(t.Context(), v, won.ID, &a); errs.FieldOf(err) != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	if _, err := s.Claim(t.Context(), v, won.ID, nil); errs.FieldOf(err) != "address" {
		t.Errorf("without an address: %v", err)
	}
}

// shop gives coupons, one for each reference.
type shop struct {
	given map[string]string
	down  bool
	ends  time.Time
}

func (c *shop) Usable(_ context.Context, _, id string, until time.Time) error {
	if c.ends.Before(until) {
		return errs.New(errs.Conflict, "shop.Usable", "the coupon %s ends", id)
	}
	if id != "cpn_1" {
		return errs.New(errs.NotFound, "shop.Usable", "there is no coupon %s", id)
	}
	return nil
}

func (c *shop) Give(_ context.Context, _, couponID, viewerID, ref string) (string, error) {
	if c.down {
		return "", errors.New("closed")
	}
	c.given[ref] = couponID + " for " + viewerID
	return "clm_" + ref, nil
}

func TestCouponPrizes(t *testing.T) {
	show, coupons := newStage(), &shop{given: map[string]string{}, down: true, ends: newStage().now.Add(25 * time.Hour)}
	s := service(openDB(t), show)
	s.Coupons = coupons
	wrong := terms()
	wrong.Prizes[0].CouponID = "cpn_x"
	if _, err := s.Create(t.Context(), account.DefaultStore, wrong); errs.KindOf(err) != errs.NotFound {
		t.Errorf("got %v", err)
	}
	right := terms()
	right.Prizes[0].CouponID = "cpn_1"
	late := right
	late.ClaimFor = 25 * time.Hour
	if _, err := s.Create(t.Context(), account.DefaultStore, late); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a coupon that ends before the winners' time does: %v", err)
	}
	l, err := s.Create(t.Context(), account.DefaultStore, right)
	if err != nil {
		t.Fatal(err)
	}
	v := account.Viewer{ID: "visitor:0"}
	if _, err := s.Open(t.Context(), account.DefaultStore, l.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enter(t.Context(), l.ID, v); err != nil {
		t.Fatal(err)
	}
	show.pass(time.Minute)
	for range 3 {
		s.Step(t.Context())
		show.pass(10 * time.Second)
	}
	won, err := s.Prizes(t.Context(), v.ID, 10)
	if err != nil || len(won) != 1 {
		t.Fatalf("%+v, %v", won, err)
	}
	if _, err := s.Claim(t.Context(), v, won[0].ID, nil); err == nil {
		t.Error("claimed though nothing was given")
	}
	coupons.down = false
	show.pass(365 * 24 * time.Hour) // it was claimed in time; the shop was not there
	for range 2 {
		w, err := s.Claim(t.Context(), v, won[0].ID, nil)
		if err != nil || w.CouponRef != "clm_"+won[0].ID || w.State != lottery.Claimed {
			t.Errorf("%+v, %v", w, err)
		}
	}
	if want := map[string]string{won[0].ID: "cpn_1 for visitor:0"}; !cmp.Equal(coupons.given, want) {
		t.Errorf("given: %v", coupons.given)
	}
}

// A lottery whose coupon cannot be promised any more when its time comes does not open, by hand or by itself.
func TestCouponPrizesEndBeforeTheOpening(t *testing.T) {
	show := newStage()
	coupons := &shop{given: map[string]string{}, ends: show.time().Add(25 * time.Hour)}
	s := service(openDB(t), show)
	s.Coupons = coupons
	byHand, byItself := terms(), terms()
	byHand.Prizes[1].CouponID, byItself.Prizes[1].CouponID, byItself.OpensAtMS = "cpn_1", "cpn_1", new(int64(1000))
	made := make([]lottery.Lottery, 2)
	for i, of := range []lottery.Terms{byHand, byItself} {
		var err error
		if made[i], err = s.Create(t.Context(), account.DefaultStore, of); err != nil {
			t.Fatal(err)
		}
	}
	show.pass(2 * time.Hour)
	if _, err := s.Open(t.Context(), account.DefaultStore, made[0].ID); errs.KindOf(err) != errs.Conflict {
		t.Errorf("opened by hand: %v", err)
	}
	s.Step(t.Context())
	if l, err := s.Get(t.Context(), account.DefaultStore, made[1].ID); err != nil || l.State != lottery.Cancelled || l.Reason == "" {
		t.Errorf("%+v, %v", l, err)
	}
	if l, err := s.Get(t.Context(), account.DefaultStore, made[0].ID); err != nil || l.State != lottery.Draft {
		t.Errorf("%+v, %v", l, err)
	}
}
