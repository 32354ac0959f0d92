package order

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// PayAsk is how a buyer wants to pay.
type PayAsk struct {
	Method    payment.Method // empty: the provider's first
	ClientIP  string
	BaseURL   string // where the buyer reaches this server
	ReturnURL string // where the buyer goes afterwards; may be empty
}

// Methods are the ways to pay for new orders.
func (s *Service) Methods() []payment.Method {
	if len(s.Providers) == 0 {
		return nil
	}
	return s.Providers[0].Methods()
}

// Pay begins the payment of a viewer's order, or continues it. Conflict: nothing is to be paid, or the time is up.
func (s *Service) Pay(ctx context.Context, v account.Viewer, orderID string, ask PayAsk) (payment.Intent, error) {
	const op = "order.Pay"
	if len(s.Providers) == 0 {
		return payment.Intent{}, errs.New(errs.Unavailable, op, "no payment provider is set up here")
	}
	p := s.Providers[0]
	if ask.Method == "" {
		ask.Method = p.Methods()[0]
	}
	if !slices.Contains(p.Methods(), ask.Method) {
		return payment.Intent{}, errs.Field(op, "method", "one can pay here by %v", p.Methods())
	}
	mine := Scope{ViewerID: v.ID}
	o, err := s.change(ctx, mine, orderID, func(_ context.Context, o *Order, _ Ledger) error { return o.Begin(p.Name(), s.at()) })
	if err != nil {
		return payment.Intent{}, errs.Wrap(op, err)
	}
	intent, err := p.Start(ctx, payment.Request{
		OrderNo: o.No, Description: o.description(), Amount: o.Money(o.Total), Method: ask.Method, PayerID: v.OpenID, ClientIP: ask.ClientIP,
		ExpiresAt: o.ExpiresAt, NotifyURL: s.cfg.notifyURL(p.Name(), ask.BaseURL), ReturnURL: ask.ReturnURL,
	})
	if err != nil {
		return payment.Intent{}, errs.Wrap(op, err)
	}
	return intent, errs.Wrap(op, s.stillToPay(ctx, o.ID))
}

// stillToPay looks again whether the order waits for its payment: it may have ended while the provider was asked, and then
// the payment is to be closed once more.
func (s *Service) stillToPay(ctx context.Context, id string) error {
	o, err := s.Store.Order(ctx, Scope{}, id)
	if err != nil || o.State == Pending {
		return err
	}
	if o.State == Expired || o.State == Cancelled {
		if _, err := s.change(ctx, Scope{}, id, func(_ context.Context, o *Order, _ Ledger) error {
			for i := range o.Attempts {
				o.Attempts[i].Closed = false
			}
			o.closeAttempts(s.at())
			return nil
		}); err != nil {
			return err
		}
	}
	return errs.New(errs.Conflict, "order.Pay", "the order is %s: nothing is to be paid", words[o.State])
}

// maxDescription is what providers take, in characters.
const maxDescription = 60

// description is what the buyer reads where they pay.
func (o *Order) description() string {
	title := []rune(o.Lines[0].Item.Title)
	if len(title) > maxDescription {
		title = append(title[:maxDescription-1], '…')
	}
	if len(o.Lines) == 1 {
		return string(title)
	}
	return fmt.Sprintf("%s +%d", string(title), len(o.Lines)-1)
}

// Notification reads a report of a provider and takes note of it. Unauthorized: it is not the provider's; NotFound: there
// is no such provider. Any error asks the provider to report again.
func (s *Service) Notification(ctx context.Context, provider string, header map[string][]string, body []byte) error {
	const op = "order.Notification"
	p, err := s.provider(provider)
	if err != nil {
		return err
	}
	n, err := p.Notification(ctx, header, body)
	if err != nil {
		s.Count("notification_refused")
		return errs.Wrap(op, err)
	}
	return errs.Wrap(op, s.Notified(ctx, provider, n))
}

// Notified takes note of what a provider says of a payment or a refund. Reports may come twice, late and in any order:
// each counts once. What fits no order of ours is kept for the operator.
func (s *Service) Notified(ctx context.Context, provider string, n payment.Notification) error {
	const op = "order.Notified"
	at := s.at()
	if n.Payment != nil && n.Payment.State == payment.Paid {
		if err := s.received(ctx, provider, n.Payment, at); err != nil {
			return errs.Wrap(op, err)
		}
	}
	if n.Refund != nil {
		return errs.Wrap(op, s.refunded(ctx, provider, n.Refund, at))
	}
	return nil
}

func (s *Service) received(ctx context.Context, provider string, r *payment.Result, at time.Time) error {
	receipt := Receipt{
		Provider: provider, TransactionID: r.TransactionID, OrderNo: r.OrderNo, Money: r.Amount, PaidAt: r.PaidAt.UTC().Truncate(time.Millisecond), ReceivedAt: at,
	}
	if r.TransactionID == "" {
		return errs.New(errs.Invalid, "order.received", "the payment of order %q has no transaction", r.OrderNo)
	}
	if r.PaidAt.IsZero() {
		receipt.PaidAt = at
	}
	id, ok := IDOf(r.OrderNo)
	if !ok {
		return s.stray(ctx, receipt)
	}
	before := 0
	o, err := s.change(ctx, Scope{}, id, func(ctx context.Context, o *Order, l Ledger) error {
		before = len(o.Receipts)
		if o.No != r.OrderNo {
			return errs.New(errs.NotFound, "order.received", "there is no order with the number %s", r.OrderNo)
		}
		return o.Receive(ctx, l, receipt, at)
	})
	if errs.KindOf(err) == errs.NotFound {
		return s.stray(ctx, receipt)
	}
	if err == nil && len(o.Receipts) > before {
		s.Count("payment_" + string(o.Receipts[len(o.Receipts)-1].Outcome))
	}
	return err
}

// stray keeps money of no order of ours. The provider is told that all is well: asking it again would not help.
func (s *Service) stray(ctx context.Context, r Receipt) error {
	r.Outcome = Unknown
	fresh, err := s.Store.KeepReceipt(ctx, r)
	if err == nil && fresh {
		s.Count("payment_unknown")
		s.Log.ErrorContext(ctx, "money came in for an order that is not here: look at the provider's books", "provider", r.Provider,
			"transaction", r.TransactionID, "order", r.OrderNo, "amount", r.Money.String())
	}
	return err
}

func (s *Service) refunded(ctx context.Context, provider string, r *payment.RefundResult, at time.Time) error {
	known := false
	id, ok := IDOf(r.OrderNo)
	if ok {
		_, err := s.change(ctx, Scope{}, id, func(ctx context.Context, o *Order, l Ledger) (err error) {
			known, err = o.RefundReported(ctx, l, *r, at.Add(backOff(0)), at)
			return err
		})
		if err != nil && errs.KindOf(err) != errs.NotFound {
			return err
		}
	}
	if !known {
		s.Count("refund_unknown")
		s.Log.ErrorContext(ctx, "a provider reports a refund that is not known here", "provider", provider, "refund", r.RefundNo, "order", r.OrderNo)
	}
	return nil
}
