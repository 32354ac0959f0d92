package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/mall"
	"github.com/vitrine-live/vitrine/commerce/reconcile"
	"github.com/vitrine-live/vitrine/commerce/webhook"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/overlay"
)

// PayDeps are the domains that speak with merchants' servers and those who move money.
type PayDeps struct {
	Mall  *mall.Service
	Books *reconcile.Service
}

// Mall is a store's connection with its external mall.
type Mall struct {
	Connected      bool    `json:"connected" doc:"Whether there is a secret that the mall signs its reports with."`
	OldSecretUntil *string `json:"old_secret_until,omitempty" doc:"Until when the secret before the present one is taken too."`
	UpdatedAt      *string `json:"updated_at,omitempty"`
}

// MallSecret is a connection with its secret, which is shown this once.
type MallSecret struct {
	Mall   Mall   `json:"mall"`
	Secret string `json:"secret" doc:"Signs reports. It is not shown again."`
}

// ExternalOrder is an order that was made in an external mall.
type ExternalOrder struct {
	ID         string              `json:"id" example:"xor_0123456789abcdef"`
	OrderNo    string              `json:"order_no" doc:"The mall's."`
	State      string              `json:"state" enum:"paid,refunded"`
	Currency   string              `json:"currency"`
	Total      int64               `json:"total"`
	Refunded   int64               `json:"refunded" doc:"Of the total, given back so far."`
	PaidAt     string              `json:"paid_at"`
	RefundedAt *string             `json:"refunded_at,omitempty"`
	Lines      []ExternalOrderLine `json:"lines"`
	CreatedAt  string              `json:"created_at"`
	UpdatedAt  string              `json:"updated_at"`
}

// ExternalOrderLine is one thing that was bought.
type ExternalOrderLine struct {
	ProductID   string              `json:"product_id,omitempty"`
	Code        string              `json:"code,omitempty" doc:"The mall's own."`
	Title       string              `json:"title,omitempty"`
	Quantity    int64               `json:"quantity"`
	Amount      int64               `json:"amount"`
	Verified    bool                `json:"verified" doc:"Whether the attribution is that of a click that this server signed."`
	Attribution ExternalAttribution `json:"attribution"`
}

// ExternalAttribution says where the buyer came from.
type ExternalAttribution struct {
	ShowID     string `json:"show_id,omitempty"`
	PinID      string `json:"pin_id,omitempty"`
	ShowTimeMS int64  `json:"show_time_ms,omitempty"`
	Source     string `json:"source,omitempty"`
	ShareCode  string `json:"share_code,omitempty"`
	Channel    string `json:"channel,omitempty"`
}

// ProductLink is where a viewer goes to buy a product elsewhere.
type ProductLink struct {
	Kind    string `json:"kind" enum:"url,mini_program"`
	URL     string `json:"url" doc:"With what the mall needs to report the order (vt_...). For a mini-program: weapp:/page?query, or weapp://appid/page?query."`
	AppID   string `json:"app_id,omitempty" doc:"Of another mini-program than the viewer's."`
	Path    string `json:"path,omitempty" doc:"For wx.navigateTo or wx.navigateToMiniProgram."`
	ClickID string `json:"click_id"`
}

type productLinkInput struct {
	Product    string `path:"product" doc:"The product's id."`
	Show       string `query:"show" maxLength:"64" doc:"The show that the viewer watches."`
	Pin        string `query:"pin" maxLength:"64" doc:"The pin that was pressed."`
	ShowTimeMS int64  `query:"t" minimum:"0" doc:"Where in the show, in milliseconds."`
	Source     string `query:"via" enum:"live,time_shift,replay,clip,external"`
	ShareCode  string `query:"share" maxLength:"64"`
	Channel    string `query:"channel" maxLength:"64"`
}

type productLinkOutput struct {
	AllowOrigin  string `header:"Access-Control-Allow-Origin"`
	CacheControl string `header:"Cache-Control"`
	Body         ProductLink
}

type mallRotation struct {
	StorePath
	Body struct {
		OverlapHours *int `json:"overlap_hours,omitempty" minimum:"0" maximum:"168" doc:"How long the old secret is taken too. Default 24."`
	}
}

type externalReport struct {
	StorePath
	ID        string `header:"webhook-id" doc:"The name of the message, without dots."`
	Timestamp string `header:"webhook-timestamp" doc:"Seconds since 1970, within 5 minutes of now."`
	Signature string `header:"webhook-signature" doc:"v1, and the base64 of the HMAC-SHA256 of id.timestamp.body under the secret's bytes."`
	RawBody   []byte
}

type externalOutput struct {
	Status int
	Body   ExternalOrder
}

func (s *Server) mallOperations() {
	const base = "/api/v1/stores/{store}"
	tags := []string{"External malls"}
	operation(s, huma.Operation{OperationID: "get-product-link", Method: http.MethodGet, Path: "/api/v1/products/{product}/link", Tags: tags, Security: public, Summary: "Where to buy a product that is sold elsewhere", Description: "Each call is a click. Web pages may simply link to /go/{product} with the same parameters."}, s.productLink)
	operation(s, huma.Operation{OperationID: "get-mall", Method: http.MethodGet, Path: base + "/mall", Tags: tags, Security: staff(account.StoreRead), Summary: "Read the connection with the external mall"}, s.getMall)
	operation(s, huma.Operation{OperationID: "rotate-mall-secret", Method: http.MethodPost, Path: base + "/mall/secret", Tags: tags, Security: staff(account.StoreWrite), Summary: "Make a secret for the external mall", Description: "For some hours the old one is taken too."}, s.rotateMall)
	operation(s, huma.Operation{OperationID: "report-external-order", Method: http.MethodPost, Path: base + "/external-orders", Tags: tags, Security: public, Summary: "Report an order of the external mall", Description: "Signed with the mall's secret as webhooks are; docs/webhooks.md has the form of the body. The same report may come again. 201: it is new; 200: it was known.", MaxBodyBytes: mall.MaxReport, DefaultStatus: http.StatusCreated}, s.reportExternal)
	operation(s, huma.Operation{OperationID: "list-external-orders", Method: http.MethodGet, Path: base + "/external-orders", Tags: tags, Security: staff(account.OrdersRead), Summary: "List the orders of the external mall, newest payment first"}, s.listExternal)
}

func (s *Server) productLink(ctx context.Context, in *productLinkInput) (*productLinkOutput, error) {
	v, err := s.Mall.Go(ctx, in.Product, commerce.Attribution{
		ShowID: in.Show, PinID: in.Pin, ShowTimeMS: in.ShowTimeMS, Source: commerce.Source(in.Source), ShareCode: in.ShareCode, Channel: in.Channel,
	})
	if err != nil {
		return nil, err
	}
	out := ProductLink{Kind: string(v.Kind), URL: v.URL, ClickID: v.ClickID}
	if u, err := url.Parse(v.URL); err == nil && v.Kind == commerce.LinkMiniProgram {
		out.AppID, out.Path = u.Host, u.Path+"?"+u.RawQuery
	}
	return &productLinkOutput{AllowOrigin: "*", CacheControl: "no-store", Body: out}, nil
}

// goToMall leads a browser on. It is a plain address, so that a page needs no script to link to it.
func (s *Server) goToMall(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	at, _ := strconv.ParseInt(q.Get("t"), 10, 64) // what cannot be read is not known
	v, err := s.Mall.Go(r.Context(), r.PathValue("product"), commerce.Attribution{
		ShowID: q.Get("show"), PinID: q.Get("pin"), ShowTimeMS: at, Source: commerce.Source(q.Get("via")), ShareCode: q.Get("share"), Channel: q.Get("channel"),
	})
	switch {
	case err != nil:
		s.writeError(w, r, err)
	case v.Kind != commerce.LinkURL:
		writeProblem(w, http.StatusNotFound, "The product is sold in a mini-program: open it in WeChat.")
	default:
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "origin")
		http.Redirect(w, r, v.URL, http.StatusFound)
	}
}

func (s *Server) getMall(ctx context.Context, in *StorePath) (*Body[Mall], error) {
	m, err := s.Mall.Mall(ctx, in.Store)
	if errs.KindOf(err) == errs.NotFound {
		return &Body[Mall]{}, nil
	} else if err != nil {
		return nil, err
	}
	return &Body[Mall]{mallOf(m)}, nil
}

func (s *Server) rotateMall(ctx context.Context, in *mallRotation) (*Body[MallSecret], error) {
	overlap := webhook.DefaultOverlap
	if in.Body.OverlapHours != nil {
		overlap = time.Duration(*in.Body.OverlapHours) * time.Hour
	}
	m, err := s.Mall.Rotate(ctx, in.Store, overlap)
	if err != nil {
		return nil, err
	}
	return &Body[MallSecret]{MallSecret{mallOf(m), m.Secret}}, nil
}

func (s *Server) reportExternal(ctx context.Context, in *externalReport) (*externalOutput, error) {
	headers := map[string]string{webhook.HeaderID: in.ID, webhook.HeaderTimestamp: in.Timestamp, webhook.HeaderSignature: in.Signature}
	o, fresh, err := s.Mall.Take(ctx, in.Store, func(name string) string { return headers[name] }, in.RawBody)
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if fresh {
		status = http.StatusCreated
	}
	return &externalOutput{status, externalOrder(o)}, nil
}

type externalList struct {
	StorePath
	PageInput
}

func (s *Server) listExternal(ctx context.Context, in *externalList) (*Body[Page[ExternalOrder]], error) {
	all, next, err := s.Mall.Orders(ctx, in.Store, in.After, in.limit())
	if err != nil {
		return nil, err
	}
	out := page(all, 0, externalOrder, nil)
	if next != "" {
		out.Body.Next = &next
	}
	return out, nil
}

func mallOf(m mall.Mall) Mall {
	out := Mall{Connected: m.Secret != "", UpdatedAt: optionalTime(m.UpdatedAt)}
	if m.OldSecret != "" {
		out.OldSecretUntil = optionalTime(m.OldSecretUntil)
	}
	return out
}

func externalOrder(o mall.Order) ExternalOrder {
	out := ExternalOrder{
		ID: o.ID, OrderNo: o.No, State: string(o.State), Currency: o.Currency, Total: o.Total, Refunded: o.Refunded, Lines: []ExternalOrderLine{},
		PaidAt: overlay.FormatWall(o.PaidAt), RefundedAt: optionalTime(o.RefundedAt), CreatedAt: overlay.FormatWall(o.CreatedAt), UpdatedAt: overlay.FormatWall(o.UpdatedAt),
	}
	for i := range o.Lines {
		l, a := &o.Lines[i], &o.Lines[i].Attribution
		out.Lines = append(out.Lines, ExternalOrderLine{
			ProductID: l.ProductID, Code: l.Code, Title: l.Title, Quantity: l.Quantity, Amount: l.Amount, Verified: l.Verified,
			Attribution: ExternalAttribution{ShowID: a.ShowID, PinID: a.PinID, ShowTimeMS: a.ShowTimeMS, Source: string(a.Source), ShareCode: a.ShareCode, Channel: a.Channel},
		})
	}
	return out
}
