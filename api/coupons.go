package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/overlay"
)

// OfferTerms is what a claim is worth and who may make it, as coupons and red packets share it.
type OfferTerms struct {
	Title       string   `json:"title" minLength:"1" maxLength:"60"`
	Currency    string   `json:"currency,omitempty" pattern:"^([A-Z]{3})?$" patternDescription:"ISO 4217, such as CNY" doc:"Default: the store's."`
	MinSpend    int64    `json:"min_spend,omitempty" minimum:"0" doc:"What the goods that it is for must cost together, before any coupon, in minor units."`
	ProductIDs  []string `json:"product_ids,omitempty" maxItems:"200" doc:"What it is for; none: all of the store."`
	Stacks      string   `json:"stacks,omitempty" enum:"none,other" default:"none" doc:"none: used alone. other: together with coupons of other campaigns that stack too."`
	ValidForS   int64    `json:"valid_for_s,omitempty" minimum:"0" maximum:"63072000" doc:"How long a claim may be used, in seconds from when it was made. One of this and valid_until is needed; with both the earlier end holds."`
	ValidUntil  string   `json:"valid_until,omitempty" doc:"Until when claims may be used (RFC 3339)."`
	ClaimIn     string   `json:"claim_in,omitempty" enum:"anywhere,live,replay" default:"live" doc:"live: in a show that it was dropped into, while that is on air. replay: also in its replay. anywhere: in the store too (coupons only)."`
	ReplayHours int64    `json:"replay_hours,omitempty" minimum:"0" maximum:"8760" doc:"With claim_in replay: for how long after the show's end."`
	ClaimFrom   string   `json:"claim_from,omitempty" doc:"From when on it may be claimed (RFC 3339). Absent: at once."`
	ClaimUntil  string   `json:"claim_until,omitempty" doc:"Until when it may be claimed (RFC 3339). Absent: for ever."`
}

// CouponTerms are the terms of a coupon.
type CouponTerms struct {
	OfferTerms
	Amount    int64 `json:"amount,omitempty" minimum:"0" doc:"What it takes off, in minor units. Give either amount or percent."`
	Percent   int64 `json:"percent,omitempty" minimum:"0" maximum:"10000" doc:"What it takes off, in hundredths of a percent: 1500 is 15 % off. Rounded up to the next minor unit, in the buyer's favour."`
	MaxOff    int64 `json:"max_off,omitempty" minimum:"0" doc:"The most that a percentage takes off; 0: no cap."`
	Quota     int64 `json:"quota,omitempty" minimum:"0" maximum:"100000000" doc:"How many may be claimed in all; 0: any number."`
	PerViewer int64 `json:"per_viewer,omitempty" minimum:"1" maximum:"100" default:"1" doc:"How many one viewer may claim."`
}

// Coupon is a coupon as staff see it.
type Coupon struct {
	ID    string `json:"id" example:"cpn_0123456789abcdef"`
	State string `json:"state" enum:"draft,active,stopped"`
	CouponTerms
	Claimed   int64  `json:"claimed"`
	Left      *int64 `json:"left" doc:"null: any number."`
	Given     int64  `json:"given" doc:"As prizes of lotteries, beside the quota. Counted when the coupon is read alone; 0 in lists."`
	Used      int64  `json:"used" doc:"By orders, of those claimed and given. Counted when the coupon is read alone; 0 in lists."`
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
}

// CouponPath names a coupon of a store in an address.
type CouponPath struct {
	Store  string `path:"store" doc:"The store's id."`
	Coupon string `path:"coupon" doc:"The coupon's id."`
}

type couponInput struct {
	Store string `path:"store" doc:"The store's id."`
	Body  struct {
		CouponTerms
		State string `json:"state,omitempty" enum:"draft,active" default:"draft" doc:"A draft cannot be claimed; its terms can be changed."`
	}
}

type couponUpdate struct {
	CouponPath
	Body struct {
		OfferChange
		State     *string `json:"state,omitempty" enum:"active,stopped"`
		Quota     *int64  `json:"quota,omitempty" minimum:"0" maximum:"100000000"`
		PerViewer *int64  `json:"per_viewer,omitempty" minimum:"1" maximum:"100"`
		Amount    *int64  `json:"amount,omitempty" minimum:"0"`
		Percent   *int64  `json:"percent,omitempty" minimum:"0" maximum:"10000"`
		MaxOff    *int64  `json:"max_off,omitempty" minimum:"0"`
	}
}

// OfferChange is what changes of what coupons and red packets share; what is absent stays.
type OfferChange struct {
	ClaimIn     *string   `json:"claim_in,omitempty" enum:"anywhere,live,replay"`
	ReplayHours *int64    `json:"replay_hours,omitempty" minimum:"0" maximum:"8760"`
	ClaimFrom   *string   `json:"claim_from,omitempty"`
	ClaimUntil  *string   `json:"claim_until,omitempty"`
	Title       *string   `json:"title,omitempty" minLength:"1" maxLength:"60"`
	MinSpend    *int64    `json:"min_spend,omitempty" minimum:"0"`
	ProductIDs  *[]string `json:"product_ids,omitempty" maxItems:"200"`
	Stacks      *string   `json:"stacks,omitempty" enum:"none,other"`
	ValidForS   *int64    `json:"valid_for_s,omitempty" minimum:"0" maximum:"63072000"`
	ValidUntil  *string   `json:"valid_until,omitempty"`
}

// read makes of it what changes terms and rules. Invalid names an instant that cannot be read.
func (c *OfferChange) read(op string) (func(*offer.Terms, *offer.Rules), error) {
	read := map[string]time.Time{}
	for field, text := range map[string]*string{"claim_from": c.ClaimFrom, "claim_until": c.ClaimUntil, "valid_until": c.ValidUntil} {
		if text == nil {
			continue
		}
		t, err := wallTime(op, field, *text)
		if err != nil {
			return nil, err
		}
		read[field] = t
	}
	return func(t *offer.Terms, r *offer.Rules) {
		set(&r.Where, (*offer.Where)(c.ClaimIn))
		set(&t.Title, c.Title)
		set(&t.MinSpend, c.MinSpend)
		set(&t.Products, c.ProductIDs)
		set(&t.Stacks, c.Stacks)
		setDuration(&r.ReplayFor, c.ReplayHours, time.Hour)
		setDuration(&t.ValidFor, c.ValidForS, time.Second)
		for field, to := range map[string]*time.Time{"claim_from": &r.From, "claim_until": &r.Until, "valid_until": &t.ValidUntil} {
			if at, ok := read[field]; ok {
				*to = at
			}
		}
	}, nil
}

func (s *Server) couponOperations() {
	tags := []string{"Coupons"}
	const all, one = "/api/v1/stores/{store}/coupons", "/api/v1/stores/{store}/coupons/{coupon}"
	define, look := staff(account.OffersWrite), staff(account.RoomsRead)
	operation(s, huma.Operation{OperationID: "create-coupon", Method: http.MethodPost, Path: all, Tags: tags, Security: define, Summary: "Make a coupon", DefaultStatus: http.StatusCreated}, s.createCoupon)
	operation(s, huma.Operation{OperationID: "list-coupons", Method: http.MethodGet, Path: all, Tags: tags, Security: look, Summary: "List coupons, newest first"}, s.listCoupons)
	operation(s, huma.Operation{OperationID: "get-coupon", Method: http.MethodGet, Path: one, Tags: tags, Security: look, Summary: "Read a coupon, with how many were used"},
		func(ctx context.Context, in *CouponPath) (*Body[Coupon], error) {
			return rendered(couponOf)(s.Offers.Coupon(ctx, in.Store, in.Coupon))
		})
	operation(s, huma.Operation{OperationID: "update-coupon", Method: http.MethodPatch, Path: one, Tags: tags, Security: define, Summary: "Change, activate or stop a coupon", Description: "Once it was activated, what a claim is worth stays (title, amount, percent, max_off, min_spend, product_ids, stacks, validity). Shows that it was dropped into tell their viewers when it stops. An empty claim_from, claim_until or valid_until removes it."}, s.updateCoupon)
	operation(s, huma.Operation{OperationID: "delete-coupon", Method: http.MethodDelete, Path: one, Tags: tags, Security: define, Summary: "Delete a draft", DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *CouponPath) (*Empty, error) {
			return &Empty{}, s.Offers.DeleteCoupon(ctx, in.Store, in.Coupon)
		})
}

func (s *Server) createCoupon(ctx context.Context, in *couponInput) (*Body[Coupon], error) {
	b := &in.Body
	terms, rules, err := s.offerTerms(ctx, in.Store, &b.OfferTerms)
	if err != nil {
		return nil, err
	}
	terms.Amount, terms.Percent, terms.MaxOff = b.Amount, b.Percent, b.MaxOff
	return rendered(couponOf)(s.Offers.CreateCoupon(ctx, offer.Coupon{
		StoreID: in.Store, State: offer.State(b.State), Terms: terms, Rules: rules, Quota: b.Quota, PerViewer: b.PerViewer,
	}))
}

// offerTerms reads terms; the currency of a store is what it is when nothing else is said.
func (s *Server) offerTerms(ctx context.Context, storeID string, t *OfferTerms) (terms offer.Terms, rules offer.Rules, err error) {
	if t.Currency == "" {
		store, err := s.Store.Store(ctx, storeID)
		if err != nil {
			return terms, rules, err
		}
		t.Currency = store.Currency
	}
	terms = offer.Terms{
		Title: t.Title, Currency: t.Currency, MinSpend: t.MinSpend, Products: t.ProductIDs, Stacks: t.Stacks, ValidFor: time.Duration(t.ValidForS) * time.Second,
	}
	rules = offer.Rules{Where: offer.Where(t.ClaimIn), ReplayFor: time.Duration(t.ReplayHours) * time.Hour}
	for _, f := range []struct {
		field, text string
		to          *time.Time
	}{{"valid_until", t.ValidUntil, &terms.ValidUntil}, {"claim_from", t.ClaimFrom, &rules.From}, {"claim_until", t.ClaimUntil, &rules.Until}} {
		if *f.to, err = wallTime("api.offerTerms", f.field, f.text); err != nil {
			return terms, rules, err
		}
	}
	return terms, rules, nil
}

func (s *Server) listCoupons(ctx context.Context, in *struct {
	Store string `path:"store" doc:"The store's id."`
	PageInput
},
) (*Body[Page[Coupon]], error) {
	list, err := s.Offers.ListCoupons(ctx, in.Store, in.After, in.limit())
	if err != nil {
		return nil, err
	}
	return page(list, in.limit(), couponOf, func(c offer.Coupon) string { return c.ID }), nil
}

func (s *Server) updateCoupon(ctx context.Context, in *couponUpdate) (*Body[Coupon], error) {
	b := &in.Body
	change, err := b.read("api.updateCoupon")
	if err != nil {
		return nil, err
	}
	return rendered(couponOf)(s.Offers.UpdateCoupon(ctx, in.Store, in.Coupon, func(c *offer.Coupon) {
		change(&c.Terms, &c.Rules)
		set(&c.State, (*offer.State)(b.State))
		set(&c.Quota, b.Quota)
		set(&c.PerViewer, b.PerViewer)
		set(&c.Amount, b.Amount)
		set(&c.Percent, b.Percent)
		set(&c.MaxOff, b.MaxOff)
	}))
}

// set changes what is given.
func set[T any](to, given *T) {
	if given != nil {
		*to = *given
	}
}

func setDuration(to *time.Duration, given *int64, unit time.Duration) {
	if given != nil {
		*to = time.Duration(*given) * unit
	}
}

// rendered turns what a domain returns into an answer.
func rendered[D, T any](render func(D) T) func(D, error) (*Body[T], error) {
	return func(d D, err error) (*Body[T], error) {
		if err != nil {
			return nil, err
		}
		return &Body[T]{render(d)}, nil
	}
}

func couponOf(c offer.Coupon) Coupon {
	return Coupon{
		ID: c.ID, State: string(c.State), CouponTerms: CouponTerms{
			OfferTerms: termsOf(&c.Terms, &c.Rules), Amount: c.Amount, Percent: c.Percent, MaxOff: c.MaxOff, Quota: c.Quota, PerViewer: c.PerViewer,
		},
		Claimed: c.Claimed, Left: c.Left(), Given: c.Given, Used: c.Used, CreatedAt: overlay.FormatWall(c.CreatedAt), UpdatedAt: overlay.FormatWall(c.UpdatedAt),
	}
}

func termsOf(t *offer.Terms, r *offer.Rules) OfferTerms {
	return OfferTerms{
		Title: t.Title, Currency: t.Currency, MinSpend: t.MinSpend, ProductIDs: t.Products, Stacks: t.Stacks,
		ValidForS: int64(t.ValidFor / time.Second), ValidUntil: wallText(t.ValidUntil),
		ClaimIn: string(r.Where), ReplayHours: int64(r.ReplayFor / time.Hour), ClaimFrom: wallText(r.From), ClaimUntil: wallText(r.Until),
	}
}
