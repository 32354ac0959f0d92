package order

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// The limits of what is written about an order, in characters.
const (
	maxNote    = 500
	maxReason  = 80 // what providers show a buyer
	maxCarrier = 60
)

// Cancel cancels an unpaid order of a scope. Its payment is closed first; one that turns out to be paid is paid, and
// Conflict says so.
func (s *Service) Cancel(ctx context.Context, sc Scope, who Who, id, reason string) (Order, error) {
	const op = "order.Cancel"
	if err := checkWords(op, "reason", reason, maxNote); err != nil {
		return Order{}, err
	}
	o, err := s.Store.Order(ctx, sc, id)
	if err != nil {
		return Order{}, errs.Wrap(op, err)
	}
	closed := map[string]bool{}
	if o.State == Pending {
		closed = s.closeAll(ctx, &o, unreachable{})
	}
	o, err = s.change(ctx, sc, id, func(ctx context.Context, o *Order, l Ledger) error {
		o.wereClosed(closed)
		return o.CancelBy(ctx, l, who, reason, s.at())
	})
	return o, errs.Wrap(op, err)
}

// Confirm notes that the buyer has the parcel.
func (s *Service) Confirm(ctx context.Context, v account.Viewer, id string) (Order, error) {
	o, err := s.change(ctx, Scope{ViewerID: v.ID}, id, func(ctx context.Context, o *Order, l Ledger) error {
		return o.CompleteBy(ctx, l, Who{Actor: Buyer}, s.at())
	})
	return o, errs.Wrap("order.Confirm", err)
}

// Ship notes how the parcel of a store's order travels; a second call corrects it.
func (s *Service) Ship(ctx context.Context, storeID string, who Who, id string, sh Shipping) (Order, error) {
	const op = "order.Ship"
	sh = Shipping{strings.TrimSpace(sh.Carrier), strings.TrimSpace(sh.Number), strings.TrimSpace(sh.Note)}
	if sh.Carrier == "" {
		return Order{}, errs.Field(op, "carrier", "name the carrier")
	}
	for _, f := range []struct {
		field, text string
		most        int
	}{{"carrier", sh.Carrier, maxCarrier}, {"number", sh.Number, maxCarrier}, {"note", sh.Note, maxNote}} {
		if err := checkWords(op, f.field, f.text, f.most); err != nil {
			return Order{}, err
		}
	}
	o, err := s.change(ctx, Scope{StoreID: storeID}, id, func(ctx context.Context, o *Order, l Ledger) error {
		return o.ShipAs(ctx, l, who, sh, s.at())
	})
	return o, errs.Wrap(op, err)
}

// Refund gives money of a store's order back. It is on its way when Refund returns; the order's history tells of its end.
func (s *Service) Refund(ctx context.Context, storeID string, who Who, id string, ask RefundAsk) (Order, error) {
	const op = "order.Refund"
	if err := checkWords(op, "reason", ask.Reason, maxReason); err != nil {
		return Order{}, err
	}
	o, err := s.change(ctx, Scope{StoreID: storeID}, id, func(ctx context.Context, o *Order, l Ledger) error {
		return o.GiveBack(ctx, l, who, ask, s.at())
	})
	return o, errs.Wrap(op, err)
}

// RetryRefund asks again for a repayment that failed.
func (s *Service) RetryRefund(ctx context.Context, storeID string, who Who, id, no string) (Order, error) {
	o, err := s.change(ctx, Scope{StoreID: storeID}, id, func(_ context.Context, o *Order, _ Ledger) error {
		return o.Retry(who, no, s.at())
	})
	return o, errs.Wrap("order.RetryRefund", err)
}

// maxHistory is how many lines of history staff may make an order have.
const maxHistory = 500

// Note adds a line to the history of a store's order; unless it is for the staff alone, the buyer reads it too.
func (s *Service) Note(ctx context.Context, storeID string, who Who, id, text string, staffOnly bool) (Order, error) {
	const op = "order.Note"
	text = strings.TrimSpace(text)
	if text == "" {
		return Order{}, errs.Field(op, "text", "the note is empty")
	}
	if err := checkWords(op, "text", text, maxNote); err != nil {
		return Order{}, err
	}
	o, err := s.change(ctx, Scope{StoreID: storeID}, id, func(_ context.Context, o *Order, _ Ledger) error {
		if len(o.History) >= maxHistory {
			return errs.New(errs.Exhausted, op, "the order has too long a history for another note")
		}
		o.tell(s.at(), who, WasNoted, func(e *Entry) { e.Text, e.Staff = text, staffOnly })
		return nil
	})
	return o, errs.Wrap(op, err)
}

func checkWords(op, field, text string, most int) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return errs.Field(op, field, "must be plain text")
	}
	if utf8.RuneCountInString(text) > most {
		return errs.Field(op, field, "must be at most %d characters", most)
	}
	return nil
}
