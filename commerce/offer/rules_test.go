package offer

import (
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestWhoMayClaimWhen(t *testing.T) {
	live := &commerce.Show{ID: "show_1", State: "live"}
	interrupted := &commerce.Show{ID: "show_1", State: "interrupted"}
	ended := &commerce.Show{ID: "show_1", State: "ended", EndedAt: noon.Add(-time.Hour)}
	drop := &Drop{ShowTimeMS: 5000, Saying: Dropped}
	closed := &Drop{ShowTimeMS: 5000, Saying: Withdrawn}
	replay := Rules{Where: InReplay, ReplayFor: 2 * time.Hour}
	const ok errs.Kind = 255
	for _, c := range []struct {
		name  string
		rules Rules
		in    spot
		want  errs.Kind
	}{
		{"in the store", Rules{Where: Anywhere}, spot{}, ok},
		{"outside the show", Rules{Where: InLive}, spot{}, errs.Conflict},
		{"before the window", Rules{Where: Anywhere, From: noon.Add(1)}, spot{}, errs.Conflict},
		{"at its beginning", Rules{Where: Anywhere, From: noon}, spot{}, ok},
		{"at its end", Rules{Where: Anywhere, Until: noon}, spot{}, errs.Conflict},
		{"live", Rules{Where: InLive}, spot{show: live, drop: drop, clock: 5000}, ok},
		{"while the anchor is away", Rules{Where: InLive}, spot{show: interrupted, drop: drop, clock: 5000}, ok},
		{"of another show", Rules{Where: InLive}, spot{show: live, clock: 5000}, errs.NotFound},
		{"withdrawn", Rules{Where: InLive}, spot{show: live, drop: closed, clock: 5000}, errs.Conflict},
		{"before the show is there", Rules{Where: InLive}, spot{show: live, drop: drop, clock: 4999}, errs.Conflict},
		{"watching earlier pictures", Rules{Where: InLive}, spot{show: live, drop: drop, clock: 9000, position: new(int64(4000))}, errs.Conflict},
		{"saying to be ahead", Rules{Where: InLive}, spot{show: live, drop: drop, clock: 4000, position: new(int64(9000))}, errs.Conflict},
		{"live only", Rules{Where: InLive}, spot{show: ended, drop: drop, clock: 9000, position: new(int64(6000))}, errs.Conflict},
		{"in the replay", replay, spot{show: ended, drop: drop, clock: 9000, position: new(int64(5000))}, ok},
		{"not there in the replay", replay, spot{show: ended, drop: drop, clock: 9000, position: new(int64(4999))}, errs.Conflict},
		{"nowhere in the replay", replay, spot{show: ended, drop: drop, clock: 9000}, errs.Invalid},
		{"in an old replay", Rules{Where: InReplay, ReplayFor: time.Hour}, spot{show: ended, drop: drop, clock: 9000, position: new(int64(5000))}, errs.Conflict},
		{"anywhere, from a replay", Rules{Where: Anywhere}, spot{show: ended, drop: drop, clock: 9000, position: new(int64(5000))}, ok},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.rules.allow("test", noon, c.in)
			if got := errs.KindOf(err); (err == nil) != (c.want == ok) || err != nil && (got != c.want || errs.MessageOf(err) == "") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestValidity(t *testing.T) {
	for _, c := range []struct {
		terms Terms
		want  time.Time
	}{
		{Terms{ValidFor: time.Hour}, noon.Add(time.Hour)},
		{Terms{ValidUntil: noon.Add(time.Minute)}, noon.Add(time.Minute)},
		{Terms{ValidFor: time.Hour, ValidUntil: noon.Add(time.Minute)}, noon.Add(time.Minute)},
		{Terms{ValidFor: time.Minute, ValidUntil: noon.Add(time.Hour)}, noon.Add(time.Minute)},
	} {
		if got := c.terms.validity(noon); !got.Equal(c.want) {
			t.Errorf("%+v: %v, want %v", c.terms, got, c.want)
		}
	}
}

func TestCouponStates(t *testing.T) {
	for _, c := range []struct {
		from, to State
		ok       bool
	}{
		{Draft, Active, true},
		{Draft, Draft, true},
		{Active, Stopped, true},
		{Stopped, Active, true},
		{Draft, Stopped, false},
		{Active, Draft, false},
		{Stopped, Draft, false},
		{Active, Empty, false},
	} {
		coupon := Coupon{
			State: c.from, PerViewer: 1, Rules: Rules{Where: InLive}, Terms: Terms{Title: "T", Currency: "CNY", Amount: 1, Stacks: "none", ValidFor: time.Hour},
		}
		err := coupon.change("test", func(k *Coupon) { k.State = c.to }, noon)
		if (err == nil) != c.ok {
			t.Errorf("from %s to %s: %v", c.from, c.to, err)
		}
	}
}
