package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/funnel"
	"github.com/vitrine-live/vitrine/live"
)

// day0 is when the reports' world begins.
var day0 = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// aLine is a line of an order as reports see it.
type aLine struct {
	product       string
	units         int64
	amount, off   int64
	show, pin     string
	ms            int64
	via           commerce.Source
	code, channel string
}

type anOrder struct {
	id, store, viewer, currency string
	at                          time.Time
	paid                        bool
	shipping, refunded          int64
	lines                       []aLine
	external                    bool
}

func (o *anOrder) goods() (sum int64) {
	for _, l := range o.lines {
		sum += l.amount - l.off
	}
	return sum
}

func (o *anOrder) total() int64 { return o.goods() + o.shipping }

func (o *anOrder) insert(ctx context.Context, tx *sql.Tx) error {
	if o.external {
		return o.insertExternal(ctx, tx)
	}
	paid := sql.NullInt64{Int64: o.at.UnixMilli(), Valid: o.paid}
	_, err := tx.ExecContext(ctx, `INSERT INTO orders (id, no, store_id, viewer_id, state, currency, subtotal, off, shipping_fee, total, refunded,
		recipient, phone, expires_at, created_at, updated_at, paid_at, snapshot) VALUES ($1, $1, $2, $3, 'x', $4, 0, 0, 0, $5, $6, '', '', 0, $7, 0, $8, '{}')`,
		o.id, o.store, o.viewer, o.currency, o.total(), o.refunded, o.at.UnixMilli(), paid)
	for i, l := range o.lines {
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO order_lines (order_id, n, sku_id, product_id, pool_id, quantity, unit, amount, off, source, ref, hold,
			show_id, pin_id, show_time_ms, via, share_code, channel) VALUES ($1, $2, '', $3, '', $4, 0, $5, $6, '', '', 'sold', $7, $8, $9, $10, $11, $12)`,
			o.id, i+1, l.product, l.units, l.amount, l.off, l.show, l.pin, l.ms, string(l.via), l.code, l.channel)
	}
	return err
}

func (o *anOrder) insertExternal(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO external_orders (id, store_id, no, state, currency, total, refunded, paid_at, hash, created_at, updated_at)
		VALUES ($1, $2, $1, 'paid', $3, $4, $5, $6, '', 0, 0)`, o.id, o.store, o.currency, o.total(), o.refunded, o.at.UnixMilli())
	for i, l := range o.lines {
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO external_order_lines (order_id, n, product_id, code, title, quantity, amount, click_id, verified,
			show_id, pin_id, show_time_ms, via, share_code, channel) VALUES ($1, $2, $3, '', '', $4, $5, '', 1, $6, $7, $8, $9, $10, $11)`,
			o.id, i+1, l.product, l.units, l.amount-l.off, l.show, l.pin, l.ms, string(l.via), l.code, l.channel)
	}
	return err
}

// addAll stores a world of orders and events.
func addAll(t testing.TB, db *DB, orders []anOrder, events []funnel.Entry) {
	t.Helper()
	err := db.update(t.Context(), "test", func(ctx context.Context, tx *sql.Tx) error {
		for i := range orders {
			if err := orders[i].insert(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = db.AddFunnelEvents(t.Context(), events)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// reportShows makes shows of the default store, and one of another.
func reportShows(t testing.TB, db *DB) {
	t.Helper()
	for n, id := range []string{"show_a", "show_b"} {
		room := live.Room{ID: "room_" + id, Title: "Room", KeyHash: id, StoreID: account.DefaultStore, CreatedAt: day0}
		show := live.Show{ID: id, RoomID: room.ID, StoreID: account.DefaultStore, Title: "Show " + strconv.Itoa(n), State: live.Live, CreatedAt: day0}
		if err := db.CreateRoom(t.Context(), room); err != nil {
			t.Fatal(err)
		}
		if err := db.CreateShow(t.Context(), show); err != nil {
			t.Fatal(err)
		}
	}
}

func click(n int, viewer, product, show string, ms int64, at time.Time) funnel.Entry {
	return funnel.Entry{
		Key: fmt.Sprintf("k%06d", n), Kind: funnel.Click, StoreID: account.DefaultStore, ViewerID: viewer, ProductID: product, At: at,
		Attribution: commerce.Attribution{ShowID: show, PinID: "pin_1", ShowTimeMS: ms, Source: commerce.SourceReplay, ShareCode: "c2", Channel: "b"},
	}
}

func bothEngines(t *testing.T, test func(t *testing.T, db *DB)) {
	t.Run("sqlite", func(t *testing.T) { test(t, openTest(t, filepath.Join(t.TempDir(), "vitrine.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, openPostgres(t)) })
}

const dayWindow = 24 * time.Hour

func TestShowReport(t *testing.T) {
	bothEngines(t, func(t *testing.T, db *DB) {
		reportShows(t, db)
		order := func(id, viewer string, at time.Duration, lines ...aLine) anOrder {
			return anOrder{id: id, store: account.DefaultStore, viewer: viewer, currency: "CNY", at: day0.Add(at), paid: true, lines: lines}
		}
		direct := aLine{product: "lamp", units: 2, amount: 1000, off: 100, show: "show_a", pin: "pin_1", ms: 61_000, via: commerce.SourceLive, code: "c1", channel: "a"}
		bag := aLine{product: "tea", units: 1, amount: 300, show: "show_a", ms: 125_000, via: commerce.SourceLive}
		later := aLine{product: "tea", units: 3, amount: 900}
		addAll(t, db, []anOrder{
			order("o1", "ann", time.Hour, direct, bag),                                                                // bag: ann had not clicked it
			order("o2", "bob", time.Hour, bag),                                                                        // bob had
			order("o3", "bob", 24*time.Hour, later),                                                                   // within the window of the click
			order("o4", "bob", 24*time.Hour+time.Millisecond, later),                                                  // beyond it
			order("o5", "cat", 3*time.Hour, later, direct),                                                            // cat's last click was in show_b
			{id: "o6", store: account.DefaultStore, viewer: "ann", currency: "CNY", at: day0, lines: []aLine{direct}}, // not paid
			{id: "o7", store: "store_2", viewer: "ann", currency: "CNY", at: day0, paid: true, lines: []aLine{direct}},
			{id: "o8", store: account.DefaultStore, currency: "USD", at: day0, external: true, refunded: 40, shipping: 20, lines: []aLine{direct}},
		}, []funnel.Entry{
			{Key: "k1", Kind: funnel.Exposure, StoreID: account.DefaultStore, ViewerID: "ann", ProductID: "lamp", At: day0, Attribution: commerce.Attribution{ShowID: "show_a", Source: "live", ShowTimeMS: 61_000}},
			{Key: "k2", Kind: funnel.Exposure, StoreID: account.DefaultStore, ViewerID: "ann", ProductID: "lamp", At: day0, Attribution: commerce.Attribution{ShowID: "show_a", Source: "live", ShowTimeMS: 61_000}},
			{Key: "k2", Kind: funnel.Add, StoreID: account.DefaultStore, ViewerID: "twice", ProductID: "lamp", At: day0},
			click(3, "bob", "tea", "show_a", 185_000, day0),
			click(4, "cat", "tea", "show_a", 1, day0),
			click(5, "cat", "tea", "show_b", 1, day0.Add(time.Hour)),
		})
		r, err := db.ShowReport(t.Context(), funnel.ReportQuery{ShowID: "show_a", StoreID: account.DefaultStore, Window: dayWindow, Dimensions: funnel.Dimensions})
		if err != nil {
			t.Fatal(err)
		}
		want := funnel.Row{
			Looks: funnel.Looks{Viewers: 1, Exposures: 2, Clickers: 2, Clicks: 2},
			Sales: []funnel.Sales{
				{
					Currency: "CNY", Placed: 5, Sum: funnel.Sum{Orders: 4, Units: 9, GMV: 3300},
					Direct: funnel.Sum{Orders: 2, Units: 4, GMV: 1800}, Assisted: funnel.Sum{Orders: 2, Units: 4, GMV: 1200}, Other: funnel.Sum{Orders: 1, Units: 1, GMV: 300},
				},
				{Currency: "USD", Placed: 1, Sum: funnel.Sum{Orders: 1, Units: 2, GMV: 900, Refunded: 39}, Direct: funnel.Sum{Orders: 1, Units: 2, GMV: 900, Refunded: 39}},
			},
		}
		if diff := gocmp.Diff(want, r.Totals); diff != "" {
			t.Errorf("totals (-want +got):\n%s", diff)
		}
		for d, want := range map[funnel.Dimension][]string{
			funnel.ByProduct: {"lamp", "tea"}, funnel.ByMinute: {"0", "1", "2", "3"}, funnel.BySource: {"live", "replay"}, funnel.ByChannel: {"", "a", "b"}, funnel.ByShareCode: {"", "c1", "c2"},
		} {
			var got []string
			for _, row := range r.Rows[d] {
				got = append(got, row.Key)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", d, got, want)
			}
		}
		s, err := db.StoreReport(t.Context(), funnel.StoreQuery{StoreID: account.DefaultStore, From: day0, To: day0.Add(30 * time.Hour), Window: dayWindow})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Shows) != 3 || s.Shows[0].Key != "" || s.Shows[1].Title != "Show 0" {
			t.Fatalf("%+v", s.Shows)
		}
		if got := s.Shows[1]; gocmp.Diff(want.Sales, got.Sales) != "" {
			t.Errorf("of show_a in the store's report:\n%s", gocmp.Diff(want.Sales, got.Sales))
		}
		if none := s.Shows[0].Sales[0].Sum; none != (funnel.Sum{Orders: 1, Units: 3, GMV: 900}) {
			t.Errorf("without a show: %+v", none)
		}
		for name, of := range map[string]struct{ got, want funnel.Looks }{ // cat clicked in both shows: one clicker of the store
			"the store": {s.Totals.Looks, funnel.Looks{Viewers: 1, Exposures: 2, Clickers: 2, Clicks: 3}},
			"no show":   {s.Shows[0].Looks, funnel.Looks{}},
			"show_a":    {s.Shows[1].Looks, funnel.Looks{Viewers: 1, Exposures: 2, Clickers: 2, Clicks: 2}},
			"show_b":    {s.Shows[2].Looks, funnel.Looks{Clickers: 1, Clicks: 1}},
		} {
			if of.got != of.want {
				t.Errorf("looks of %s: %+v, want %+v", name, of.got, of.want)
			}
		}
		if b := s.Shows[2].Sales[0]; b.Assisted != (funnel.Sum{Orders: 1, Units: 3, GMV: 900}) || b.Sum != b.Assisted {
			t.Errorf("of show_b: %+v", b)
		}
	})
}

func TestAudience(t *testing.T) {
	bothEngines(t, func(t *testing.T, db *DB) {
		for _, viewers := range []int64{10, 30, 20} {
			if err := db.AddViewerCounts(t.Context(), []funnel.Sample{{ShowID: "show_a", ShowTimeMS: 119_999, Viewers: viewers}, {ShowID: "show_b", Viewers: 1}}); err != nil {
				t.Fatal(err)
			}
		}
		r, err := db.ShowReport(t.Context(), funnel.ReportQuery{ShowID: "show_a", StoreID: account.DefaultStore})
		if want := []funnel.Audience{{Minute: 1, Average: 20, Peak: 30}}; err != nil || !slices.Equal(r.Audience, want) {
			t.Errorf("%+v, %v", r.Audience, err)
		}
	})
}

// The money of reports is the money of the orders: whatever was ordered, clicked and refunded, the rows of each dimension add up
// to the totals, and the shows of a store together with what no show brought to its orders.
func TestReportsAddUpToTheOrders(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		db, world := openTest(t, filepath.Join(t.TempDir(), "vitrine.db")), 0
		reportShows(t, db)
		rapid.Check(t, func(rt *rapid.T) {
			world++
			orders, events := drawWorld(rt, world)
			checkWorld(rt, db, orders, events)
		})
	})
	t.Run("postgres", func(t *testing.T) { // the same statements, some worlds: what differs is how the engines calculate
		db := openPostgres(t)
		reportShows(t, db)
		type world struct {
			orders []anOrder
			events []funnel.Entry
		}
		some := rapid.Custom(func(rt *rapid.T) world {
			orders, events := drawWorld(rt, 1)
			return world{orders, events}
		})
		for seed := range 20 {
			w := some.Example(seed)
			checkWorld(t, db, w.orders, w.events)
		}
	})
}

func checkWorld(t rapid.TB, db *DB, orders []anOrder, events []funnel.Entry) {
	ctx := context.Background()
	if err := db.update(ctx, "test", func(ctx context.Context, tx *sql.Tx) error {
		for _, table := range []string{"funnel_events", "order_lines", "orders", "external_order_lines", "external_orders"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table); err != nil {
				return err
			}
		}
		for i := range orders {
			if err := orders[i].insert(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.AddFunnelEvents(ctx, events); err != nil {
		t.Fatal(err)
	}
	store, err := db.StoreReport(ctx, funnel.StoreQuery{StoreID: account.DefaultStore, From: day0.Add(-100 * time.Hour), To: day0.Add(1000 * time.Hour), Window: dayWindow})
	if err != nil {
		t.Fatal(err)
	}
	want := expected(orders)
	same(t, "the store's totals", want, []funnel.Row{store.Totals})
	same(t, "the store's shows", want, store.Shows)
	for _, show := range []string{"show_a", "show_b"} {
		r, err := db.ShowReport(ctx, funnel.ReportQuery{ShowID: show, StoreID: account.DefaultStore, Window: dayWindow, Dimensions: funnel.Dimensions})
		if err != nil {
			t.Fatal(err)
		}
		var ofStore []funnel.Row
		for _, row := range store.Shows {
			if row.Key == show {
				ofStore = append(ofStore, row)
			}
		}
		total := addRows([]funnel.Row{r.Totals})
		same(t, show+" in the store's report", total, ofStore)
		for d, rows := range r.Rows {
			same(t, show+" by "+string(d), total, rows)
		}
	}
}

// money is what must add up: the classes too.
type money struct{ all, direct, assisted, other funnel.Sum }

func addRows(rows []funnel.Row) map[string]money {
	out := map[string]money{}
	for _, r := range rows {
		for _, s := range r.Sales {
			m := out[s.Currency]
			for _, p := range []struct {
				to *funnel.Sum
				of funnel.Sum
			}{{&m.all, s.Sum}, {&m.direct, s.Direct}, {&m.assisted, s.Assisted}, {&m.other, s.Other}} {
				p.to.Units, p.to.GMV, p.to.Refunded = p.to.Units+p.of.Units, p.to.GMV+p.of.GMV, p.to.Refunded+p.of.Refunded
			}
			out[s.Currency] = m
		}
	}
	for c, m := range out {
		if m == (money{}) {
			delete(out, c)
		}
	}
	return out
}

func same(t rapid.TB, what string, want map[string]money, rows []funnel.Row) {
	got := addRows(rows)
	for c, m := range got {
		parts := funnel.Sum{Units: m.direct.Units + m.assisted.Units + m.other.Units, GMV: m.direct.GMV + m.assisted.GMV + m.other.GMV, Refunded: m.direct.Refunded + m.assisted.Refunded + m.other.Refunded}
		if parts != m.all {
			t.Fatalf("%s: the parts are %+v of %+v", what, parts, m.all)
		}
		if w := want[c]; w.all != m.all || w.direct != (funnel.Sum{}) && w != m {
			t.Fatalf("%s: %s is %+v, want %+v", what, c, m, w)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// expected adds up the orders themselves.
func expected(orders []anOrder) map[string]money {
	out := map[string]money{}
	for i := range orders {
		o := &orders[i]
		if !o.paid || o.store != account.DefaultStore {
			continue
		}
		m := out[o.currency]
		for _, l := range o.lines {
			m.all.Units += l.units
		}
		m.all.GMV += o.goods()
		switch {
		case o.refunded == 0:
		case o.refunded == o.total():
			m.all.Refunded += o.goods()
		case o.total() < 3_000_000_000:
			m.all.Refunded += o.refunded * o.goods() / o.total()
		default:
			m.all.Refunded += min(o.refunded, o.goods())
		}
		out[o.currency] = m
	}
	for c, m := range out {
		if m == (money{}) {
			delete(out, c)
		}
	}
	return out
}

func drawWorld(t *rapid.T, world int) (orders []anOrder, events []funnel.Entry) {
	pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	at := func() time.Time { return day0.Add(time.Duration(rapid.IntRange(-50, 50).Draw(t, "hours")) * time.Hour) }
	for i := range rapid.IntRange(0, 12).Draw(t, "orders") {
		o := anOrder{
			id: fmt.Sprintf("o%d_%d", world, i), store: pick("store", account.DefaultStore, account.DefaultStore, "store_2"), viewer: pick("viewer", "ann", "bob"),
			currency: pick("currency", "CNY", "USD"), at: at(), paid: rapid.Bool().Draw(t, "paid"), shipping: int64(rapid.IntRange(0, 500).Draw(t, "shipping")),
		}
		if o.store == account.DefaultStore && rapid.IntRange(0, 3).Draw(t, "external") == 0 {
			o.external, o.paid = true, true
		}
		for range rapid.IntRange(1, 4).Draw(t, "lines") {
			l := aLine{
				product: pick("product", "lamp", "tea"), units: int64(rapid.IntRange(1, 5).Draw(t, "units")),
				amount: rapid.OneOf(rapid.Int64Range(0, 50_000), rapid.Int64Range(0, commerce.MaxAmount)).Draw(t, "amount"),
				show:   pick("show", "", "show_a", "show_b", "show_gone"), ms: rapid.Int64Range(0, 200_000).Draw(t, "ms"),
				via: commerce.Source(pick("via", "", "live", "replay")), code: pick("code", "", "c1"), channel: pick("channel", "", "a"),
			}
			l.off = rapid.Int64Range(0, l.amount).Draw(t, "off")
			if l.show != "" {
				l.pin = pick("pin", "", "pin_1")
			}
			o.lines = append(o.lines, l)
		}
		if total := o.total(); o.paid {
			o.refunded = rapid.OneOf(rapid.Just(int64(0)), rapid.Just(total), rapid.Int64Range(0, total)).Draw(t, "refunded")
		}
		orders = append(orders, o)
	}
	for i := range rapid.IntRange(0, 12).Draw(t, "clicks") {
		events = append(events, click(world*100+i, pick("clicker", "ann", "bob"), pick("clicked", "lamp", "tea"), pick("in", "show_a", "show_b"), rapid.Int64Range(0, 200_000).Draw(t, "at"), at()))
	}
	slices.SortFunc(events, func(a, b funnel.Entry) int { return cmp.Compare(a.Key, b.Key) })
	return orders, events
}

// BenchmarkShowReport adds up a show with many events: ten for each of its viewers, of whom one in twenty ordered.
func BenchmarkShowReport(b *testing.B) {
	benchReport(b, func(db *DB) error {
		_, err := db.ShowReport(b.Context(), funnel.ReportQuery{ShowID: "show_a", StoreID: account.DefaultStore, Window: dayWindow, Dimensions: funnel.Dimensions})
		return err
	})
}

// BenchmarkStoreReport adds up the store of that show.
func BenchmarkStoreReport(b *testing.B) {
	benchReport(b, func(db *DB) error {
		_, err := db.StoreReport(b.Context(), funnel.StoreQuery{StoreID: account.DefaultStore, From: day0, To: day0.Add(30 * time.Hour), Window: dayWindow})
		return err
	})
}

func benchReport(b *testing.B, report func(db *DB) error) {
	b.Helper()
	engines := map[string]func() *DB{
		"sqlite":   func() *DB { return openTest(b, filepath.Join(b.TempDir(), "vitrine.db")) },
		"postgres": func() *DB { return openPostgres(b) },
	}
	for _, engine := range slices.Sorted(maps.Keys(engines)) {
		for _, events := range []int{10_000, 100_000, 1_000_000} {
			b.Run(fmt.Sprintf("engine=%s/events=%d", engine, events), func(b *testing.B) {
				db := engines[engine]()
				reportShows(b, db)
				bigShow(b, db, events)
				b.ReportAllocs()
				for b.Loop() {
					if err := report(db); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func bigShow(b *testing.B, db *DB, n int) {
	b.Helper()
	kinds := []funnel.Kind{funnel.Exposure, funnel.Exposure, funnel.Exposure, funnel.Exposure, funnel.Exposure, funnel.Exposure, funnel.Click, funnel.Click, funnel.Click, funnel.Add}
	var events []funnel.Entry
	var orders []anOrder
	for i := range n {
		viewer := fmt.Sprintf("visitor:vis_%016d", i/10)
		e := click(i, viewer, fmt.Sprintf("prod_%016d", i%97), "show_a", int64(i%(4*3600))*1000, day0)
		e.Key, e.Kind = keyOfBench(i), kinds[i%10]
		events = append(events, e)
		if i%200 == 0 {
			l := aLine{product: e.ProductID, units: 1, amount: 1000, show: "show_a", pin: "pin_1", ms: e.ShowTimeMS, via: commerce.SourceLive}
			if i%400 == 0 {
				l.show, l.pin = "", ""
			}
			orders = append(orders, anOrder{id: fmt.Sprintf("ord_%016d", i), store: account.DefaultStore, viewer: viewer, currency: "CNY", at: day0.Add(time.Hour), paid: true, lines: []aLine{l}})
		}
	}
	for part := range slices.Chunk(events, 50_000) { // PostgreSQL gives a transaction a minute
		addAll(b, db, orders, part)
		orders = nil
	}
}

func keyOfBench(i int) string { return fmt.Sprintf("%022x", uint64(i)*0x9e3779b97f4a7c15) }
