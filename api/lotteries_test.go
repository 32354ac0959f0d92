package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/lottery"
)

func lotteryTerms(showID string) map[string]any {
	return map[string]any{
		"show_id": showID, "title": "Tea for two", "window_seconds": 60,
		"prizes": []map[string]any{{"name": "Teapot", "count": 1}, {"name": "Cup", "count": 2, "image_url": "/cup.jpg"}},
	}
}

// onAir publishes and returns the show.
func (h *house) onAir() string {
	h.t.Helper()
	h.publish(2)
	id, _, ok := h.rooms.OnAirNow(h.room.ID)
	if !ok {
		h.t.Fatal("the room is not on air")
	}
	return id
}

func TestLotteryFromDraftToPrize(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	const store = "/api/v1/stores/store_default/lotteries"
	var l Lottery
	h.read(http.StatusCreated, &l, "POST", store, adminToken, lotteryTerms(show))
	if l.State != "draft" || l.Commitment != "" || l.Prizes[1].ImageURL != "/cup.jpg" || l.ClaimHours != 168 {
		t.Fatalf("%+v", l)
	}
	public := "/api/v1/lotteries/" + l.ID
	for _, path := range []string{public, public + "/proof"} {
		h.read(http.StatusNotFound, nil, "GET", path, "", nil) // nobody knows of a draft
	}
	h.read(http.StatusOK, &l, "POST", store+"/"+l.ID+"/open", adminToken, nil)
	if len(l.Commitment) != 64 || l.Seed != "" || *l.ClosesMS-*l.OpenedMS != 60_000 {
		t.Fatalf("%+v", l)
	}
	tokens := []string{h.viewer(), h.viewer(), h.viewer(), h.viewer(), h.viewer()}
	entrants := map[string]string{}
	for _, token := range tokens {
		var e, again LotteryEntry
		h.read(http.StatusOK, &e, "GET", public+"/entries/mine", token, nil)
		if e.Entered || len(e.Missing) != 0 {
			t.Errorf("before entering: %+v", e)
		}
		h.read(http.StatusOK, &e, "POST", public+"/entries", token, nil)
		h.read(http.StatusOK, &again, "POST", public+"/entries", token, nil)
		if !e.Entered || e.Entrant != again.Entrant || e.Entrant == "" {
			t.Errorf("%+v, then %+v", e, again)
		}
		entrants[e.Entrant] = token
	}
	h.read(http.StatusOK, &l, "POST", store+"/"+l.ID+"/close", adminToken, nil)
	h.read(http.StatusConflict, nil, "POST", public+"/entries", h.viewer(), nil)
	h.read(http.StatusConflict, nil, "POST", store+"/"+l.ID+"/cancel", adminToken, map[string]any{"reason": "I lost"})

	var p lottery.Proof
	h.lotteries.Step(t.Context())
	h.read(http.StatusOK, &p, "GET", public+"/proof", "", nil)
	if p.State != lottery.Closed || p.Seed != "" || len(p.Entrants) != 5 || p.EntrantsHash != l.EntrantsHash {
		t.Fatalf("before the draw: %+v", p)
	}
	h.now = h.now.Add(6 * time.Second)
	h.lotteries.Step(t.Context())
	h.read(http.StatusOK, &p, "GET", public+"/proof", "", nil)
	if wrong := p.Verify(); len(wrong) > 0 || len(p.Winners) != 3 || p.Commitment != l.Commitment {
		t.Fatalf("%q in %+v", wrong, p)
	}
	h.claims(t, store+"/"+l.ID+"/winners", entrants[p.Winners[0].Entrant])
	h.tellsTheCourse(t, show, &p)
}

// claims lets the first winner claim and the store see the address.
func (h *house) claims(t *testing.T, winnersPath, token string) {
	t.Helper()
	var prizes Page[WonPrize]
	h.read(http.StatusOK, &prizes, "GET", "/api/v1/me/prizes", token, nil)
	if len(prizes.Items) != 1 || prizes.Items[0].Name != "Teapot" || prizes.Items[0].State != "pending" {
		t.Fatalf("%+v", prizes)
	}
	claim := "/api/v1/me/prizes/" + prizes.Items[0].ID + "/claim"
	home := map[string]any{"address": map[string]any{"name": "张三", "phone": "13800000000", "street": "1 Tea Road"}}
	h.read(http.StatusUnprocessableEntity, nil, "POST", claim, token, map[string]any{})
	h.read(http.StatusNotFound, nil, "POST", claim, h.viewer(), home)
	var won WonPrize
	h.read(http.StatusOK, &won, "POST", claim, token, home)
	h.read(http.StatusOK, &won, "POST", claim, token, home)
	h.read(http.StatusConflict, nil, "POST", claim, token, map[string]any{"address": map[string]any{"name": "李四", "phone": "13800000000", "street": "2 Tea Road"}})
	var winners Page[LotteryWinner]
	h.read(http.StatusOK, &winners, "GET", winnersPath, adminToken, nil)
	if len(winners.Items) != 3 || winners.Items[0].Address == nil || winners.Items[0].Address.Name != "张三" || winners.Items[1].State != "pending" {
		t.Fatalf("%+v", winners)
	}
}

// tellsTheCourse looks at what the timeline carries: the commitment before the entrants, their hash before the seed.
func (h *house) tellsTheCourse(t *testing.T, show string, p *lottery.Proof) {
	t.Helper()
	events, err := h.server.Timeline.Events(t.Context(), show, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range events {
		if e.Type == "lottery" {
			told = append(told, string(e.Data))
		}
	}
	if len(told) != 3 {
		t.Fatalf("%d events: %q", len(told), told)
	}
	for i, want := range []struct {
		has   []string
		lacks string
	}{
		{[]string{`"open":true`, p.Commitment}, "entrants_hash"},
		{[]string{`"open":false`, `"state":"closed"`, p.EntrantsHash, `"entries":5`}, `"seed"`},
		{[]string{`"state":"drawn"`, p.Seed, p.Winners[2].Entrant}, "visitor:"},
	} {
		for _, has := range want.has {
			if !strings.Contains(told[i], has) {
				t.Errorf("event %d lacks %s: %s", i, has, told[i])
			}
		}
		if strings.Contains(told[i], want.lacks) {
			t.Errorf("event %d has %s: %s", i, want.lacks, told[i])
		}
	}
}

func TestLotteryClosesOnTheShowsClock(t *testing.T) {
	h := newHouse(t)
	show := h.onAir()
	terms := lotteryTerms(show)
	terms["window_seconds"], terms["opens_at_ms"] = 10, 1000
	var l Lottery
	h.read(http.StatusCreated, &l, "POST", "/api/v1/stores/store_default/lotteries", adminToken, terms)
	h.lotteries.Step(t.Context())
	path := "/api/v1/stores/store_default/lotteries/" + l.ID
	if h.read(http.StatusOK, &l, "GET", path, adminToken, nil); l.State != "open" {
		t.Fatalf("it is %s at its show time", l.State)
	}
	if err := h.rooms.End(t.Context(), h.room.ID); err != nil {
		t.Fatal(err)
	}
	h.lotteries.Step(t.Context()) // the show is over: nobody can enter any more
	if h.read(http.StatusOK, &l, "GET", path, adminToken, nil); l.State != "closed" || l.Entries != 0 {
		t.Fatalf("it is %s after the show", l.State)
	}
	h.now = h.now.Add(time.Minute)
	h.lotteries.Step(t.Context())
	h.lotteries.Step(t.Context())
	if h.read(http.StatusOK, &l, "GET", path, adminToken, nil); l.State != "drawn" {
		t.Fatalf("it is %s: a lottery without entrants is drawn as well", l.State)
	}
}

func TestLotteryIsRefused(t *testing.T) {
	h := newHouse(t)
	const store = "/api/v1/stores/store_default/lotteries"
	scheduled, err := h.rooms.Schedule(t.Context(), h.room.ID, "Later", h.now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change map[string]any
		want   int
	}{
		"another store's show": {map[string]any{"show_id": "show_x"}, http.StatusNotFound},
		"too many winners":     {map[string]any{"prizes": []map[string]any{{"name": "A", "count": 150}, {"name": "B", "count": 51}}}, http.StatusUnprocessableEntity},
		"no such condition":    {map[string]any{"conditions": map[string]any{"bought": true}}, http.StatusUnprocessableEntity},
		"no such coupon":       {map[string]any{"prizes": []map[string]any{{"name": "A", "count": 1, "coupon_id": "cpn_1"}}}, http.StatusNotFound},
		"a blank title":        {map[string]any{"title": "  "}, http.StatusUnprocessableEntity},
	} {
		terms := lotteryTerms(scheduled.ID)
		for k, v := range c.change {
			terms[k] = v
		}
		if w := h.ask("POST", store, adminToken, terms); w.Code != c.want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	var l Lottery
	h.read(http.StatusCreated, &l, "POST", store, adminToken, lotteryTerms(scheduled.ID))
	h.read(http.StatusConflict, nil, "POST", store+"/"+l.ID+"/open", adminToken, nil) // nobody watches
	h.read(http.StatusNotFound, nil, "GET", "/api/v1/stores/store_other/lotteries/"+l.ID, adminToken, nil)
	h.read(http.StatusOK, &l, "PUT", store+"/"+l.ID, adminToken, lotteryTerms(scheduled.ID))
	h.read(http.StatusOK, &l, "POST", store+"/"+l.ID+"/cancel", adminToken, map[string]any{"reason": "Changed our mind"})
	h.read(http.StatusConflict, nil, "PUT", store+"/"+l.ID, adminToken, lotteryTerms(scheduled.ID))
}

// A coupon is won, claimed without an address and counts for an order, though its quota is used up and it was stopped.
func TestLotteryOfACoupon(t *testing.T) {
	h := newHouse(t)
	const store = "/api/v1/stores/store_default/lotteries"
	var c Coupon
	h.read(http.StatusCreated, &c, "POST", offerShop+"/coupons", adminToken, with(with(couponTerms(), "claim_in", "anywhere"), "quota", 1))
	terms := with(lotteryTerms(h.onAir()), "prizes", []map[string]any{{"name": "Ten off", "count": 1, "coupon_id": c.ID}})
	h.read(http.StatusConflict, nil, "POST", store, adminToken, terms) // a draft
	h.read(http.StatusOK, nil, "PATCH", offerShop+"/coupons/"+c.ID, adminToken, map[string]any{"state": "active"})
	var l Lottery
	h.read(http.StatusCreated, &l, "POST", store, adminToken, terms)
	h.read(http.StatusOK, nil, "POST", store+"/"+l.ID+"/open", adminToken, nil)
	v, token, err := h.visitors.New()
	if err != nil {
		t.Fatal(err)
	}
	h.read(http.StatusOK, nil, "POST", "/api/v1/lotteries/"+l.ID+"/entries", token, nil)
	h.read(http.StatusOK, nil, "POST", store+"/"+l.ID+"/close", adminToken, nil)
	h.read(http.StatusCreated, nil, "POST", offerShop+"/coupons/"+c.ID+"/claim", token, nil) // the last one, and the winner's own
	h.read(http.StatusOK, nil, "PATCH", offerShop+"/coupons/"+c.ID, adminToken, map[string]any{"state": "stopped"})
	h.now = h.now.Add(6 * time.Second)
	h.lotteries.Step(t.Context())

	var prizes Page[WonPrize]
	h.read(http.StatusOK, &prizes, "GET", "/api/v1/me/prizes", token, nil)
	if len(prizes.Items) != 1 || prizes.Items[0].CouponID != c.ID || prizes.Items[0].CouponClaim != "" {
		t.Fatalf("%+v", prizes)
	}
	claim := "/api/v1/me/prizes/" + prizes.Items[0].ID + "/claim"
	h.read(http.StatusNotFound, nil, "POST", claim, h.viewer(), map[string]any{})
	var won, again WonPrize
	h.read(http.StatusOK, &won, "POST", claim, token, map[string]any{})
	h.read(http.StatusOK, &again, "POST", claim, token, map[string]any{})
	if won.State != "claimed" || won.CouponClaim == "" || again.CouponClaim != won.CouponClaim {
		t.Errorf("%+v, then %+v", won, again)
	}
	priced, err := h.offers.Coupons(t.Context(), account.DefaultStore, v.ID, []string{won.CouponClaim}, h.now)
	if err != nil || len(priced) != 1 || priced[0].Refused != "" || priced[0].Amount != 1000 {
		t.Errorf("%+v, %v", priced, err)
	}
	var mine Page[Claim]
	h.read(http.StatusOK, &mine, "GET", "/api/v1/me/coupons?state=usable", token, nil)
	h.read(http.StatusOK, &c, "GET", offerShop+"/coupons/"+c.ID, adminToken, nil)
	if len(mine.Items) != 2 || c.Claimed != 1 || c.Given != 1 {
		t.Errorf("%+v of %+v", mine.Items, c)
	}
}
