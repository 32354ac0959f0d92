package offer

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/pricing"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// The limits of terms.
const (
	MaxTitle    = 60 // characters
	MaxProducts = 200
	MaxValidFor = 2 * 365 * 24 * time.Hour
)

// Terms is what a claim is worth. A claim keeps those that held when it was made, whatever becomes of the coupon.
type Terms struct {
	Title    string   `json:"title"`
	Currency string   `json:"currency"` // of all amounts, and of the carts that it is for
	Amount   int64    `json:"amount,omitempty"`
	Percent  int64    `json:"percent,omitempty"` // hundredths of a percent: 1500 is 15 % off
	MaxOff   int64    `json:"max_off,omitempty"` // 0: no cap
	MinSpend int64    `json:"min_spend,omitempty"`
	Products []string `json:"products,omitempty"` // empty: all of the store
	Stacks   string   `json:"stacks"`             // pricing.StacksNone or StacksOther
	// A claim is valid from its instant on for ValidFor, and not beyond ValidUntil; a zero one does not count.
	ValidFor   time.Duration `json:"valid_for,omitempty"`
	ValidUntil time.Time     `json:"valid_until,omitzero"`
}

// validate checks the terms of a coupon; those of a red packet have no amount of their own.
func (t *Terms) validate(op string) error {
	if err := t.validateCommon(op); err != nil {
		return err
	}
	switch {
	case (t.Amount == 0) == (t.Percent == 0):
		return errs.Field(op, "amount", "give either amount (minor units) or percent (hundredths of a percent)")
	case t.Amount < 0 || t.Amount > commerce.MaxAmount:
		return errs.Field(op, "amount", "the amount must be 1 to %d minor units", commerce.MaxAmount)
	case t.Percent < 0 || t.Percent > 10_000:
		return errs.Field(op, "percent", "the percentage must be 1 to 10000 hundredths of a percent: 1500 is 15 %% off")
	case t.MaxOff < 0 || t.MaxOff > commerce.MaxAmount:
		return errs.Field(op, "max_off", "the most that is taken off must be 0 (no cap) to %d minor units", commerce.MaxAmount)
	case t.MaxOff > 0 && t.Percent == 0:
		return errs.Field(op, "max_off", "only a percentage has a cap: leave max_off out")
	}
	return nil
}

func (t *Terms) validateCommon(op string) error {
	t.Title = strings.TrimSpace(t.Title)
	switch n := utf8.RuneCountInString(t.Title); {
	case n == 0 || n > MaxTitle || !utf8.ValidString(t.Title):
		return errs.Field(op, "title", "the title must have 1 to %d characters", MaxTitle)
	case (commerce.Money{Currency: t.Currency}).Validate() != nil:
		return errs.Field(op, "currency", "the currency must be an ISO 4217 code of three upper-case letters, such as CNY")
	case t.MinSpend < 0 || t.MinSpend > commerce.MaxAmount:
		return errs.Field(op, "min_spend", "the minimum spend must be 0 to %d minor units", commerce.MaxAmount)
	case len(t.Products) > MaxProducts:
		return errs.Field(op, "product_ids", "name at most %d products, or none for all of the store", MaxProducts)
	case t.Stacks != pricing.StacksNone && t.Stacks != pricing.StacksOther:
		return errs.Field(op, "stacks", "stacks must be \"none\" (used alone) or \"other\" (with coupons of other campaigns that stack too)")
	case t.ValidFor < 0 || t.ValidFor > MaxValidFor:
		return errs.Field(op, "valid_for_s", "a claim is valid for at most %d s", int64(MaxValidFor.Seconds()))
	case t.ValidFor == 0 && t.ValidUntil.IsZero():
		return errs.Field(op, "valid_for_s", "say how long a claim is valid (valid_for_s), or until when (valid_until), or both")
	}
	slices.Sort(t.Products)
	t.Products = slices.Compact(t.Products)
	return nil
}

// validity is when a claim that is made at an instant may be used: from then until before until.
func (t *Terms) validity(at time.Time) (until time.Time) {
	if t.ValidFor > 0 {
		until = at.Add(t.ValidFor)
	}
	if until.IsZero() || !t.ValidUntil.IsZero() && t.ValidUntil.Before(until) {
		until = t.ValidUntil
	}
	return until
}
