package wechatpay

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/h5"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/native"
	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Name is the provider's name in orders and addresses.
const Name = "wechatpay"

const (
	currency       = "CNY" // the only one of a merchant account of the mainland
	maxDescription = 127   // characters
	maxReason      = 80    // bytes
	// soonest is how long before its deadline a payment can still be begun: WeChat Pay takes no shorter ones.
	soonest = time.Minute
	// prepayLives and pageLives are how long an intent works, whatever the order's deadline.
	prepayLives = 2 * time.Hour
	pageLives   = 5 * time.Minute
)

var (
	orderNos  = regexp.MustCompile(`^[0-9A-Za-z_*|-]{6,32}$`)
	refundNos = regexp.MustCompile(`^[0-9A-Za-z_*|@-]{1,64}$`)
)

// Provider is one merchant account at WeChat Pay. It implements payment.Provider and is safe for concurrent use.
type Provider struct {
	cfg      Config
	client   *http.Client
	platform *platform
	jsapi    jsapi.JsapiApiService
	h5       h5.H5ApiService
	native   native.NativeApiService
	refunds  refunddomestic.RefundsApiService
	log      *slog.Logger
	metrics  *Metrics
	now      func() time.Time
}

// New makes a Provider and reads its keys; it asks WeChat Pay nothing yet. transport nil: the default one; now nil:
// time.Now. Invalid names the key of the configuration that cannot work.
func New(cfg Config, transport http.RoundTripper, log *slog.Logger, m *Metrics, now func() time.Time) (*Provider, error) {
	const op = "wechatpay.New"
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	k, err := cfg.readKeys()
	if err != nil {
		return nil, err
	}
	if transport == nil {
		transport = http.DefaultTransport
	}
	if now == nil {
		now = time.Now
	}
	r := road{next: transport}
	if cfg.BaseURL != "" {
		r.base, _ = url.Parse(cfg.BaseURL) // validated
	}
	if len(cfg.Methods) == 0 {
		cfg.Methods = methods
	}
	p := &Provider{cfg: cfg, client: &http.Client{Transport: r, Timeout: timeout}, log: log, metrics: m, now: now}
	p.platform = &platform{publicID: cfg.PublicKeyID, public: k.public, now: now}
	if p.platform.fetch, err = certificatesOf(cfg, k, p.client); err != nil {
		return nil, errs.As(errs.Invalid, op, err, "WeChat Pay cannot be set up")
	}
	client, err := core.NewClient(context.Background(), option.WithMerchantCredential(cfg.MchID, cfg.CertSerial, k.private),
		option.WithHTTPClient(p.client), withValidator{validator{p.platform}})
	if err != nil {
		return nil, errs.As(errs.Invalid, op, err, "WeChat Pay cannot be set up")
	}
	p.jsapi, p.h5 = jsapi.JsapiApiService{Client: client}, h5.H5ApiService{Client: client}
	p.native, p.refunds = native.NativeApiService{Client: client}, refunddomestic.RefundsApiService{Client: client}
	return p, nil
}

// withValidator gives the SDK's client our validator.
type withValidator struct{ validator }

// Apply implements core.ClientOption.
func (w withValidator) Apply(s *core.DialSettings) error {
	s.Validator = w.validator
	return nil
}

// Name implements payment.Provider.
func (p *Provider) Name() string { return Name }

// Methods implements payment.Provider.
func (p *Provider) Methods() []payment.Method { return slices.Clone(p.cfg.Methods) }

// Start implements payment.Provider. A repeated Start gives a fresh intent for the same payment. Conflict: it is paid or
// closed, or its deadline is less than a minute away.
func (p *Provider) Start(ctx context.Context, r payment.Request) (payment.Intent, error) {
	const op = "wechatpay.Start"
	if err := p.check(op, &r); err != nil {
		return payment.Intent{}, err
	}
	intent, err := p.prepay(ctx, r)
	p.metrics.asked("start", err)
	return intent, inWords(op, err)
}

func (p *Provider) check(op string, r *payment.Request) error {
	switch {
	case !slices.Contains(p.cfg.Methods, r.Method):
		return errs.Field(op, "method", "WeChat Pay is not set up for payments by %s", r.Method)
	case !orderNos.MatchString(r.OrderNo):
		return errs.New(errs.Invalid, op, "the order's number must be 6 to 32 of 0-9 A-Z a-z _ - | *")
	case r.Amount.Currency != currency:
		return errs.New(errs.Invalid, op, "WeChat Pay takes %s alone, and the order is in %s", currency, r.Amount.Currency)
	case r.Amount.Amount < 1:
		return errs.New(errs.Invalid, op, "WeChat Pay takes no payments below 0.01 %s", currency)
	case r.Method == payment.JSAPI && r.PayerID == "":
		return errs.Field(op, "method", "payments within WeChat need a viewer who logged in by WeChat")
	case r.Method == payment.H5 && r.ClientIP == "":
		return errs.Field(op, "method", "payments in a browser need the address of the buyer")
	case r.ExpiresAt.Sub(p.now()) < soonest:
		return errs.New(errs.Conflict, op, "the order ends within a minute: place a new one")
	}
	r.Description = cut(r.Description, maxDescription)
	return nil
}

// cut keeps at most n characters.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

func (p *Provider) prepay(ctx context.Context, r payment.Request) (payment.Intent, error) {
	notify, ends := p.notifyURL(r.NotifyURL), r.ExpiresAt.Truncate(time.Second)
	intent := payment.Intent{Method: r.Method, ExpiresAt: earlier(ends, p.now().Add(prepayLives))}
	switch r.Method {
	case payment.JSAPI:
		res, _, err := p.jsapi.PrepayWithRequestPayment(ctx, jsapi.PrepayRequest{
			Appid: &p.cfg.AppID, Mchid: &p.cfg.MchID, Description: &r.Description, OutTradeNo: &r.OrderNo, TimeExpire: &ends, NotifyUrl: &notify,
			Amount: &jsapi.Amount{Total: &r.Amount.Amount, Currency: &r.Amount.Currency}, Payer: &jsapi.Payer{Openid: &r.PayerID},
		})
		if err != nil {
			return payment.Intent{}, err
		}
		intent.Params = map[string]string{
			"appId": val(res.Appid), "timeStamp": val(res.TimeStamp), "nonceStr": val(res.NonceStr), "package": val(res.Package),
			"signType": val(res.SignType), "paySign": val(res.PaySign),
		}
	case payment.H5:
		res, _, err := p.h5.Prepay(ctx, h5.PrepayRequest{
			Appid: &p.cfg.AppID, Mchid: &p.cfg.MchID, Description: &r.Description, OutTradeNo: &r.OrderNo, TimeExpire: &ends, NotifyUrl: &notify,
			Amount:    &h5.Amount{Total: &r.Amount.Amount, Currency: &r.Amount.Currency},
			SceneInfo: &h5.SceneInfo{PayerClientIp: &r.ClientIP, H5Info: &h5.H5Info{Type: new("Wap")}},
		})
		if err != nil {
			return payment.Intent{}, err
		}
		intent.PayURL, intent.ExpiresAt = withReturn(val(res.H5Url), r.ReturnURL), earlier(ends, p.now().Add(pageLives))
	default:
		res, _, err := p.native.Prepay(ctx, native.PrepayRequest{
			Appid: &p.cfg.AppID, Mchid: &p.cfg.MchID, Description: &r.Description, OutTradeNo: &r.OrderNo, TimeExpire: &ends, NotifyUrl: &notify,
			Amount: &native.Amount{Total: &r.Amount.Amount, Currency: &r.Amount.Currency},
		})
		if err != nil {
			return payment.Intent{}, err
		}
		intent.QRCode = val(res.CodeUrl)
	}
	return intent, nil
}

func (p *Provider) notifyURL(asked string) string {
	if asked != "" {
		return asked
	}
	return p.cfg.NotifyURL
}

// withReturn tells WeChat's page where the browser goes afterwards.
func withReturn(page, back string) string {
	if back == "" {
		return page
	}
	return page + "&redirect_url=" + url.QueryEscape(back)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// val is what the SDK's pointer leads to, or nothing.
func val[T any](v *T) T {
	if v == nil {
		var zero T
		return zero
	}
	return *v
}

func money(fen int64) commerce.Money { return commerce.Money{Amount: fen, Currency: currency} }
