package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/providers/sandbox"
)

// testSandbox keeps the books of the sandbox's bank.
func testSandbox(t *testing.T, s Store) {
	ctx := t.Context()
	p := sandbox.Payment{
		OrderNo: "no1", Page: "page1", Description: "茶壶", Amount: commerce.Money{Amount: 100, Currency: "CNY"}, State: payment.Pending,
		ReturnURL: "/r/x", CreatedAt: epoch0, ExpiresAt: epoch0.Add(time.Minute),
	}
	equal(t, must(s.OpenSandboxPayment(ctx, p))(t), p)
	again := p
	again.Page, again.ReturnURL = "page2", "/r/y"
	p.ReturnURL = "/r/y" // all but this stays
	equal(t, must(s.OpenSandboxPayment(ctx, again))(t), p)
	equal(t, must(s.SandboxPayment(ctx, "no1"))(t), p)
	equal(t, must(s.SandboxPaymentOfPage(ctx, "page1"))(t), p)
	_, err := s.SandboxPaymentOfPage(ctx, "page2")
	kind(t, err, errs.NotFound)
	_, err = s.ChangeSandboxPayment(ctx, "no2", func(*sandbox.Payment) error { return nil })
	kind(t, err, errs.NotFound)

	var wg sync.WaitGroup // of many who pay at once, one does
	var paid atomic.Int64
	for n := range 10 {
		wg.Go(func() {
			_, err := s.ChangeSandboxPayment(ctx, "no1", func(p *sandbox.Payment) error {
				if p.State != payment.Pending {
					return errs.New(errs.Conflict, "test", "paid")
				}
				p.State, p.Late = payment.Paid, true
				p.Transactions = append(p.Transactions, sandbox.Transaction{ID: fmt.Sprint("t", n), OrderNo: "no1", At: epoch0})
				return nil
			})
			if err == nil {
				paid.Add(1)
			}
		})
	}
	wg.Wait()
	equal(t, paid.Load(), int64(1))
	waiting := must(s.UnreportedSandbox(ctx, 10))(t)
	equal(t, len(waiting), 1)
	equal(t, must(s.SandboxPayment(ctx, "no1"))(t).Transactions, waiting)
	equal(t, len(must(s.LateSandboxPayments(ctx, epoch0, 10))(t)), 0)
	equal(t, must(s.LateSandboxPayments(ctx, p.ExpiresAt, 10))(t), []string{"no1"})
	ok(t, s.SandboxReported(ctx, waiting[0].ID))
	equal(t, len(must(s.UnreportedSandbox(ctx, 10))(t)), 0)

	r := sandbox.Refund{No: "r1", OrderNo: "no1", TransactionID: waiting[0].ID, Amount: commerce.Money{Amount: 60, Currency: "CNY"}, At: epoch0}
	equal(t, must(s.AddSandboxRefund(ctx, r))(t), r)
	equal(t, must(s.AddSandboxRefund(ctx, r))(t), r)
	equal(t, must(s.SandboxRefund(ctx, "r1"))(t), r)
	r.No = "r2"
	_, err = s.AddSandboxRefund(ctx, r)
	kind(t, err, errs.Conflict)
	_, err = s.SandboxRefund(ctx, "r2")
	kind(t, err, errs.NotFound)
}
