package live

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/internal/errs"
)

func TestAdmission(t *testing.T) {
	type come struct {
		room, store, from string
		limit             string // that refuses
		leaves            bool   // instead of coming
	}
	for _, c := range []struct {
		name string
		cfg  Config
		do   []come
	}{
		{"no limits", Config{}, []come{{room: "a", from: "192.0.2.1"}, {room: "b", from: "192.0.2.1"}, {room: "c", from: "192.0.2.1"}}},
		{"overall", Config{MaxPublishers: 2}, []come{
			{room: "a"},
			{room: "b"},
			{room: "c", limit: refusedOverall},
			{room: "a"}, // takes over
			{room: "a", leaves: true},
			{room: "c", limit: refusedOverall}, // the newer one is still there
			{room: "a", leaves: true},
			{room: "c"},
		}},
		{"per store", Config{MaxPublishersPerStore: 1}, []come{
			{room: "a", store: "x"},
			{room: "b", store: "x", limit: refusedStore},
			{room: "c", store: "y"},
			{room: "d"},
			{room: "e"}, // rooms without a store are nobody's
			{room: "a", leaves: true},
			{room: "b", store: "x"},
		}},
		{"a room that changes its store", Config{MaxPublishersPerStore: 1}, []come{
			{room: "a", store: "x"},
			{room: "a", store: "y"},
			{room: "b", store: "x"},
			{room: "c", store: "y", limit: refusedStore},
		}},
		{"per address", Config{MaxPublishersPerAddress: 1}, []come{
			{room: "a", from: "2001:db8::1"},
			{room: "b", from: "2001:db8::2:1", limit: refusedAddress},
			{room: "b", from: "2001:db8:0:1::1"},
			{room: "c", from: "::ffff:192.0.2.1"},
			{room: "d", from: "192.0.2.1", limit: refusedAddress},
			{room: "a", from: "192.0.2.1"}, // the anchor changed networks in the middle of the show
			{room: "e", from: "2001:db8::3"},
			{room: "f"},
			{room: "g"}, // pulled: from no address
		}},
	} {
		a := newAdmission(c.cfg)
		for i, d := range c.do {
			if d.leaves {
				a.leave(d.room)
				continue
			}
			var from netip.Addr
			if d.from != "" {
				from = netip.MustParseAddr(d.from)
			}
			limit, err := a.enter(Room{ID: d.room, StoreID: d.store}, from)
			if limit != d.limit || (err != nil) != (d.limit != "") {
				t.Errorf("%s, step %d: %q %v", c.name, i, limit, err)
			}
			if err != nil && (errs.KindOf(err) != errs.Exhausted || !strings.Contains(errs.MessageOf(err), "raised")) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

// Whatever comes and goes, the counts are those of the seats, and nothing is left when all are gone.
func TestAdmissionCountsRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := newAdmission(Config{MaxPublishers: 4, MaxPublishersPerStore: 2, MaxPublishersPerAddress: 2})
		inside := []string{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(inside) > 0 && rapid.Bool().Draw(t, "leaves") {
				i := rapid.IntRange(0, len(inside)-1).Draw(t, "who")
				a.leave(inside[i])
				inside = append(inside[:i], inside[i+1:]...)
				continue
			}
			room := Room{ID: fmt.Sprint(rapid.IntRange(1, 6).Draw(t, "room")), StoreID: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "store")}
			from := netip.AddrFrom4([4]byte{192, 0, 2, byte(rapid.IntRange(1, 3).Draw(t, "address"))})
			if _, err := a.enter(room, from); err == nil {
				inside = append(inside, room.ID)
			}
			if len(a.seats) > 4 {
				t.Fatalf("%d seats", len(a.seats))
			}
		}
		for _, room := range inside {
			a.leave(room)
		}
		if len(a.seats)+len(a.byStore)+len(a.byAddress) != 0 {
			t.Fatalf("left over: %+v", a)
		}
	})
}

func TestLimitsAreChecked(t *testing.T) {
	for _, c := range []Config{{MaxPublishers: -1}, {MaxPublishersPerStore: -1}, {MaxPublishersPerAddress: -1}} {
		if err := c.Validate(); errs.KindOf(err) != errs.Invalid || errs.FieldOf(err) == "" {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
