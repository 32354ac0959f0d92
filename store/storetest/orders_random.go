package storetest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// testOrdersAtRandom lets buyers, a merchant, a bank and the clock do whatever comes to their mind, in any order, with
// reports that come twice, late and for the wrong amount, a bank that does not answer, and servers that die after they
// wrote something and before they could say so. After each step the books must agree; when all has come to rest, everybody
// must have either what they paid for or their money.
func testOrdersAtRandom(t *testing.T, s Store) {
	const enough = 6 * time.Second // how far it comes by then is enough, on a slow machine too
	world, began := 0, time.Now()
	rapid.Check(t, func(r *rapid.T) {
		if time.Since(began) > enough {
			return
		}
		world++
		m := newMarket(r, s, world)
		for range rapid.IntRange(1, 4).Draw(r, "at first") {
			m.place(r)
		}
		r.Repeat(map[string]func(*rapid.T){
			"place":    m.place,
			"order":    m.place, // more often than the others
			"buy":      m.place,
			"transfer": m.pay,
			"begin":    m.begin,
			"pay":      m.pay,
			"report":   m.report,
			"sweep":    m.sweep,
			"clock":    m.moveClock,
			"expire":   m.expire,
			"cancel":   m.cancel,
			"ship":     m.ship,
			"confirm":  m.confirm,
			"refund":   m.refund,
			"bank":     m.turnBank,
			"trouble":  m.trouble,
			"allot":    m.allot,
			"show off": m.showEnds,
			"":         m.check,
		})
		m.comeToRest()
		m.check(r)
		m.checkRest()
	})
}

// market is a small shop with all who act on it. It is its own catalogue and its own broadcasts.
type market struct {
	r     *rapid.T
	store *shaky
	svc   *order.Service
	bank  *bank
	now   time.Time
	world string

	skus   []string
	pieces map[string]int64
	limits map[string]int64
	show   string
	viewer []string
	orders []string // ids
	states map[string]order.State
	// reports that were made and may be heard at any time, more than once
	reports []payment.Result
}

func newMarket(r *rapid.T, s Store, world int) *market {
	m := &market{
		r: r, store: &shaky{Store: s}, now: epoch0, world: fmt.Sprintf("w%d", world), pieces: map[string]int64{}, limits: map[string]int64{},
		states: map[string]order.State{},
	}
	m.show = "show_" + m.world
	for i := range 2 {
		sku := fmt.Sprintf("sku_%s_%d", m.world, i)
		m.skus = append(m.skus, sku)
		m.pieces[sku] = rapid.Int64Range(2, 12).Draw(r, "pieces")
		m.limits[sku] = rapid.SampledFrom([]int64{0, 3}).Draw(r, "limit")
		m.must(s.OpenPool(context.Background(), stock.Pool{ID: sku, SKU: sku, Kind: stock.Main, Level: stock.Level{Total: m.pieces[sku]}}))
	}
	for i := range 2 {
		m.viewer = append(m.viewer, fmt.Sprintf("visitor:%s_%d", m.world, i))
	}
	m.bank = &bank{payments: map[string]*dealings{}, refunds: map[string]payment.RefundResult{}, now: func() time.Time { return m.now }}
	m.svc = order.New(order.Config{AutoComplete: time.Hour}, order.Deps{
		Store: m.store, Goods: m, Shows: m, Providers: []payment.Provider{m.bank}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return m.now },
	})
	return m
}

func (m *market) must(err error) {
	if err != nil {
		m.r.Fatal(err)
	}
}

// may accepts the refusals that are part of the trade, and the trouble that the test itself makes.
func (m *market) may(err error) {
	switch errs.KindOf(err) {
	case errs.Conflict, errs.Invalid, errs.Unavailable, errs.NotFound:
	default:
		m.must(err)
	}
	m.store.calm()
}

// Sellable is the catalogue.
func (m *market) Sellable(_ context.Context, skus []string, _ string, _ time.Time) ([]commerce.Sellable, error) {
	all := make([]commerce.Sellable, len(skus))
	for i, sku := range skus {
		all[i] = commerce.Sellable{
			SKU: sku, ProductID: "prod_1", StoreID: account.DefaultStore, Title: "Lamp", Price: 100, Currency: "CNY", PerBuyer: m.limits[sku], Tracked: true,
		}
	}
	return all, nil
}

// Tell and ShopShow are the broadcasts.
func (m *market) Tell(context.Context, string, string, *int64, any) (int64, error) { return 0, nil }

func (m *market) ShopShow(_ context.Context, id string) (commerce.Show, error) {
	return commerce.Show{ID: id, StoreID: account.DefaultStore, State: "live"}, nil
}

func (m *market) any() (string, bool) {
	if len(m.orders) == 0 {
		return "", false
	}
	return rapid.SampledFrom(m.orders).Draw(m.r, "order"), true
}

func (m *market) order(id string) order.Order {
	o, err := m.store.Store.Order(context.Background(), order.Scope{}, id)
	m.must(err)
	return o
}

func (m *market) place(r *rapid.T) {
	in := order.Placing{
		Cart:    order.Cart{StoreID: account.DefaultStore, ShowID: rapid.SampledFrom([]string{"", m.show}).Draw(r, "show")},
		Buyer:   account.Viewer{ID: rapid.SampledFrom(m.viewer).Draw(r, "viewer")},
		Address: order.Address{Name: "A", Phone: "12345", Region: "B", Detail: "C"},
	}
	for _, sku := range m.skus {
		if n := rapid.Int64Range(0, 3).Draw(r, "quantity"); n > 0 {
			in.Lines = append(in.Lines, order.CartLine{SKU: sku, Quantity: n})
			in.Expects += 100 * n
		}
	}
	before := m.known()
	_, err := m.svc.Place(context.Background(), in)
	m.may(err)
	for id := range m.known() { // placed, whatever the server could still say
		if _, old := before[id]; !old {
			m.orders = append(m.orders, id)
			m.states[id] = order.Pending
		}
	}
}

// known are the ids of all orders of the world's viewers.
func (m *market) known() map[string]bool {
	ids := map[string]bool{}
	for _, v := range m.viewer {
		all, err := m.store.Store.Orders(context.Background(), order.Filter{Scope: order.Scope{ViewerID: v}, Limit: 1000})
		m.must(err)
		for _, o := range all {
			ids[o.ID] = true
		}
	}
	return ids
}

func (m *market) begin(*rapid.T) {
	if id, ok := m.any(); ok {
		o := m.order(id)
		_, err := m.svc.Pay(context.Background(), account.Viewer{ID: o.ViewerID}, id, order.PayAsk{})
		m.may(err)
	}
}

// pay lets money reach the bank, whenever: also late and again, and of a wrong amount.
func (m *market) pay(r *rapid.T) {
	id, ok := m.any()
	if !ok {
		return
	}
	o := m.order(id)
	amount := o.Total + rapid.SampledFrom([]int64{0, 0, 0, 0, -1, 7}).Draw(r, "wrong")
	m.reports = append(m.reports, m.bank.take(o.No, amount))
	if rapid.Bool().Draw(r, "at once") {
		m.may(m.svc.Notified(context.Background(), "bank", payment.Notification{Payment: &m.reports[len(m.reports)-1]}))
	}
}

func (m *market) report(r *rapid.T) {
	if len(m.reports) == 0 {
		return
	}
	n := rapid.SampledFrom(m.reports).Draw(r, "report")
	m.may(m.svc.Notified(context.Background(), "bank", payment.Notification{Payment: &n}))
}

func (m *market) sweep(*rapid.T) {
	m.svc.Sweep(context.Background())
	m.store.calm()
}

func (m *market) moveClock(r *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.SampledFrom([]int{-3600, -1, 1, 30, 899, 901, 7200}).Draw(r, "seconds")) * time.Second)
}

// expire lets the time of all orders be over.
func (m *market) expire(r *rapid.T) {
	m.now = m.now.Add(16 * time.Minute)
	m.sweep(r)
}

func (m *market) cancel(r *rapid.T) {
	if id, ok := m.any(); ok {
		who := rapid.SampledFrom([]order.Actor{order.Buyer, order.Merchant}).Draw(r, "who")
		_, err := m.svc.Cancel(context.Background(), order.Scope{}, order.Who{Actor: who}, id, "")
		m.may(err)
	}
}

func (m *market) ship(*rapid.T) {
	if id, ok := m.any(); ok {
		_, err := m.svc.Ship(context.Background(), account.DefaultStore, order.Who{Actor: order.Merchant}, id, order.Shipping{Carrier: "SF"})
		m.may(err)
	}
}

func (m *market) confirm(*rapid.T) {
	if id, ok := m.any(); ok {
		_, err := m.svc.Confirm(context.Background(), account.Viewer{ID: m.order(id).ViewerID}, id)
		m.may(err)
	}
}

func (m *market) refund(r *rapid.T) {
	id, ok := m.any()
	if !ok {
		return
	}
	who := order.Who{Actor: order.Merchant}
	for _, p := range m.order(id).Repayments {
		if p.State == order.RepaymentFailed {
			_, err := m.svc.RetryRefund(context.Background(), account.DefaultStore, who, id, p.No)
			m.may(err)
			return
		}
	}
	ask := order.RefundAsk{Amount: rapid.SampledFrom([]int64{0, 0, 1, 50, 100, 1000}).Draw(r, "amount"), Restock: rapid.Bool().Draw(r, "restock")}
	_, err := m.svc.Refund(context.Background(), account.DefaultStore, who, id, ask)
	m.may(err)
}

// turnBank makes the bank go down, refuse refunds, or be well.
func (m *market) turnBank(r *rapid.T) {
	m.bank.down, m.bank.refuses = rapid.Bool().Draw(r, "down"), rapid.Bool().Draw(r, "refuses")
}

// trouble makes the server die at one of its next writes: before it, or after it and before anybody heard.
func (m *market) trouble(r *rapid.T) {
	m.store.in, m.store.after = rapid.IntRange(1, 3).Draw(r, "writes"), rapid.Bool().Draw(r, "after")
}

func (m *market) allot(r *rapid.T) {
	_, err := m.svc.SetAside(context.Background(), m.show, m.skus[0], rapid.Int64Range(0, 4).Draw(r, "aside"))
	m.may(err)
}

func (m *market) showEnds(*rapid.T) { m.may(m.svc.ShowEnded(context.Background(), m.show)) }

// check looks whether the books agree.
func (m *market) check(*rapid.T) {
	held, sold := map[string]int64{}, map[string]int64{} // by pool
	had := map[[2]string]int64{}                         // by viewer and SKU
	for _, id := range m.orders {
		o := m.order(id)
		m.checkStep(&o)
		for _, l := range o.Lines {
			switch l.Hold {
			case order.Held:
				held[l.PoolID] += l.Quantity
			case order.Sold:
				sold[l.PoolID] += l.Quantity - l.Returned
			case order.Released:
				continue
			}
			if o.State != order.Refunded {
				had[[2]string{o.ViewerID, l.SKU}] += l.Quantity - l.Returned
			}
		}
	}
	for _, sku := range m.skus {
		pools, err := m.store.Store.Pools(context.Background(), sku)
		m.must(err)
		for _, p := range pools {
			if !p.Whole() || p.Reserved != held[p.ID] || p.Sold != sold[p.ID] {
				m.r.Fatalf("pool %+v, while orders hold %d and bought %d", p, held[p.ID], sold[p.ID])
			}
		}
		if sum := stock.Sum(pools); sum.Total != m.pieces[sku] {
			m.r.Fatalf("SKU %s has %d pieces, began with %d", sku, sum.Total, m.pieces[sku])
		}
		for _, v := range m.viewer {
			if n := had[[2]string{v, sku}]; m.limits[sku] > 0 && n > m.limits[sku] {
				m.r.Fatalf("%s has %d of %s, limited to %d", v, n, sku, m.limits[sku])
			}
		}
	}
	m.bank.check(m.r)
}

// checkStep looks at one order: what its state says of its pieces, and whether the table lets it be where it is.
func (m *market) checkStep(o *order.Order) {
	if was := m.states[o.ID]; was != o.State && !reachable(was, o.State) {
		m.r.Fatalf("order %s went from %s to %s", o.ID, was, o.State)
	}
	m.states[o.ID] = o.State
	want := []order.Hold{order.Sold}
	switch o.State {
	case order.Pending:
		want = []order.Hold{order.Held}
	case order.Expired, order.Cancelled:
		want = []order.Hold{order.Released}
	case order.Refunding, order.Refunded: // paid once, or too late
		want = []order.Hold{order.Sold, order.Released}
	case order.Paid, order.Shipped, order.Completed:
	}
	for _, l := range o.Lines {
		if !slices.Contains(want, l.Hold) {
			m.r.Fatalf("order %s is %s and its line is %s", o.ID, o.State, l.Hold)
		}
	}
	if o.Refunded > o.Total {
		m.r.Fatalf("order %s: %d of %d were refunded", o.ID, o.Refunded, o.Total)
	}
}

// reachable reports whether the table leads from one state to another, in some steps.
func reachable(from, to order.State) bool {
	seen, todo := map[order.State]bool{}, []order.State{from}
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		for _, e := range order.Events {
			for _, by := range []order.Actor{order.Buyer, order.Merchant, order.Provider, order.Clock} {
				if next, _, err := order.Next(at, e, by); err == nil && !seen[next] {
					seen[next] = true
					todo = append(todo, next)
				}
			}
		}
	}
	return seen[to]
}

// comeToRest makes the bank well, hears all reports, asks for what failed, and lets time pass until nothing is due.
func (m *market) comeToRest() {
	m.store.calm()
	m.bank.down, m.bank.refuses = false, false
	ctx := context.Background()
	for _, n := range m.reports {
		m.must(m.svc.Notified(ctx, "bank", payment.Notification{Payment: &n}))
	}
	for _, id := range m.orders {
		for _, p := range m.order(id).Repayments {
			if p.State == order.RepaymentFailed {
				_, err := m.svc.RetryRefund(ctx, account.DefaultStore, order.Who{Actor: order.Merchant}, id, p.No)
				m.may(err) // as much may have been given back otherwise
			}
		}
	}
	for range 8 {
		m.now = m.now.Add(2 * time.Hour)
		m.svc.Sweep(ctx)
	}
}

// checkRest looks whether everybody has either the goods or the money.
func (m *market) checkRest() {
	for _, id := range m.orders {
		o := m.order(id)
		kept := m.bank.kept(o.No)
		var want int64
		switch o.State {
		case order.Paid, order.Shipped, order.Completed:
			want = o.Total - o.Refunded
		case order.Expired, order.Cancelled, order.Refunded:
		case order.Pending, order.Refunding:
			m.r.Fatalf("order %s does not come to rest: %s", id, o.State)
		}
		if kept != want {
			m.r.Fatalf("order %s is %s over %d and the shop keeps %d: %+v", id, o.State, o.Total, kept, o.Repayments)
		}
	}
}

// shaky is a store whose server dies now and then.
type shaky struct {
	Store
	in    int  // at which of the next writes; 0: never
	after bool // it was carried out
}

func (s *shaky) calm() { s.in = 0 }

func (s *shaky) dies() bool {
	if s.in == 0 {
		return false
	}
	s.in--
	return s.in == 0
}

var errDied = errs.New(errs.Unavailable, "storetest.shaky", "the server died")

func (s *shaky) PlaceOrder(ctx context.Context, p order.Placement) ([]stock.Left, error) {
	dies := s.dies()
	if dies && !s.after {
		return nil, errDied
	}
	left, err := s.Store.PlaceOrder(ctx, p)
	if dies {
		return nil, errDied
	}
	return left, err
}

func (s *shaky) ChangeOrder(ctx context.Context, sc order.Scope, id string, change order.Change) (order.Order, []stock.Left, error) {
	dies := s.dies()
	if dies && !s.after {
		return order.Order{}, nil, errDied
	}
	o, left, err := s.Store.ChangeOrder(ctx, sc, id, change)
	if dies {
		return order.Order{}, nil, errDied
	}
	return o, left, err
}

// bank is a payment provider with books of its own.
type bank struct {
	now           func() time.Time
	payments      map[string]*dealings // by order number
	refunds       map[string]payment.RefundResult
	refunded      map[string]int64 // by transaction
	down, refuses bool
	transactions  int
}

// dealings are what the bank knows of one order.
type dealings struct {
	closed bool
	paid   []payment.Result
}

func (b *bank) of(no string) *dealings {
	if b.payments[no] == nil {
		b.payments[no] = &dealings{}
	}
	return b.payments[no]
}

// take takes a buyer's money, even when that is not expected any more.
func (b *bank) take(no string, amount int64) payment.Result {
	b.transactions++
	r := payment.Result{
		OrderNo: no, TransactionID: fmt.Sprintf("%s-%d", no, b.transactions), State: payment.Paid,
		Amount: commerce.Money{Amount: amount, Currency: "CNY"}, PaidAt: b.now(),
	}
	b.of(no).paid = append(b.of(no).paid, r)
	return r
}

// kept is what the shop has of an order.
func (b *bank) kept(no string) (sum int64) {
	for _, p := range b.of(no).paid {
		sum += p.Amount.Amount - b.refunded[p.TransactionID]
	}
	return sum
}

func (b *bank) check(r *rapid.T) {
	for no, a := range b.payments {
		for _, p := range a.paid {
			if b.refunded[p.TransactionID] > p.Amount.Amount {
				r.Fatalf("order %s: %d of %d went back", no, b.refunded[p.TransactionID], p.Amount.Amount)
			}
		}
	}
}

var errDown = errs.New(errs.Unavailable, "storetest.bank", "the bank does not answer")

func (b *bank) Name() string { return "bank" }

func (b *bank) Methods() []payment.Method { return []payment.Method{payment.Native} }

func (b *bank) Start(_ context.Context, r payment.Request) (payment.Intent, error) {
	if b.down {
		return payment.Intent{}, errDown
	}
	b.of(r.OrderNo)
	return payment.Intent{Method: r.Method}, nil
}

func (b *bank) Query(_ context.Context, no string) (payment.Result, error) {
	if b.down {
		return payment.Result{}, errDown
	}
	if paid := b.of(no).paid; len(paid) > 0 {
		return paid[0], nil
	}
	return payment.Result{OrderNo: no, State: payment.Pending}, nil
}

func (b *bank) Close(_ context.Context, no string) error {
	if b.down {
		return errDown
	}
	a := b.payments[no]
	if a == nil {
		return errs.New(errs.NotFound, "storetest.bank", "no such order")
	}
	if len(a.paid) > 0 {
		return errs.New(errs.Conflict, "storetest.bank", "it is paid")
	}
	a.closed = true
	return nil
}

func (b *bank) Refund(_ context.Context, r payment.RefundRequest) (payment.RefundResult, error) {
	if b.down {
		return payment.RefundResult{}, errDown
	}
	if done, ok := b.refunds[r.RefundNo]; ok {
		return done, nil
	}
	if b.refuses {
		return payment.RefundResult{}, errs.New(errs.Conflict, "storetest.bank", "the bank will not")
	}
	if b.refunded == nil {
		b.refunded = map[string]int64{}
	}
	b.refunded[r.TransactionID] += r.Amount.Amount
	done := payment.RefundResult{OrderNo: r.OrderNo, RefundNo: r.RefundNo, State: payment.Refunded, Amount: r.Amount, At: b.now()}
	b.refunds[r.RefundNo] = done
	done.State = payment.Pending // it is done, and says so when asked again
	return done, nil
}

func (b *bank) QueryRefund(_ context.Context, no string) (payment.RefundResult, error) {
	if b.down {
		return payment.RefundResult{}, errDown
	}
	if done, ok := b.refunds[no]; ok {
		return done, nil
	}
	return payment.RefundResult{}, errs.New(errs.NotFound, "storetest.bank", "no such refund")
}

func (b *bank) Notification(context.Context, map[string][]string, []byte) (payment.Notification, error) {
	return payment.Notification{}, errs.New(errs.Unauthorized, "storetest.bank", "reports of this bank are heard elsewhere")
}
