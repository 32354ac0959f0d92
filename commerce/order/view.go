package order

import (
	"time"

	"github.com/vitrine-live/vitrine/commerce"
)

// View is an order as the merchant's API shows it and webhooks carry it. Amounts are in minor units of the currency, times
// in RFC 3339 with milliseconds, UTC.
type View struct {
	ID          string       `json:"id" example:"ord_0123456789abcdef"`
	No          string       `json:"no" doc:"What buyers and payment providers call the order."`
	StoreID     string       `json:"store_id"`
	ViewerID    string       `json:"viewer_id,omitempty"`
	Buyer       string       `json:"buyer,omitempty" doc:"The viewer's name as it is shown."`
	State       State        `json:"state" enum:"pending_payment,paid,shipped,completed,cancelled,expired,refunding,refunded"`
	Currency    string       `json:"currency"`
	Subtotal    int64        `json:"subtotal" doc:"Of the lines, in minor units."`
	Off         int64        `json:"off" doc:"What coupons take off."`
	ShippingFee int64        `json:"shipping_fee"`
	Total       int64        `json:"total" doc:"subtotal - off + shipping_fee."`
	Refunded    int64        `json:"refunded" doc:"Of the total, what is back with the buyer."`
	Lines       []LineView   `json:"lines"`
	Offers      []Offer      `json:"offers"`
	Address     Address      `json:"address"`
	Remark      string       `json:"remark,omitempty" doc:"The buyer's."`
	Shipping    *Shipping    `json:"shipping,omitempty"`
	Payments    []Payment    `json:"payments" doc:"Money that came in."`
	Refunds     []RefundView `json:"refunds" doc:"Money that went back or is on its way."`
	History     []EntryView  `json:"history"`
	CreatedAt   string       `json:"created_at"`
	UpdatedAt   string       `json:"updated_at"`
	ExpiresAt   string       `json:"expires_at" doc:"Until when it can be paid."`
	PaidAt      string       `json:"paid_at,omitempty"`
	ShippedAt   string       `json:"shipped_at,omitempty"`
	CompletedAt string       `json:"completed_at,omitempty"`
	EndedAt     string       `json:"ended_at,omitempty" doc:"When it was cancelled, expired or refunded."`
}

// LineView is a line of a View.
type LineView struct {
	Line        int                  `json:"line"`
	SKU         string               `json:"sku_id"`
	ProductID   string               `json:"product_id"`
	Code        string               `json:"code,omitempty"`
	Title       string               `json:"title"`
	ImageURL    string               `json:"image_url,omitempty"`
	Attributes  []commerce.Attribute `json:"attributes,omitempty"`
	Quantity    int64                `json:"quantity"`
	Unit        int64                `json:"unit" doc:"What one piece costs."`
	List        int64                `json:"list" doc:"What it costs without show price and flash sale."`
	Amount      int64                `json:"amount"`
	Off         int64                `json:"off" doc:"The line's share of the coupons."`
	Source      string               `json:"source" enum:"flash,show,list"`
	Ref         string               `json:"ref,omitempty" doc:"The flash sale or show price."`
	Hold        Hold                 `json:"hold" enum:"held,sold,released"`
	Returned    int64                `json:"returned,omitempty" doc:"Pieces that are for sale again."`
	Attribution commerce.Attribution `json:"attribution"`
}

// Payment is money that came in.
type Payment struct {
	Provider      string  `json:"provider"`
	TransactionID string  `json:"transaction_id"`
	Amount        int64   `json:"amount"`
	Currency      string  `json:"currency"`
	Outcome       Outcome `json:"outcome" enum:"accepted,late,refused,surplus,mismatch"`
	PaidAt        string  `json:"paid_at"`
}

// RefundView is a repayment of a View.
type RefundView struct {
	No        string         `json:"no"`
	Amount    int64          `json:"amount"`
	Cause     Cause          `json:"cause" enum:"merchant,late,surplus,mismatch"`
	Reason    string         `json:"reason,omitempty"`
	State     RepaymentState `json:"state" enum:"asked,pending,refunded,failed,replaced"`
	Error     string         `json:"error,omitempty"`
	CreatedAt string         `json:"created_at"`
	DoneAt    string         `json:"done_at,omitempty"`
}

// EntryView is one line of the history of a View.
type EntryView struct {
	At     string `json:"at"`
	Code   string `json:"code"`
	Actor  Actor  `json:"actor" enum:"buyer,merchant,payment,clock"`
	By     string `json:"by,omitempty"`
	Text   string `json:"text,omitempty"`
	Staff  bool   `json:"staff,omitempty" doc:"The buyer does not see it."`
	Amount int64  `json:"amount,omitempty"`
	Refund string `json:"refund,omitempty"`
}

// View renders the order for the merchant.
func (o *Order) View() View {
	v := View{
		ID: o.ID, No: o.No, StoreID: o.StoreID, ViewerID: o.ViewerID, Buyer: o.Buyer, State: o.State, Currency: o.Currency,
		Subtotal: o.Subtotal, Off: o.Off, ShippingFee: o.ShippingFee, Total: o.Total, Refunded: o.Refunded,
		Lines: lineViews(o.Lines), Offers: append([]Offer{}, o.Offers...), Address: o.Address, Remark: o.Remark,
		Payments: []Payment{}, Refunds: []RefundView{}, History: []EntryView{},
		CreatedAt: wall(o.CreatedAt), UpdatedAt: wall(o.UpdatedAt), ExpiresAt: wall(o.ExpiresAt), PaidAt: wall(o.PaidAt),
		ShippedAt: wall(o.ShippedAt), CompletedAt: wall(o.CompletedAt), EndedAt: wall(o.EndedAt),
	}
	if o.Shipping != (Shipping{}) {
		shipping := o.Shipping
		v.Shipping = &shipping
	}
	for _, r := range o.Receipts {
		v.Payments = append(v.Payments, Payment{r.Provider, r.TransactionID, r.Money.Amount, r.Money.Currency, r.Outcome, wall(r.PaidAt)})
	}
	for _, r := range o.Repayments {
		v.Refunds = append(v.Refunds, RefundView{r.No, r.Money.Amount, r.Cause, r.Reason, r.State, r.Error, wall(r.CreatedAt), wall(r.DoneAt)})
	}
	for _, e := range o.History {
		v.History = append(v.History, EntryView{wall(e.At), e.Code, e.Actor, e.By, e.Text, e.Staff, e.Amount, e.Refund})
	}
	return v
}

// BuyerView renders the order for its buyer: without what staff write to each other, and who they are.
func (o *Order) BuyerView() View {
	v := o.View()
	v.ViewerID = ""
	history := v.History
	v.History = []EntryView{}
	for _, e := range history {
		if e.Staff {
			continue
		}
		e.By = ""
		v.History = append(v.History, e)
	}
	for i := range v.Refunds {
		v.Refunds[i].Error = ""
	}
	return v
}

func lineViews(lines []Line) []LineView {
	out := make([]LineView, len(lines))
	for i, l := range lines {
		out[i] = LineView{
			Line: l.N, SKU: l.SKU, ProductID: l.ProductID, Code: l.Item.Code, Title: l.Item.Title, ImageURL: l.Item.ImageURL,
			Attributes: l.Item.Attributes, Quantity: l.Quantity, Unit: l.Unit, List: l.Item.List, Amount: l.Amount, Off: l.Off,
			Source: l.Source, Ref: l.Ref, Hold: l.Hold, Returned: l.Returned, Attribution: l.Attribution,
		}
	}
	return out
}

// wall renders an instant as all of Vitrine's answers do; the zero time is empty.
func wall(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
