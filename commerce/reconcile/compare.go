package reconcile

import (
	"context"
	"fmt"

	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// comparison is one order in both books.
type comparison struct {
	*Service
	order  *order.Order
	down   map[string]error // providers that do not answer
	found  []Discrepancy
	mended bool
	unsure bool // a provider gave no answer
}

func (c *comparison) run(ctx context.Context) error {
	for _, a := range c.order.Attempts {
		p := c.providers[a.Provider]
		if p == nil || c.down[a.Provider] != nil {
			c.unsure = c.unsure || p != nil
			continue
		}
		if err := c.payment(ctx, p); err != nil {
			return err
		}
	}
	for i := range c.order.Repayments {
		r := &c.order.Repayments[i]
		p := c.providers[r.Provider]
		if p == nil || c.down[r.Provider] != nil {
			c.unsure = c.unsure || p != nil
			continue
		}
		if err := c.refund(ctx, p, r); err != nil {
			return err
		}
	}
	return nil
}

// silent notes that a provider gave no answer.
func (c *comparison) silent(provider string, err error) {
	c.unsure = true
	if c.down[provider] == nil {
		c.down[provider] = err
	}
}

// payment compares what came in.
func (c *comparison) payment(ctx context.Context, p payment.Provider) error {
	ask, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	there, err := p.Query(ask, c.order.No)
	here := c.receipts(p.Name())
	switch {
	case errs.KindOf(err) == errs.NotFound && err != nil:
		for _, r := range here {
			c.differs(p, UnknownThere, "", "%s came in by transaction %s, and %s knows no order %s", r.Money, r.TransactionID, p.Name(), c.order.No)
		}
		return nil
	case err != nil:
		c.silent(p.Name(), err)
		return nil
	case there.State != payment.Paid:
		for _, r := range here {
			c.differs(p, PaidHereOnly, "", "%s came in by transaction %s, and %s calls the order %s", r.Money, r.TransactionID, p.Name(), there.State)
		}
		return nil
	}
	for _, r := range here {
		if r.TransactionID != there.TransactionID {
			continue
		}
		if r.Money != there.Amount {
			c.differs(p, AmountDiffers, "", "transaction %s brought %s, and %s says %s", r.TransactionID, r.Money, p.Name(), there.Amount)
		}
		return nil
	}
	return c.mend(ctx, p, "payment", payment.Notification{Payment: &there})
}

// receipts are what the provider brought for the order.
func (c *comparison) receipts(provider string) (out []order.Receipt) {
	for _, r := range c.order.Receipts {
		if r.Provider == provider {
			out = append(out, r)
		}
	}
	return out
}

// mend takes note of what the provider did not report, or what got lost on the way.
func (c *comparison) mend(ctx context.Context, p payment.Provider, what string, n payment.Notification) error {
	if err := c.orders.Notified(ctx, p.Name(), n); err != nil {
		return err
	}
	c.mended = true
	c.count("mended_" + what)
	c.log.WarnContext(ctx, "a report of a payment provider had not come: it was asked for", "provider", p.Name(), "order", c.order.ID, "about", what)
	return nil
}

// refund compares what went back.
func (c *comparison) refund(ctx context.Context, p payment.Provider, r *order.Repayment) error {
	if r.State == order.RepaymentAsked || r.State == order.RepaymentReplaced {
		return nil // the orders ask by themselves; and the one in its place counts
	}
	ask, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	there, err := p.QueryRefund(ask, r.No)
	if errs.KindOf(err) == errs.NotFound && err != nil {
		c.unknownRefund(p, r)
		return nil
	}
	if err != nil {
		c.silent(p.Name(), err)
		return nil
	}
	return c.judge(ctx, p, r, &there)
}

// unknownRefund is about one that the provider does not know.
func (c *comparison) unknownRefund(p payment.Provider, r *order.Repayment) {
	switch r.State {
	case order.Repaid:
		c.differs(p, RefundDiffers, r.No, "%s went back here, and %s knows no refund %s", r.Money, p.Name(), r.No)
	case order.RepaymentFailed:
		c.differs(p, RefundFailed, r.No, "%s", failure(r, p.Name()))
	case order.RepaymentAsked, order.RepaymentPending, order.RepaymentReplaced: // the orders see to it
	}
}

func (c *comparison) judge(ctx context.Context, p payment.Provider, r *order.Repayment, there *payment.RefundResult) error {
	done := there.State == payment.Refunded
	switch {
	case there.Amount.Amount != 0 && there.Amount != r.Money:
		c.differs(p, RefundDiffers, r.No, "%s were asked back, and %s says %s", r.Money, p.Name(), there.Amount)
	case r.State == order.RepaymentPending && there.State != payment.Pending:
		there.OrderNo, there.RefundNo = c.order.No, r.No
		return c.mend(ctx, p, "refund", payment.Notification{Refund: there})
	case r.State == order.RepaymentPending && c.instant().Sub(r.CreatedAt) > slow:
		c.differs(p, RefundSlow, r.No, "%s has been at it since %s: ask there", p.Name(), r.CreatedAt.Format("2006-01-02"))
	case r.State == order.Repaid && !done:
		c.differs(p, RefundDiffers, r.No, "%s went back here, and %s calls the refund %s", r.Money, p.Name(), there.State)
	case r.State == order.RepaymentFailed && done:
		c.differs(p, RefundDiffers, r.No, "the refund failed here, and %s has carried it out since: do not ask again", p.Name())
	case r.State == order.RepaymentFailed:
		c.differs(p, RefundFailed, r.No, "%s", failure(r, p.Name()))
	}
	return nil
}

func failure(r *order.Repayment, provider string) string {
	why := ""
	if r.Error != "" {
		why = ": " + r.Error
	}
	return fmt.Sprintf("%s could not carry out the refund of %s%s; refund by hand at the provider, or ask again", provider, r.Money, why)
}

func (c *comparison) differs(p payment.Provider, kind Kind, refundNo, format string, args ...any) {
	at := c.instant()
	c.found = append(c.found, Discrepancy{
		ID: newID(), StoreID: c.order.StoreID, Provider: p.Name(), Kind: kind, OrderID: c.order.ID, OrderNo: c.order.No, RefundNo: refundNo,
		Detail: fmt.Sprintf(format, args...), FoundAt: at, SeenAt: at,
	})
}
