package offer

import (
	"reflect"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// State is that of a coupon or a red packet.
type State string

// The states. A coupon goes from draft to active, and between active and stopped at will; a red packet goes from draft to
// active when it is dropped, and ends empty or stopped.
const (
	Draft   State = "draft"
	Active  State = "active"
	Empty   State = "empty"
	Stopped State = "stopped"
)

// MaxQuota is the most claims of a coupon.
const MaxQuota = 100_000_000

// Coupon is a campaign: viewers claim coupons of it.
type Coupon struct {
	ID      string // "cpn_…"
	StoreID string
	State   State
	Terms
	Rules
	Quota     int64 // claims in all; 0: any number
	PerViewer int64 // claims of one viewer, at least 1
	Claimed   int64 // so far
	Given     int64 // beside the quota, as prizes; counted when the coupon is read alone
	Used      int64 // of all these, by orders; counted likewise
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Left is how many claims are left; nil: any number.
func (c *Coupon) Left() *int64 {
	if c.Quota == 0 {
		return nil
	}
	return new(max(c.Quota-c.Claimed, 0))
}

func (c *Coupon) validate(op string) error {
	if err := c.Terms.validate(op); err != nil {
		return err
	}
	if err := c.Rules.validate(op, Anywhere, InLive, InReplay); err != nil {
		return err
	}
	switch {
	case c.Quota < 0 || c.Quota > MaxQuota:
		return errs.Field(op, "quota", "the quota must be 0 (any number) to %d claims", MaxQuota)
	case c.PerViewer < 1 || c.PerViewer > 100:
		return errs.Field(op, "per_viewer", "one viewer may claim 1 to 100")
	}
	return nil
}

// change applies an edit to the coupon, or says what forbids it. Once it was activated what a claim is worth stays.
func (c *Coupon) change(op string, edit func(*Coupon), at time.Time) error {
	before := *c
	edit(c)
	c.ID, c.StoreID, c.Claimed, c.CreatedAt, c.UpdatedAt = before.ID, before.StoreID, before.Claimed, before.CreatedAt, at
	switch {
	case before.State != Draft && !reflect.DeepEqual(before.Terms, c.Terms):
		return errs.New(errs.Conflict, op, "viewers may have claimed this coupon: what it is worth stays; stop it and make another")
	case c.Quota > 0 && c.Quota < c.Claimed:
		return errs.Field(op, "quota", "%d are claimed already: the quota cannot be less", c.Claimed)
	case !before.State.mayBecome(c.State):
		return errs.Field(op, "state", "a coupon goes from draft to active, and between active and stopped")
	}
	return c.validate(op)
}

func (s State) mayBecome(to State) bool {
	switch s {
	case Draft:
		return to == Draft || to == Active
	case Active, Stopped:
		return to == Active || to == Stopped
	case Empty:
	}
	return false
}
