package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/reconcile"
	"github.com/vitrine-live/vitrine/overlay"
)

// Discrepancy is something in which the books of a payment provider differ from ours and that could not be mended.
type Discrepancy struct {
	ID         string  `json:"id" example:"dis_0123456789abcdef"`
	StoreID    string  `json:"store_id,omitempty" doc:"Absent: of no order here."`
	Provider   string  `json:"provider"`
	Kind       string  `json:"kind" enum:"unknown_payment,unknown_there,paid_here_only,amount_differs,refund_failed,refund_slow,refund_differs"`
	OrderID    string  `json:"order_id,omitempty"`
	OrderNo    string  `json:"order_no"`
	RefundNo   string  `json:"refund_no,omitempty" doc:"Absent: about the payment."`
	Detail     string  `json:"detail" doc:"What each side says, and what to do."`
	FoundAt    string  `json:"found_at"`
	SeenAt     string  `json:"seen_at" doc:"When it was found again."`
	ResolvedAt *string `json:"resolved_at,omitempty" doc:"Absent: it is open."`
	Resolution string  `json:"resolution,omitempty"`
}

// DiscrepancyFilter selects discrepancies.
type DiscrepancyFilter struct {
	PageInput
	Open bool `query:"open" doc:"Only those that are open."`
}

type storeDiscrepancies struct {
	StorePath
	DiscrepancyFilter
}

// ResolutionInput says what was done about a discrepancy.
type ResolutionInput struct {
	Discrepancy string `path:"discrepancy" doc:"The discrepancy's id."`
	Body        struct {
		Note string `json:"note" minLength:"1" maxLength:"200" doc:"What was done about it."`
	}
}

type storeResolution struct {
	StorePath
	ResolutionInput
}

func (s *Server) reconciliationOperations() {
	const base = "/api/v1/stores/{store}/reconciliation"
	tags := []string{"Payments"}
	operation(s, huma.Operation{OperationID: "list-discrepancies", Method: http.MethodGet, Path: base, Tags: tags, Security: staff(account.OrdersRead), Summary: "List where the books of payment providers differ from a store's, newest first", Description: "What can be mended is mended by itself; this is the rest."},
		func(ctx context.Context, in *storeDiscrepancies) (*Body[Page[Discrepancy]], error) {
			return s.discrepancies(ctx, in.Store, &in.DiscrepancyFilter)
		})
	operation(s, huma.Operation{OperationID: "resolve-discrepancy", Method: http.MethodPost, Path: base + "/{discrepancy}/resolve", Tags: tags, Security: staff(account.OrdersWrite), Summary: "Say that a discrepancy is dealt with", Description: "If the books still differ it is opened again."},
		func(ctx context.Context, in *storeResolution) (*Body[Discrepancy], error) {
			return s.resolve(ctx, in.Store, &in.ResolutionInput)
		})
	operation(s, huma.Operation{OperationID: "list-all-discrepancies", Method: http.MethodGet, Path: "/api/v1/reconciliation", Tags: tags, Summary: "List where the books of payment providers differ, of all stores and of none"},
		func(ctx context.Context, in *DiscrepancyFilter) (*Body[Page[Discrepancy]], error) {
			return s.discrepancies(ctx, "", in)
		})
	operation(s, huma.Operation{OperationID: "resolve-any-discrepancy", Method: http.MethodPost, Path: "/api/v1/reconciliation/{discrepancy}/resolve", Tags: tags, Summary: "Say that a discrepancy of any store is dealt with"},
		func(ctx context.Context, in *ResolutionInput) (*Body[Discrepancy], error) {
			return s.resolve(ctx, "", in)
		})
}

func (s *Server) discrepancies(ctx context.Context, storeID string, f *DiscrepancyFilter) (*Body[Page[Discrepancy]], error) {
	all, next, err := s.Books.List(ctx, storeID, f.Open, f.After, f.limit())
	if err != nil {
		return nil, err
	}
	out := page(all, 0, discrepancyOf, nil)
	if next != "" {
		out.Body.Next = &next
	}
	return out, nil
}

func (s *Server) resolve(ctx context.Context, storeID string, in *ResolutionInput) (*Body[Discrepancy], error) {
	d, err := s.Books.Resolve(ctx, storeID, in.Discrepancy, principal(ctx).Name, in.Body.Note)
	if err != nil {
		return nil, err
	}
	return &Body[Discrepancy]{discrepancyOf(d)}, nil
}

func discrepancyOf(d reconcile.Discrepancy) Discrepancy {
	return Discrepancy{
		ID: d.ID, StoreID: d.StoreID, Provider: d.Provider, Kind: string(d.Kind), OrderID: d.OrderID, OrderNo: d.OrderNo, RefundNo: d.RefundNo,
		Detail: d.Detail, FoundAt: overlay.FormatWall(d.FoundAt), SeenAt: overlay.FormatWall(d.SeenAt), ResolvedAt: optionalTime(d.ResolvedAt),
		Resolution: d.Resolution,
	}
}
