package sandbox

import (
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// PagePath is below which the pages are; what follows is the unguessable part.
const PagePath = "/pay/sandbox/"

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("page").Parse(pageHTML))

// view is what a page shows.
type view struct {
	Words       words
	Payment     *Payment
	Price       string
	State       string // "pending", "paid", "failed", "closed", "late" or "expired"
	ReturnURL   string
	ExpiresAt   string
	MinutesLeft int // rounded up
	Twice       bool
}

// ServeHTTP serves the pages below PagePath: GET shows one, POST of the form field "do" lets the bank act.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex")
	got, err := p.ledger.SandboxPaymentOfPage(r.Context(), strings.TrimPrefix(r.URL.Path, PagePath))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		p.show(w, r, &got)
	case http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, 1<<12)
		if err := p.act(r.Context(), &got, r.PostFormValue("do")); err != nil && errs.KindOf(err) != errs.Conflict {
			p.fail(w, r, err)
			return
		}
		http.Redirect(w, r, r.URL.Path, http.StatusSeeOther) // shows what became of it, and a reload acts no more
	default:
		h.Set("Allow", "GET, HEAD, POST")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	}
}

// act lets the bank do what a button says.
func (p *Provider) act(ctx context.Context, b *Payment, what string) error {
	const op = "sandbox.act"
	var err error
	switch what {
	case "pay":
		err = p.pay(ctx, b.OrderNo, 1)
	case "twice":
		err = p.pay(ctx, b.OrderNo, 2)
	case "fail":
		_, err = p.ledger.ChangeSandboxPayment(ctx, b.OrderNo, func(b *Payment) error {
			if b.State == payment.Pending {
				b.State = payment.Failed
			}
			return nil
		})
	case "late":
		_, err = p.ledger.ChangeSandboxPayment(ctx, b.OrderNo, func(b *Payment) error {
			b.Late = b.State != payment.Paid
			return nil
		})
	default:
		return errs.New(errs.Conflict, op, "there is no such button")
	}
	if err != nil {
		return err
	}
	if err := p.report(ctx); err != nil { // at once, so that the shop knows when the buyer is back; else later
		p.log.WarnContext(ctx, "the sandbox's report was not taken: it is sent again", "error", err)
	}
	return nil
}

func (p *Provider) show(w http.ResponseWriter, r *http.Request, b *Payment) {
	left := b.ExpiresAt.Sub(p.now())
	v := view{
		Words: wordsFor(r.Header.Get("Accept-Language")), Payment: b, Price: price(b), State: string(b.State), Twice: len(b.Transactions) > 1,
		ReturnURL: safeReturn(b.ReturnURL), ExpiresAt: b.ExpiresAt.Format(time.RFC3339), MinutesLeft: int((left + time.Minute - 1) / time.Minute),
	}
	switch {
	case b.Late:
		v.State = "late"
	case b.State != payment.Paid && left <= 0:
		v.State = "expired"
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.Words.Lang)
	w.Header().Set("Vary", "Accept-Language")
	if err := page.Execute(w, v); err != nil {
		p.log.DebugContext(r.Context(), "a page was not sent whole", "error", err)
	}
}

func (p *Provider) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errs.KindOf(err) == errs.NotFound {
		http.Error(w, wordsFor(r.Header.Get("Accept-Language")).Unknown, http.StatusNotFound)
		return
	}
	p.log.ErrorContext(r.Context(), "the sandbox failed", "error", err)
	w.Header().Set("Retry-After", "1")
	http.Error(w, wordsFor(r.Header.Get("Accept-Language")).Broken, http.StatusServiceUnavailable)
}

// price renders an amount as people write it.
func price(b *Payment) string {
	if b.Amount.Currency == "CNY" {
		return "¥" + b.Amount.Decimal()
	}
	return b.Amount.String()
}

// safeReturn keeps an address that a browser may be led to.
func safeReturn(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" && (u.Scheme != "" || u.Host != "" || !strings.HasPrefix(raw, "/")) {
		return ""
	}
	return raw
}

var matcher = language.NewMatcher([]language.Tag{language.English, language.SimplifiedChinese, language.TraditionalChinese})

func wordsFor(accept string) words {
	if _, i := language.MatchStrings(matcher, accept); i > 0 {
		return chinese
	}
	return english
}
