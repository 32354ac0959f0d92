package sandbox

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// Name is the provider's name.
const Name = "sandbox"

// Config configures the sandbox.
type Config struct {
	// Secret signs what it reports, at least 16 bytes.
	Secret []byte
	// BaseURL is where buyers reach the server, such as https://shop.example; empty: pages are named by their path alone.
	BaseURL string
	// LateAfter is how long after an order has expired a late payment is made; 0: two seconds.
	LateAfter time.Duration
}

// Notify takes a report at the shop's door for providers.
type Notify func(ctx context.Context, header map[string][]string, body []byte) error

// Provider is the sandbox's side towards the shop. It implements payment.Provider. Safe for concurrent use.
type Provider struct {
	cfg    Config
	ledger Ledger
	log    *slog.Logger
	now    func() time.Time
	notify Notify
}

// New makes a Provider over its books. nil stands for time.Now. Connect it before its first payment.
func New(cfg Config, ledger Ledger, log *slog.Logger, now func() time.Time) *Provider {
	if now == nil {
		now = time.Now
	}
	if cfg.LateAfter == 0 {
		cfg.LateAfter = 2 * time.Second
	}
	return &Provider{cfg: cfg, ledger: ledger, log: log, now: now}
}

// Connect tells where reports go.
func (p *Provider) Connect(n Notify) { p.notify = n }

func (p *Provider) at() time.Time { return p.now().UTC().Truncate(time.Millisecond) }

// Name implements payment.Provider.
func (p *Provider) Name() string { return Name }

// Methods implements payment.Provider.
func (p *Provider) Methods() []payment.Method { return []payment.Method{payment.Sandbox} }

// Start implements payment.Provider.
func (p *Provider) Start(ctx context.Context, r payment.Request) (payment.Intent, error) {
	const op = "sandbox.Start"
	got, err := p.ledger.OpenSandboxPayment(ctx, Payment{
		OrderNo: r.OrderNo, Page: strings.TrimPrefix(ids.Secret("p"), "p_"), Description: r.Description, Amount: r.Amount, State: payment.Pending,
		ReturnURL: r.ReturnURL, CreatedAt: p.at(), ExpiresAt: r.ExpiresAt.UTC().Truncate(time.Millisecond),
	})
	if err != nil {
		return payment.Intent{}, errs.Wrap(op, err)
	}
	if got.Amount != r.Amount {
		return payment.Intent{}, errs.New(errs.Invalid, op, "the payment was begun with another amount")
	}
	return payment.Intent{Method: payment.Sandbox, PayURL: strings.TrimSuffix(p.cfg.BaseURL, "/") + PagePath + got.Page, ExpiresAt: got.ExpiresAt}, nil
}

// Query implements payment.Provider.
func (p *Provider) Query(ctx context.Context, orderNo string) (payment.Result, error) {
	got, err := p.ledger.SandboxPayment(ctx, orderNo)
	if err != nil {
		return payment.Result{}, errs.Wrap("sandbox.Query", err)
	}
	r := payment.Result{OrderNo: orderNo, State: got.State, Amount: got.Amount}
	if len(got.Transactions) > 0 {
		first := got.Transactions[0]
		r.State, r.TransactionID, r.PaidAt = payment.Paid, first.ID, first.At
	}
	return r, nil
}

// Close implements payment.Provider.
func (p *Provider) Close(ctx context.Context, orderNo string) error {
	const op = "sandbox.Close"
	_, err := p.ledger.ChangeSandboxPayment(ctx, orderNo, func(b *Payment) error {
		if b.State == payment.Paid {
			return errs.New(errs.Conflict, op, "the order is paid")
		}
		b.State = payment.Closed
		return nil
	})
	return errs.Wrap(op, err)
}

// Refund implements payment.Provider. The money is back at once.
func (p *Provider) Refund(ctx context.Context, r payment.RefundRequest) (payment.RefundResult, error) {
	got, err := p.ledger.AddSandboxRefund(ctx, Refund{No: r.RefundNo, OrderNo: r.OrderNo, TransactionID: r.TransactionID, Amount: r.Amount, At: p.at()})
	if err != nil {
		return payment.RefundResult{}, errs.Wrap("sandbox.Refund", err)
	}
	return got.result(), nil
}

// QueryRefund implements payment.Provider.
func (p *Provider) QueryRefund(ctx context.Context, refundNo string) (payment.RefundResult, error) {
	got, err := p.ledger.SandboxRefund(ctx, refundNo)
	if err != nil {
		return payment.RefundResult{}, errs.Wrap("sandbox.QueryRefund", err)
	}
	return got.result(), nil
}

func (r *Refund) result() payment.RefundResult {
	return payment.RefundResult{OrderNo: r.OrderNo, RefundNo: r.No, ProviderID: "sandbox:" + r.No, State: payment.Refunded, Amount: r.Amount, At: r.At}
}

// pay makes the payment of an order as often as asked. It reports whether it could be made.
func (p *Provider) pay(ctx context.Context, orderNo string, times int) error {
	const op = "sandbox.pay"
	at := p.at()
	_, err := p.ledger.ChangeSandboxPayment(ctx, orderNo, func(b *Payment) error {
		if b.State != payment.Pending && b.State != payment.Failed {
			return errs.New(errs.Conflict, op, "the payment is %s", b.State)
		}
		if !at.Before(b.ExpiresAt) {
			return errs.New(errs.Conflict, op, "the time to pay is over")
		}
		b.settle(at, times)
		return nil
	})
	return err
}

// settle makes transactions.
func (b *Payment) settle(at time.Time, times int) {
	b.State, b.Late = payment.Paid, false
	for range times {
		b.Transactions = append(b.Transactions, Transaction{ID: ids.New("sbx"), OrderNo: b.OrderNo, At: at})
	}
}

// Run makes late payments and reports what the shop has not heard of, until ctx ends.
func (p *Provider) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := p.Work(ctx); err != nil && ctx.Err() == nil {
			p.log.ErrorContext(ctx, "the sandbox could not do what is due: it is tried again", "error", err)
		}
	}
}

// most is how many late payments, or reports, one turn takes up.
const most = 100

// Work makes the late payments that are due and reports what the shop has not taken note of, once.
func (p *Provider) Work(ctx context.Context) error {
	at := p.at()
	due, err := p.ledger.LateSandboxPayments(ctx, at.Add(-p.cfg.LateAfter), most)
	if err != nil {
		return err
	}
	for _, no := range due {
		_, err := p.ledger.ChangeSandboxPayment(ctx, no, func(b *Payment) error {
			if b.Late {
				b.settle(at, 1)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return p.report(ctx)
}

// report tells the shop of transactions that it has not taken note of. Each is told twice, as real ones may be.
func (p *Provider) report(ctx context.Context) error {
	waiting, err := p.ledger.UnreportedSandbox(ctx, most)
	if err != nil || len(waiting) == 0 {
		return err
	}
	for _, t := range waiting {
		b, err := p.ledger.SandboxPayment(ctx, t.OrderNo)
		if err != nil {
			return err
		}
		header, body, err := p.sign(Report{
			ID: t.ID, OrderNo: t.OrderNo, TransactionID: t.ID, Amount: b.Amount.Amount, Currency: b.Amount.Currency, PaidAt: t.At.UnixMilli(),
		})
		if err != nil {
			return err
		}
		for range 2 {
			if err := p.notify(ctx, header, body); err != nil {
				return err
			}
		}
		if err := p.ledger.SandboxReported(ctx, t.ID); err != nil {
			return err
		}
	}
	return nil
}
