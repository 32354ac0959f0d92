package mall

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/webhook"
	"github.com/vitrine-live/vitrine/internal/cursor"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

const maxPage = 200

// Mall is a store's connection with its mall.
type Mall struct {
	StoreID string
	// Secret signs reports; OldSecret does too until OldSecretUntil. Without a Secret there is no connection.
	Secret         string
	OldSecret      string
	OldSecretUntil time.Time
	UpdatedAt      time.Time
}

// secrets are those that sign at an instant.
func (m *Mall) secrets(at time.Time) []string {
	if m.OldSecret != "" && at.Before(m.OldSecretUntil) {
		return []string{m.Secret, m.OldSecret}
	}
	return []string{m.Secret}
}

// Order is an order that was made in a mall.
type Order struct {
	ID         string // "xor_…"
	StoreID    string
	No         string // the mall's
	State      State
	Currency   string
	Total      int64
	Refunded   int64
	PaidAt     time.Time
	RefundedAt time.Time // zero: nothing was
	Lines      []Line
	Hash       string // of what may not change
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Line is one thing that was bought. Verified: its attribution is that of a click that this server signed.
type Line struct {
	N           int // from 1
	ProductID   string
	Code        string
	Title       string
	Quantity    int64
	Amount      int64
	ClickID     string
	Verified    bool
	ClickedAt   time.Time
	Attribution commerce.Attribution
}

// store keeps malls and their orders. Each method is one transaction.
type store interface {
	Mall(ctx context.Context, storeID string) (Mall, error) // NotFound: the store has none
	// UpdateMall reads, changes and writes; a store without a mall gets one. NotFound: no such store.
	UpdateMall(ctx context.Context, storeID string, change func(*Mall)) (Mall, error)
	// KeepExternalOrder stores an order, or brings the one with its number up to date: what is refunded only grows. It
	// returns the order as it is now, and whether it is new. Conflict: it was reported with other terms.
	KeepExternalOrder(ctx context.Context, o Order) (Order, bool, error)
	// ExternalOrders lists newest first by payment, those before the key.
	ExternalOrders(ctx context.Context, storeID string, before cursor.Key, limit int) ([]Order, error)
}

// products tells what is sold: *commerce.Catalogue.
type products interface {
	Get(ctx context.Context, id string) (commerce.Product, error) // NotFound
}

// Service is what viewers, malls and merchants do with external malls. Safe for concurrent use.
type Service struct {
	store    store
	products products
	clicks   *Clicks
	clicked  func(ctx context.Context, k Click)
	now      func() time.Time
}

// NewService makes a Service. clicked hears of every click and must not wait, nil: nobody does; now nil: time.Now.
func NewService(s store, p products, c *Clicks, clicked func(context.Context, Click), now func() time.Time) *Service {
	if now == nil {
		now = time.Now
	}
	if clicked == nil {
		clicked = func(context.Context, Click) {}
	}
	return &Service{store: s, products: p, clicks: c, clicked: clicked, now: now}
}

// Visit is where a viewer goes to buy something.
type Visit struct {
	URL     string
	Kind    commerce.LinkKind // LinkURL or LinkMiniProgram
	ClickID string
}

// Go returns where a viewer goes to buy a product, with all that the mall needs to report the order, and notes the click.
// NotFound: there is no such product, or it is bought nowhere else.
func (s *Service) Go(ctx context.Context, productID string, a commerce.Attribution) (Visit, error) {
	const op = "mall.Go"
	p, err := s.products.Get(ctx, productID)
	if err != nil {
		return Visit{}, errs.Wrap(op, err)
	}
	if p.Link != commerce.LinkURL && p.Link != commerce.LinkMiniProgram || p.Audit.State != commerce.Approved {
		return Visit{}, errs.New(errs.NotFound, op, "the product is not sold elsewhere")
	}
	k := Click{StoreID: p.StoreID, ProductID: p.ID, At: s.instant(), Attribution: Tidy(a)}
	id := s.clicks.ID(k)
	s.clicked(ctx, k)
	return Visit{URL: Link(p.URL, id, k.Attribution), Kind: p.Link, ClickID: id}, nil
}

// Mall returns a store's connection, or NotFound.
func (s *Service) Mall(ctx context.Context, storeID string) (Mall, error) {
	m, err := s.store.Mall(ctx, storeID)
	return m, errs.Wrap("mall.Mall", err)
}

// Rotate gives a store a new secret for its mall. The old one signs beside it for overlap more.
func (s *Service) Rotate(ctx context.Context, storeID string, overlap time.Duration) (Mall, error) {
	const op = "mall.Rotate"
	if overlap < 0 || overlap > webhook.MaxOverlap {
		return Mall{}, errs.Field(op, "overlap_hours", "must be 0 to %d", int(webhook.MaxOverlap.Hours()))
	}
	m, err := s.store.UpdateMall(ctx, storeID, func(m *Mall) {
		m.UpdatedAt = s.instant()
		m.OldSecret, m.OldSecretUntil = m.Secret, m.UpdatedAt.Add(overlap)
		if m.OldSecret == "" {
			m.OldSecretUntil = time.Time{}
		}
		m.Secret = webhook.NewSecret()
	})
	return m, errs.Wrap(op, err)
}

// Take takes note of a report that a store's mall signed, as webhooks are signed. It may come again: the same comes to the
// same. Unauthorized: the mall did not sign it; Invalid names the field; Conflict: the order was reported with other terms.
func (s *Service) Take(ctx context.Context, storeID string, header func(string) string, body []byte) (Order, bool, error) {
	const op = "mall.Take"
	m, err := s.store.Mall(ctx, storeID)
	if errs.KindOf(err) == errs.NotFound {
		return Order{}, false, errs.New(errs.Unauthorized, op, "the store has no mall: its owner makes a secret for one first")
	} else if err != nil {
		return Order{}, false, errs.Wrap(op, err)
	}
	at := s.instant()
	if _, err := webhook.Verify(m.secrets(at), header, body, at); err != nil {
		return Order{}, false, errs.Wrap(op, err)
	}
	r, err := Parse(body)
	if err != nil {
		return Order{}, false, errs.Wrap(op, err)
	}
	if r.PaidAt.After(at.Add(clockSlack)) {
		return Order{}, false, errs.Field(op, "paid_at", "lies in the future")
	}
	o, fresh, err := s.store.KeepExternalOrder(ctx, s.order(storeID, &r, at))
	return o, fresh, errs.Wrap(op, err)
}

// order is a report as it is kept.
func (s *Service) order(storeID string, r *Report, at time.Time) Order {
	o := Order{
		ID: ids.New("xor"), StoreID: storeID, No: r.No, State: r.State, Currency: r.Currency, Total: r.Total, Refunded: r.Refunded,
		PaidAt: r.PaidAt.UTC().Truncate(time.Millisecond), Hash: r.hash(), CreatedAt: at, UpdatedAt: at,
	}
	if r.Refunded > 0 {
		if o.RefundedAt = r.RefundedAt.UTC().Truncate(time.Millisecond); r.RefundedAt.IsZero() {
			o.RefundedAt = at
		}
	}
	if r.Refunded == r.Total && r.Total > 0 {
		o.State = Refunded
	}
	for i := range r.Lines {
		o.Lines = append(o.Lines, s.line(storeID, i+1, r, &r.Lines[i]))
	}
	return o
}

// line ties a line to where it came from. A click that cannot be verified is kept, so that somebody can look into it, and
// counts as an order from nowhere.
func (s *Service) line(storeID string, n int, r *Report, from *ReportLine) Line {
	l := Line{N: n, ProductID: from.ProductID, Code: from.Code, Title: from.Title, Quantity: from.Quantity, Amount: from.Amount, ClickID: from.ClickID}
	if l.ClickID == "" {
		l.ClickID = r.ClickID
	}
	if len(l.ClickID) > maxClickID {
		l.ClickID = l.ClickID[:maxClickID]
	}
	l.Attribution.Source = commerce.SourceExternal
	if l.ClickID == "" {
		if from.Attribution != nil {
			l.Attribution = Tidy(*from.Attribution)
		}
		return l
	}
	k, err := s.clicks.Read(l.ClickID, r.PaidAt)
	if err != nil || k.StoreID != storeID {
		return l
	}
	l.Verified, l.ClickedAt, l.Attribution = true, k.At, k.Attribution
	if l.ProductID == "" && (from.ClickID != "" || len(r.Lines) == 1) {
		l.ProductID = k.ProductID
	}
	return l
}

// Orders lists the orders of a store's mall, the newest payment first, and where the next page begins, "" on the last one.
func (s *Service) Orders(ctx context.Context, storeID, after string, limit int) ([]Order, string, error) {
	const op = "mall.Orders"
	before, err := cursor.Parse(after)
	if err != nil {
		return nil, "", errs.Wrap(op, err)
	}
	if limit < 1 || limit > maxPage {
		return nil, "", errs.Field(op, "limit", "must be 1 to %d", maxPage)
	}
	all, err := s.store.ExternalOrders(ctx, storeID, before, limit+1)
	if err != nil || len(all) <= limit {
		return all, "", errs.Wrap(op, err)
	}
	last := all[limit-1]
	return all[:limit], cursor.Key{At: last.PaidAt, ID: last.ID}.String(), nil
}

func (s *Service) instant() time.Time { return s.now().UTC().Truncate(time.Millisecond) }
