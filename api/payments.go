package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

type notificationInput struct {
	ClientInput
	Provider string `path:"provider" doc:"The provider's name."`
	RawBody  []byte
}

// paymentOperations are what providers call, and the page of the sandbox.
func (s *Server) paymentOperations() {
	operation(s, huma.Operation{
		OperationID: "report-payment", Method: http.MethodPost, Path: "/api/v1/payments/{provider}/notifications", Tags: []string{"Orders"}, Security: public,
		Summary:       "Take a payment provider's report",
		Description:   "For providers alone: what they have not signed is refused. A report may come twice, late and in any order.",
		DefaultStatus: http.StatusNoContent, MaxBodyBytes: 64 << 10,
	}, func(ctx context.Context, in *notificationInput) (*Empty, error) {
		// What was received is carried through even when the provider hangs up.
		return &Empty{}, s.Orders.Notification(context.WithoutCancel(ctx), in.Provider, in.r.Header, in.RawBody)
	})
	if s.SandboxPage != nil {
		s.mux.Handle("/pay/sandbox/", s.SandboxPage)
	}
}
