package order

import (
	"context"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// batch is how many orders one look takes up; what is left is due at the next.
const batch = 100

// askTimeout bounds one question to a provider.
const askTimeout = 10 * time.Second

// maxCloses is how often closing a payment is tried: for about a day, after which no provider takes one any more.
const maxCloses = 30

// Run does what is due until ctx ends: orders expire and complete, payments are closed, money goes back, allotments of
// ended shows return, and shows are told of what was bought.
func (s *Service) Run(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.announce.run(ctx)
	}()
	tick := time.NewTicker(s.cfg.Sweep)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			<-done
			return
		case <-tick.C:
			s.Sweep(ctx)
		}
	}
}

// Sweep does what is due now, once. What fails is logged, and due again at the next.
func (s *Service) Sweep(ctx context.Context) {
	for _, step := range []struct {
		name string
		do   func(ctx context.Context, down unreachable) error
	}{
		{"expire orders", s.expireDue},
		{"close payments", s.closeDue},
		{"refund", s.repayDue},
		{"complete orders", s.completeDue},
		{"return allotments", s.returnDue},
	} {
		if err := step.do(ctx, unreachable{}); err != nil && ctx.Err() == nil {
			s.Count("sweep_failed")
			s.Log.ErrorContext(ctx, "could not do what is due: it is tried again", "step", step.name, "error", err)
		}
	}
}

// unreachable are providers that did not answer during a step: they are not asked again within it, so that one that is
// down holds nobody up.
type unreachable map[string]bool

func (s *Service) expireDue(ctx context.Context, down unreachable) error {
	at := s.at()
	due, err := s.Store.DueOrders(ctx, at, batch)
	if err != nil {
		return err
	}
	return all(due, func(id string) error { return s.expire(ctx, id, at, down) })
}

// all does something with each; one that fails keeps no other from its turn.
func all[T any](things []T, do func(T) error) error {
	var failed []error
	for _, t := range things {
		if err := do(t); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// expire lets one order expire. Its payment is closed first, so that a payment can hardly come in afterwards; an order
// that turns out to be paid is paid. When the provider does not answer the order waits for a while, then expires all the
// same: should money come in, it is a late payment.
func (s *Service) expire(ctx context.Context, id string, at time.Time, down unreachable) error {
	o, err := s.Store.Order(ctx, Scope{}, id)
	if err != nil {
		return err
	}
	closed := s.closeAll(ctx, &o, down)
	if len(closed) < o.open() && at.Before(o.ExpiresAt.Add(s.cfg.CloseGrace)) {
		return nil
	}
	_, err = s.change(ctx, Scope{}, id, func(ctx context.Context, o *Order, l Ledger) error {
		o.wereClosed(closed)
		return o.ExpireAt(ctx, l, at)
	})
	return err
}

// closeAll closes the payments under way of an order at their providers and returns those of whom nothing more can come.
// What was paid meanwhile is taken note of.
func (s *Service) closeAll(ctx context.Context, o *Order, down unreachable) map[string]bool {
	closed := map[string]bool{}
	for _, a := range o.Attempts {
		if a.Closed || down[a.Provider] {
			continue
		}
		err := s.closeAt(ctx, o, a.Provider)
		if err != nil && errs.KindOf(err) != errs.NotFound { // not found: it never heard of the payment
			down[a.Provider] = true
			s.Log.WarnContext(ctx, "could not close a payment: it is tried again", "order", o.ID, "provider", a.Provider, "error", err)
			continue
		}
		closed[a.Provider] = true
	}
	return closed
}

// closeAt closes the payment of an order at one provider, or takes note that it is paid.
func (s *Service) closeAt(ctx context.Context, o *Order, provider string) error {
	p, err := s.provider(provider)
	if err != nil {
		return errs.As(errs.Unavailable, "order.close", err, "the provider %s is not set up any more", provider)
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	err = p.Close(ctx, o.No)
	if errs.KindOf(err) != errs.Conflict || err == nil {
		return err
	}
	r, err := p.Query(ctx, o.No)
	if err != nil {
		return err
	}
	if r.State != payment.Paid {
		return errs.New(errs.Unavailable, "order.close", "the provider %s can neither close the payment nor says that it is paid", provider)
	}
	return s.Notified(ctx, provider, payment.Notification{Payment: &r})
}

// open is how many payments of the order may still come in.
func (o *Order) open() (n int) {
	for _, a := range o.Attempts {
		if !a.Closed {
			n++
		}
	}
	return n
}

func (o *Order) wereClosed(closed map[string]bool) {
	for i := range o.Attempts {
		if a := &o.Attempts[i]; closed[a.Provider] {
			a.Closed, a.CloseAt = true, time.Time{}
		}
	}
}

// closeDue closes payments of orders that ended without it.
func (s *Service) closeDue(ctx context.Context, down unreachable) error {
	at := s.at()
	due, err := s.Store.DueCloses(ctx, at, batch)
	if err != nil {
		return err
	}
	return all(due, func(id string) error {
		o, err := s.Store.Order(ctx, Scope{}, id)
		if err != nil {
			return err
		}
		closed := s.closeAll(ctx, &o, down)
		_, err = s.change(ctx, Scope{}, id, func(_ context.Context, o *Order, _ Ledger) error {
			o.wereClosed(closed)
			o.closeLater(at)
			return nil
		})
		return err
	})
}

// closeLater puts off closing what could not be closed.
func (o *Order) closeLater(at time.Time) {
	for i := range o.Attempts {
		a := &o.Attempts[i]
		if a.Closed || a.CloseAt.IsZero() || a.CloseAt.After(at) {
			continue
		}
		a.CloseAt = at.Add(backOff(a.Tries))
		if a.Tries++; a.Tries >= maxCloses {
			a.CloseAt = time.Time{}
		}
	}
}

// repayDue asks providers for the money that is to go back, or how far it is.
func (s *Service) repayDue(ctx context.Context, down unreachable) error {
	due, err := s.Store.DueRepayments(ctx, s.at(), batch)
	if err != nil {
		return err
	}
	return all(due, func(r Repayment) error { return s.repay(ctx, &r, down) })
}

func (s *Service) repay(ctx context.Context, r *Repayment, down unreachable) error {
	if down[r.Provider] {
		return nil
	}
	result, askErr := s.askRepayment(ctx, r)
	kind := errs.KindOf(askErr)
	if askErr != nil && (kind == errs.Unavailable || kind == errs.Internal || kind == errs.Exhausted) {
		down[r.Provider] = true
	}
	at := s.at()
	_, err := s.change(ctx, Scope{}, r.OrderID, func(ctx context.Context, o *Order, l Ledger) error {
		next := at.Add(backOff(r.Tries))
		o.triedRepayment(r.No, next, askErr)
		switch {
		case askErr == nil:
			_, err := o.RefundReported(ctx, l, result, next, at)
			return err
		case kind == errs.Invalid || kind == errs.Conflict: // asking again would not help
			_, err := o.RefundReported(ctx, l, payment.RefundResult{RefundNo: r.No, State: payment.Failed}, next, at)
			return err
		}
		return nil
	})
	if askErr != nil {
		s.Log.WarnContext(ctx, "a refund did not go through", "order", r.OrderID, "refund", r.No, "provider", r.Provider, "error", askErr)
	}
	return err
}

// askRepayment asks for a repayment; one that the provider works on already is only asked after.
func (s *Service) askRepayment(ctx context.Context, r *Repayment) (payment.RefundResult, error) {
	p, err := s.provider(r.Provider)
	if err != nil {
		return payment.RefundResult{}, errs.As(errs.Unavailable, "order.repay", err, "the provider %s is not set up any more", r.Provider)
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if r.State == RepaymentPending {
		result, err := p.QueryRefund(ctx, r.No)
		if errs.KindOf(err) != errs.NotFound || err == nil {
			result.RefundNo = r.No
			return result, err
		}
	}
	result, err := p.Refund(ctx, payment.RefundRequest{
		OrderNo: r.OrderNo, TransactionID: r.TransactionID, RefundNo: r.No, Reason: r.Reason, Amount: r.Money, Total: r.Paid,
		NotifyURL: s.cfg.notifyURL(r.Provider, ""),
	})
	result.RefundNo = r.No
	return result, err
}

func (o *Order) triedRepayment(no string, next time.Time, err error) {
	for i := range o.Repayments {
		if p := &o.Repayments[i]; p.No == no && !p.AskAt.IsZero() {
			p.Tries++
			p.AskAt, p.Error = next, errs.MessageOf(err)
		}
	}
}

// backOff is how long to wait after so many tries: 5 s, doubling up to an hour.
func backOff(tries int) time.Duration {
	return min(5*time.Second<<min(max(tries, 0), 10), time.Hour)
}

func (s *Service) completeDue(ctx context.Context, _ unreachable) error {
	at := s.at()
	due, err := s.Store.ShippedOrders(ctx, at.Add(-s.cfg.AutoComplete), batch)
	if err != nil {
		return err
	}
	return all(due, func(id string) error {
		_, err := s.change(ctx, Scope{}, id, func(ctx context.Context, o *Order, l Ledger) error {
			return o.CompleteBy(ctx, l, Who{Actor: Clock}, at)
		})
		if errs.KindOf(err) == errs.Conflict { // refunded meanwhile
			return nil
		}
		return err
	})
}

func (s *Service) returnDue(ctx context.Context, _ unreachable) error {
	ended, err := s.Store.EndedAllotments(ctx)
	if err != nil {
		return err
	}
	return all(ended, func(show string) error { return s.ShowEnded(ctx, show) })
}
