package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/order"
)

// OrderPath names an order of a store in an address.
type OrderPath struct {
	StorePath
	Order string `path:"order" doc:"The order's id."`
}

// OrderFilter selects orders of a store.
type OrderFilter struct {
	State  string    `query:"state" enum:"pending_payment,paid,shipped,completed,cancelled,expired,refunding,refunded" doc:"Only those in this state."`
	ShowID string    `query:"show_id" maxLength:"64" doc:"Only those with something ordered from this show."`
	Text   string    `query:"q" maxLength:"60" doc:"An order number, or part of a recipient's name or phone number."`
	Since  time.Time `query:"since" doc:"Ordered then or later."`
	Until  time.Time `query:"until" doc:"Ordered before then."`
}

func (f *OrderFilter) filter(storeID string) order.Filter {
	return order.Filter{
		Scope: order.Scope{StoreID: storeID}, State: order.State(f.State), ShowID: f.ShowID, Text: f.Text, Since: f.Since, Until: f.Until,
	}
}

type storeOrders struct {
	StorePath
	OrderFilter
	PageInput
}

type shipmentInput struct {
	OrderPath
	Body struct {
		Carrier string `json:"carrier" minLength:"1" maxLength:"60"`
		Number  string `json:"number,omitempty" maxLength:"60" doc:"Of the parcel."`
		Note    string `json:"note,omitempty" maxLength:"500" doc:"The buyer reads it."`
	}
}

type refundInput struct {
	OrderPath
	IdempotencyKey string `header:"Idempotency-Key" doc:"Makes a repeated request come to one refund."`
	Body           struct {
		Amount  int64  `json:"amount,omitempty" minimum:"0" doc:"In minor units; absent: all that is left."`
		Reason  string `json:"reason,omitempty" maxLength:"80" doc:"The buyer reads it."`
		Restock bool   `json:"restock,omitempty" doc:"All pieces are for sale again."`
		Return  []struct {
			Line   int   `json:"line" minimum:"1"`
			Pieces int64 `json:"pieces" minimum:"1"`
		} `json:"return,omitempty" maxItems:"50" doc:"Some pieces are for sale again."`
	}
}

type refundRetry struct {
	OrderPath
	Refund string `path:"refund" doc:"The number of the refund that failed."`
}

type cancelInput struct {
	OrderPath
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500" doc:"The buyer reads it."`
	}
}

type noteInput struct {
	OrderPath
	Body struct {
		Text      string `json:"text" minLength:"1" maxLength:"500"`
		StaffOnly bool   `json:"staff_only,omitempty" doc:"The buyer does not see it."`
	}
}

func (s *Server) storeOrderOperations() {
	const base = "/api/v1/stores/{store}/orders"
	tags, read, write := []string{"Orders"}, staff(account.OrdersRead), staff(account.OrdersWrite)
	operation(s, huma.Operation{OperationID: "list-orders", Method: http.MethodGet, Path: base, Tags: tags, Security: read, Summary: "List the orders of a store, newest first"},
		func(ctx context.Context, in *storeOrders) (*Body[Page[order.View]], error) {
			f := in.filter(in.Store)
			f.After, f.Limit = in.After, in.limit()
			all, err := s.Orders.List(ctx, f)
			if err != nil {
				return nil, err
			}
			return page(all, in.limit(), func(o order.Order) order.View { return o.View() }, orderCursor), nil
		})
	operation(s, huma.Operation{OperationID: "export-orders", Method: http.MethodGet, Path: base + ".csv", Tags: tags, Security: read, Summary: "Export orders as CSV", Description: "One row per line of an order, newest first. Cells that a spreadsheet would take for a formula begin with an apostrophe."}, s.exportOrders)
	operation(s, huma.Operation{OperationID: "get-order", Method: http.MethodGet, Path: base + "/{order}", Tags: tags, Security: read, Summary: "Read an order"},
		storeOrder(func(ctx context.Context, in *OrderPath) (order.Order, error) {
			return s.Orders.Get(ctx, order.Scope{StoreID: in.Store}, in.Order)
		}))
	operation(s, huma.Operation{OperationID: "ship-order", Method: http.MethodPost, Path: base + "/{order}/shipment", Tags: tags, Security: write, Summary: "Ship an order, or correct how it travels"},
		storeOrder(func(ctx context.Context, in *shipmentInput) (order.Order, error) {
			return s.Orders.Ship(ctx, in.Store, merchant(ctx), in.Order, order.Shipping(in.Body))
		}))
	operation(s, huma.Operation{OperationID: "refund-order", Method: http.MethodPost, Path: base + "/{order}/refunds", Tags: tags, Security: write, Summary: "Give money back", Description: "All or a part. The money is on its way when this answers; the order's history tells when it is there."},
		storeOrder(func(ctx context.Context, in *refundInput) (order.Order, error) {
			ask := order.RefundAsk{Amount: in.Body.Amount, Reason: in.Body.Reason, Restock: in.Body.Restock}
			for _, r := range in.Body.Return {
				ask.Return = append(ask.Return, order.Return(r))
			}
			noteChange(ctx, "amount", nil, ask.Amount)
			noteChange(ctx, "reason", nil, ask.Reason)
			return s.Orders.Refund(ctx, in.Store, merchant(ctx), in.Order, ask)
		}))
	operation(s, huma.Operation{OperationID: "retry-refund", Method: http.MethodPost, Path: base + "/{order}/refunds/{refund}/retry", Tags: tags, Security: write, Summary: "Ask again for a refund that failed"},
		storeOrder(func(ctx context.Context, in *refundRetry) (order.Order, error) {
			return s.Orders.RetryRefund(ctx, in.Store, merchant(ctx), in.Order, in.Refund)
		}))
	operation(s, huma.Operation{OperationID: "cancel-order", Method: http.MethodPost, Path: base + "/{order}/cancel", Tags: tags, Security: write, Summary: "Cancel an order that is not paid"},
		storeOrder(func(ctx context.Context, in *cancelInput) (order.Order, error) {
			return s.Orders.Cancel(ctx, order.Scope{StoreID: in.Store}, merchant(ctx), in.Order, in.Body.Reason)
		}))
	operation(s, huma.Operation{OperationID: "note-order", Method: http.MethodPost, Path: base + "/{order}/notes", Tags: tags, Security: write, Summary: "Add a note to an order's history"},
		storeOrder(func(ctx context.Context, in *noteInput) (order.Order, error) {
			return s.Orders.Note(ctx, in.Store, merchant(ctx), in.Order, in.Body.Text, in.Body.StaffOnly)
		}))
}

// storeOrder is an operation of staff on an order that shows what became of it.
func storeOrder[I any](do func(ctx context.Context, in *I) (order.Order, error)) func(context.Context, *I) (*Body[order.View], error) {
	return func(ctx context.Context, in *I) (*Body[order.View], error) {
		o, err := do(ctx, in)
		if err != nil {
			return nil, err
		}
		return &Body[order.View]{o.View()}, nil
	}
}

// merchant is who acts on an order for its store.
func merchant(ctx context.Context) order.Who {
	p := principal(ctx)
	return order.Who{Actor: order.Merchant, Name: cmp.Or(p.Name, p.ID)}
}
