package order

import (
	"testing"
	"time"
)

func TestGoneIsForgottenSoon(t *testing.T) {
	var g gone
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	one, two := want{"sku_1", "show_1", 1}, want{"sku_1", "show_1", 2}
	if g.is(one, now) {
		t.Error("gone before anybody said so")
	}
	g.note(two, now)
	if g.is(one, now) {
		t.Error("one piece is gone because two are")
	}
	if !g.is(two, now.Add(goneFor-1)) || g.is(two, now.Add(goneFor)) {
		t.Error("it does not hold for its time")
	}
	g.note(one, now)
	g.forget()
	if g.is(one, now) {
		t.Error("still gone after pieces came back")
	}
	for i := range maxGone + 10 {
		g.note(want{"sku", "", int64(i)}, now)
	}
	if len(g.until) > maxGone {
		t.Errorf("%d are remembered", len(g.until))
	}
}
