package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/overlay"
)

// OrderDeps are the domains behind orders.
type OrderDeps struct {
	Orders *order.Service
	// SandboxPage is where orders are paid in a sandbox; nil: there is none.
	SandboxPage http.Handler
}

// Quote is what a cart costs.
type Quote struct {
	StoreID     string          `json:"store_id"`
	Currency    string          `json:"currency"`
	Lines       []QuoteLine     `json:"lines" doc:"What can be had."`
	Subtotal    int64           `json:"subtotal"`
	Off         int64           `json:"off" doc:"What coupons take off."`
	ShippingFee int64           `json:"shipping_fee"`
	Total       int64           `json:"total" doc:"To be sent as expected_total with the order."`
	Applied     []AppliedCoupon `json:"applied"`
	Rejected    []Rejection     `json:"rejected" doc:"What does not hold, and why."`
}

// QuoteLine is a line of a quote.
type QuoteLine struct {
	SKU        string               `json:"sku_id"`
	ProductID  string               `json:"product_id"`
	Title      string               `json:"title"`
	ImageURL   string               `json:"image_url,omitempty"`
	Attributes []commerce.Attribute `json:"attributes,omitempty"`
	Quantity   int64                `json:"quantity"`
	Unit       int64                `json:"unit" doc:"What one piece costs now."`
	List       int64                `json:"list" doc:"What it costs without show price and flash sale."`
	Amount     int64                `json:"amount"`
	Off        int64                `json:"off" doc:"The line's share of the coupons."`
	Source     string               `json:"source" enum:"flash,show,list"`
	Ref        string               `json:"ref,omitempty"`
}

// AppliedCoupon is a coupon that a quote uses.
type AppliedCoupon struct {
	ClaimID  string `json:"claim_id"`
	CouponID string `json:"coupon_id"`
	Title    string `json:"title"`
	Off      int64  `json:"off"`
}

// Rejection says what does not hold in a quote.
type Rejection struct {
	ClaimID string `json:"claim_id,omitempty" doc:"The coupon, or"`
	SKU     string `json:"sku_id,omitempty" doc:"the line."`
	Code    string `json:"code"`
	Message string `json:"message"`
	Need    int64  `json:"need,omitempty" doc:"What would mend it: minor units still to be spent, or pieces that may be had."`
}

// CartBody is what somebody wants of one store.
type CartBody struct {
	Lines  []CartLine `json:"lines" minItems:"1" maxItems:"50"`
	ShowID string     `json:"show_id,omitempty" maxLength:"64" doc:"The show whose prices and allotments count."`
	Claims []string   `json:"claims,omitempty" maxItems:"50" doc:"Coupons to use, by the ids of their claims."`
	Best   bool       `json:"best,omitempty" doc:"Use the coupons that save most instead."`
}

// CartLine is one SKU of a cart.
type CartLine struct {
	SKU         string                `json:"sku_id" minLength:"1" maxLength:"64"`
	Quantity    int64                 `json:"quantity" minimum:"1" maximum:"9999"`
	Attribution *commerce.Attribution `json:"attribution,omitempty" doc:"Where in a show it was put into the cart."`
}

type cartInput struct {
	StorePath
	Body CartBody
}

type orderInput struct {
	StorePath
	IdempotencyKey string `header:"Idempotency-Key" doc:"Makes a repeated request come to one order."`
	Body           struct {
		CartBody
		ExpectedTotal int64         `json:"expected_total" minimum:"0" doc:"The total of the quote that the buyer agreed to."`
		Address       order.Address `json:"address"`
		Remark        string        `json:"remark,omitempty" maxLength:"300"`
	}
}

// MyOrderPath names one of the viewer's orders.
type MyOrderPath struct {
	Order string `path:"order" doc:"The order's id."`
}

type myOrders struct {
	PageInput
	State string `query:"state" enum:"pending_payment,paid,shipped,completed,cancelled,expired,refunding,refunded" doc:"Only those in this state."`
}

type payInput struct {
	MyOrderPath
	HostInput
	ClientInput
	Body struct {
		Method    string `json:"method,omitempty" maxLength:"20" doc:"One of those that the server offers; default: its first."`
		ReturnURL string `json:"return_url,omitempty" maxLength:"2048" doc:"Where the buyer's browser goes afterwards."`
	}
}

// PaymentIntent is how the buyer goes on to pay.
type PaymentIntent struct {
	Method    string            `json:"method"`
	PayURL    string            `json:"pay_url,omitempty" doc:"A page to open."`
	QRCode    string            `json:"qr_code,omitempty" doc:"The content of a QR code to show."`
	Params    map[string]string `json:"params,omitempty" doc:"For wx.requestPayment."`
	ExpiresAt string            `json:"expires_at"`
}

// PaymentMethods are the ways to pay here.
type PaymentMethods struct {
	Methods []string `json:"methods"`
}

func (s *Server) orderOperations() {
	tags := []string{"Orders"}
	const mine = "/api/v1/me/orders"
	operation(s, huma.Operation{OperationID: "quote-cart", Method: http.MethodPost, Path: "/api/v1/stores/{store}/quotes", Tags: tags, Security: viewers, Summary: "Ask what a cart costs", Description: "Nothing is held. What cannot be had, or does not apply, stands in rejected with its reason."}, s.quoteCart)
	operation(s, huma.Operation{OperationID: "place-order", Method: http.MethodPost, Path: "/api/v1/stores/{store}/orders", Tags: tags, Security: viewers, Summary: "Order a cart", Description: "The pieces are held until the order is paid or expires. 409 with a quote: it would cost something else than expected_total, or not all can be had. Send an Idempotency-Key.", DefaultStatus: http.StatusCreated}, s.placeOrder)
	operation(s, huma.Operation{OperationID: "list-payment-methods", Method: http.MethodGet, Path: "/api/v1/payment-methods", Tags: tags, Security: public, Summary: "List the ways to pay"},
		func(context.Context, *struct{}) (*Body[PaymentMethods], error) {
			out := PaymentMethods{Methods: []string{}}
			for _, m := range s.Orders.Methods() {
				out.Methods = append(out.Methods, string(m))
			}
			return &Body[PaymentMethods]{out}, nil
		})
	operation(s, huma.Operation{OperationID: "list-my-orders", Method: http.MethodGet, Path: mine, Tags: tags, Security: viewers, Summary: "List one's own orders, newest first"},
		func(ctx context.Context, in *myOrders) (*Body[Page[order.View]], error) {
			all, err := s.Orders.List(ctx, order.Filter{Scope: order.Scope{ViewerID: viewer(ctx).ID}, State: order.State(in.State), After: in.After, Limit: in.limit()})
			if err != nil {
				return nil, err
			}
			return page(all, in.limit(), buyersView, orderCursor), nil
		})
	operation(s, huma.Operation{OperationID: "get-my-order", Method: http.MethodGet, Path: mine + "/{order}", Tags: tags, Security: viewers, Summary: "Read one's own order", Description: "With its history, payments, refunds and shipping."},
		myOrder(func(ctx context.Context, id string) (order.Order, error) {
			return s.Orders.Get(ctx, order.Scope{ViewerID: viewer(ctx).ID}, id)
		}))
	operation(s, huma.Operation{OperationID: "pay-order", Method: http.MethodPost, Path: mine + "/{order}/payments", Tags: tags, Security: viewers, Summary: "Begin, or go on with, the payment of an order"}, s.payOrder)
	operation(s, huma.Operation{OperationID: "cancel-my-order", Method: http.MethodPost, Path: mine + "/{order}/cancel", Tags: tags, Security: viewers, Summary: "Cancel an order that is not paid"},
		myOrder(func(ctx context.Context, id string) (order.Order, error) {
			return s.Orders.Cancel(ctx, order.Scope{ViewerID: viewer(ctx).ID}, order.Who{Actor: order.Buyer}, id, "")
		}))
	operation(s, huma.Operation{OperationID: "confirm-order", Method: http.MethodPost, Path: mine + "/{order}/confirm", Tags: tags, Security: viewers, Summary: "Say that the parcel has arrived"},
		myOrder(func(ctx context.Context, id string) (order.Order, error) {
			return s.Orders.Confirm(ctx, viewer(ctx), id)
		}))
}

// myOrder is an operation of a viewer on an own order that shows what became of it.
func myOrder(do func(ctx context.Context, id string) (order.Order, error)) func(context.Context, *MyOrderPath) (*Body[order.View], error) {
	return func(ctx context.Context, in *MyOrderPath) (*Body[order.View], error) {
		o, err := do(ctx, in.Order)
		if err != nil {
			return nil, err
		}
		return &Body[order.View]{o.BuyerView()}, nil
	}
}

func buyersView(o order.Order) order.View { return o.BuyerView() }

func orderCursor(o order.Order) string { return o.ID }

func (s *Server) quoteCart(ctx context.Context, in *cartInput) (*Body[Quote], error) {
	q, err := s.Orders.Quote(ctx, cart(ctx, in.Store, &in.Body))
	if err != nil {
		return nil, err
	}
	return &Body[Quote]{quote(&q)}, nil
}

func (s *Server) placeOrder(ctx context.Context, in *orderInput) (*Body[order.View], error) {
	o, err := s.Orders.Place(ctx, order.Placing{
		Cart: cart(ctx, in.Store, &in.Body.CartBody), Buyer: viewer(ctx), Expects: in.Body.ExpectedTotal, Address: in.Body.Address, Remark: in.Body.Remark,
	})
	var changed *order.Changed
	if errors.As(err, &changed) {
		return nil, s.changed(ctx, err, changed)
	}
	if err != nil {
		return nil, err
	}
	return &Body[order.View]{o.BuyerView()}, nil
}

// changedProblem is a 409 that says what the order would cost now.
type changedProblem struct {
	huma.ErrorModel
	Quote Quote `json:"quote"`
}

func (s *Server) changed(ctx context.Context, err error, c *order.Changed) error {
	p := &changedProblem{Quote: quote(&c.Quote)}
	if m, ok := s.problem(ctx, "place-order", err).(*huma.ErrorModel); ok { //nolint:errorlint // made by problem itself
		p.ErrorModel = *m
	}
	return p
}

func (s *Server) payOrder(ctx context.Context, in *payInput) (*Body[PaymentIntent], error) {
	base := s.base(in.HostInput)
	i, err := s.Orders.Pay(ctx, viewer(ctx), in.Order, order.PayAsk{
		Method: payment.Method(in.Body.Method), ClientIP: s.ClientAddr(in.r).String(), BaseURL: base, ReturnURL: in.Body.ReturnURL,
	})
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(i.PayURL, "/") {
		i.PayURL = base + i.PayURL
	}
	return &Body[PaymentIntent]{PaymentIntent{
		Method: string(i.Method), PayURL: i.PayURL, QRCode: i.QRCode, Params: i.Params, ExpiresAt: overlay.FormatWall(i.ExpiresAt),
	}}, nil
}

func cart(ctx context.Context, storeID string, b *CartBody) order.Cart {
	c := order.Cart{StoreID: storeID, ViewerID: viewer(ctx).ID, ShowID: b.ShowID, Claims: b.Claims, Best: b.Best}
	for _, l := range b.Lines {
		line := order.CartLine{SKU: l.SKU, Quantity: l.Quantity}
		if l.Attribution != nil {
			line.Attribution = *l.Attribution
		}
		c.Lines = append(c.Lines, line)
	}
	return c
}

func quote(q *order.Quote) Quote {
	out := Quote{
		StoreID: q.StoreID, Currency: q.Currency, Lines: []QuoteLine{}, Subtotal: q.Subtotal, Off: q.Off, ShippingFee: q.ShippingFee, Total: q.Total,
		Applied: []AppliedCoupon{}, Rejected: []Rejection{},
	}
	goods := map[string]commerce.Sellable{}
	for _, g := range q.Goods {
		goods[g.SKU] = g
	}
	for _, l := range q.Lines {
		g := goods[l.SKU]
		out.Lines = append(out.Lines, QuoteLine{
			SKU: l.SKU, ProductID: l.ProductID, Title: g.Title, ImageURL: g.ImageURL, Attributes: g.Attributes, Quantity: l.Quantity,
			Unit: l.Unit, List: l.List, Amount: l.Amount, Off: l.Off, Source: string(l.Source), Ref: l.Ref,
		})
	}
	for _, a := range q.Applied {
		out.Applied = append(out.Applied, AppliedCoupon(a))
	}
	for _, r := range q.Rejected {
		out.Rejected = append(out.Rejected, Rejection{ClaimID: r.ClaimID, SKU: r.SKU, Code: string(r.Code), Message: r.Message, Need: r.Need})
	}
	return out
}
