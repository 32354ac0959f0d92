package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
)

type auditInput struct {
	ProductPath
	Body struct {
		Decision string `json:"decision" enum:"approve,reject"`
		Note     string `json:"note,omitempty" maxLength:"500" doc:"A rejection needs one: what has to be mended."`
		Seen     string `json:"seen,omitempty" doc:"The updated_at of the product as it was looked at; 409 when it changed since."`
	}
}

func (s *Server) auditQueueOperations() {
	tags := []string{"Products"}
	operation(s, huma.Operation{OperationID: "list-audit-queue", Method: http.MethodGet, Path: "/api/v1/stores/{store}/audit-queue", Tags: tags, Security: staff(account.CatalogueWrite), Summary: "List the products that wait for a person to look at them, newest first", Description: "Rules look at each product as it is made and changed. What they flag is neither pinned nor sold nor seen in a bag until somebody approves it or it is changed. Pins that are there stay."},
		func(ctx context.Context, in *struct {
			StorePath
			PageInput
			State string `query:"state" enum:"flagged,rejected" default:"flagged"`
		},
		) (*Body[Page[Product]], error) {
			return s.productPage(ctx, commerce.ProductFilter{StoreID: in.Store, Audit: commerce.AuditState(in.State), Cursor: in.After, Limit: in.limit()})
		})
	operation(s, huma.Operation{OperationID: "decide-audit", Method: http.MethodPost, Path: "/api/v1/stores/{store}/products/{product}/audit", Tags: tags, Security: staff(account.CatalogueWrite), Summary: "Approve or reject a product"}, s.decideAudit)
}

func (s *Server) decideAudit(ctx context.Context, in *auditInput) (*Body[Product], error) {
	seen, err := instant("api.decideAudit", in.Body.Seen)
	if err != nil {
		return nil, err
	}
	d := commerce.Decision{Approve: in.Body.Decision == "approve", Note: in.Body.Note, By: principal(ctx).ID}
	if seen != nil {
		d.Seen = seen.Truncate(time.Millisecond)
	}
	before, err := s.Catalogue.GetIn(ctx, in.Store, in.Product)
	if err != nil {
		return nil, err
	}
	noteChange(ctx, "decision", nil, in.Body.Decision)
	p, err := s.Catalogue.Decide(ctx, in.Store, in.Product, d)
	if err != nil {
		return nil, err
	}
	return &Body[Product]{staffProduct(p)}, s.productChanged(ctx, &before, &p)
}
