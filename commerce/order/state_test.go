package order

import (
	"slices"
	"testing"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// The table says once more, the other way round, what may happen: for each state what may come next, and on whose word.
func TestTransitions(t *testing.T) {
	actors := []Actor{Buyer, Merchant, Provider, Clock}
	want := map[State]map[Event]struct {
		to State
		by []Actor
	}{
		Pending:   {Pay: {Paid, []Actor{Provider}}, Cancel: {Cancelled, []Actor{Buyer, Merchant}}, Expire: {Expired, []Actor{Clock}}},
		Paid:      {Ship: {Shipped, []Actor{Merchant}}, Refund: {Refunding, []Actor{Merchant}}},
		Shipped:   {Complete: {Completed, []Actor{Buyer, Clock}}, Refund: {Refunding, []Actor{Merchant}}},
		Completed: {Refund: {Refunding, []Actor{Merchant}}},
		Cancelled: {RefuseLate: {Refunding, []Actor{Provider}}},
		Expired:   {PayLate: {Paid, []Actor{Provider}}, RefuseLate: {Refunding, []Actor{Provider}}},
		Refunding: {RefundDone: {Refunded, []Actor{Provider}}},
		Refunded:  {},
	}
	for _, from := range States {
		for _, e := range Events {
			for _, by := range actors {
				w, ok := want[from][e]
				ok = ok && slices.Contains(w.by, by)
				to, _, err := Next(from, e, by)
				if ok && (err != nil || to != w.to) {
					t.Errorf("%s, %s by %s: got %q, %v, want %s", from, e, by, to, err, w.to)
				}
				if !ok && (errs.KindOf(err) != errs.Conflict || errs.MessageOf(err) == "") {
					t.Errorf("%s, %s by %s: got %q, %v, want a refusal in words", from, e, by, to, err)
				}
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	at := mustTime(t, "2026-03-04T23:30:00-05:00")
	id, no := NewID(at)
	if len(no) != 24 || no[:8] != "20260305" {
		t.Errorf("%q", no)
	}
	for _, r := range no { // what WeChat Pay takes in an out_trade_no
		if (r < '0' || r > '9') && (r < 'a' || r > 'z') {
			t.Errorf("%q has %q", no, r)
		}
	}
	if got, ok := IDOf(no); !ok || got != id {
		t.Errorf("got %q, want %q", got, id)
	}
	for _, bad := range []string{"", "20260305", "x", no + "0", no[:23], "20260305ABCDEFGHIJKLMNOP"} {
		if got, ok := IDOf(bad); ok {
			t.Errorf("%q is the number of %q", bad, got)
		}
	}
}
