package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/funnel"
	"github.com/vitrine-live/vitrine/internal/clientaddr"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// FunnelEvent is one thing that a viewer's page tells.
type FunnelEvent struct {
	ID         string `json:"id" maxLength:"64" doc:"The page's own name of the event, of [0-9A-Za-z_-]: what comes twice counts once."`
	Kind       string `json:"kind" enum:"exposure,click,add"`
	ProductID  string `json:"product_id,omitempty" maxLength:"64" doc:"May be left out beside a pin."`
	ShowID     string `json:"show_id,omitempty" maxLength:"64"`
	PinID      string `json:"pin_id,omitempty" maxLength:"64"`
	ShowTimeMS int64  `json:"show_time_ms,omitempty"`
	Source     string `json:"source" enum:"live,time_shift,replay,clip,external"`
	ShareCode  string `json:"share_code,omitempty" maxLength:"64"`
	Channel    string `json:"channel,omitempty" maxLength:"64"`
}

// FunnelEvents is a report of a page.
type FunnelEvents struct {
	Events []FunnelEvent `json:"events" maxItems:"100"`
}

// FunnelTaken is how much of a report counts.
type FunnelTaken struct {
	Accepted int            `json:"accepted"`
	Dropped  map[string]int `json:"dropped,omitempty" doc:"By reason; repeating them is no use, but for those of overload."`
}

// maxBeacon bounds a beacon; browsers send at most 64 KiB.
const maxBeacon = 64 << 10

func (s *Server) eventOperations() {
	tags := []string{"Reports"}
	operation(s, huma.Operation{
		OperationID: "report-events", Method: http.MethodPost, Path: "/api/v1/events", Tags: tags, Security: viewers, DefaultStatus: http.StatusAccepted,
		Summary:     "Tell what a viewer was shown and did",
		Description: "What cannot be is dropped and counted: unknown shows, pins and products, instants beyond the show. This server's own pages may use navigator.sendBeacon with a Blob of type application/json, the viewer's cookie says who they are. Orders are counted from the orders.",
		Middlewares: huma.Middlewares{s.addressed},
	}, func(ctx context.Context, in *struct{ Body FunnelEvents }) (*Body[FunnelTaken], error) {
		return s.takeEvents(ctx, viewer(ctx), in.Body.Events)
	})
	operation(s, huma.Operation{
		OperationID: "report-events-by-beacon", Method: http.MethodPost, Path: "/api/v1/events/beacon", Tags: tags, Security: public, DefaultStatus: http.StatusAccepted,
		Summary:      "Tell the same from a page of another site, by navigator.sendBeacon",
		Description:  "The body is text/plain, which browsers send anywhere without asking first: {\"token\": the viewer's token, \"events\": [...]}. Cookies are not looked at, so nobody is made to say anything by a page of somebody else.",
		Middlewares:  huma.Middlewares{s.addressed},
		MaxBodyBytes: maxBeacon,
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"text/plain": {Schema: &huma.Schema{Type: "string", Description: "The JSON document."}},
		}},
	}, s.takeBeacon)
}

type beaconInput struct {
	RawBody []byte `contentType:"text/plain"`
}

func (s *Server) takeBeacon(ctx context.Context, in *beaconInput) (*Body[FunnelTaken], error) {
	const op = "api.takeBeacon"
	var doc struct {
		Token string `json:"token"`
		FunnelEvents
	}
	if err := json.Unmarshal(in.RawBody, &doc); err != nil {
		return nil, errs.As(errs.Invalid, op, err, "the body must be a JSON document {\"token\": ..., \"events\": [...]}")
	}
	v, err := s.Viewers.Viewer(ctx, doc.Token)
	if err != nil {
		return nil, err
	}
	return s.takeEvents(ctx, v, doc.Events)
}

func (s *Server) takeEvents(ctx context.Context, v account.Viewer, list []FunnelEvent) (*Body[FunnelTaken], error) {
	events := make([]funnel.Event, len(list))
	for i, e := range list {
		events[i] = funnel.Event{ID: e.ID, Kind: funnel.Kind(e.Kind), ProductID: e.ProductID, Attribution: commerce.Attribution{
			ShowID: e.ShowID, PinID: e.PinID, ShowTimeMS: e.ShowTimeMS, Source: commerce.Source(e.Source), ShareCode: e.ShareCode, Channel: e.Channel,
		}}
	}
	network, _ := ctx.Value(networkKey{}).(netip.Prefix)
	taken, err := s.Funnel.Record(ctx, v, network.String(), events)
	if err != nil {
		return nil, err
	}
	out := FunnelTaken{Accepted: taken.Accepted}
	for why, n := range taken.Dropped {
		if out.Dropped == nil {
			out.Dropped = map[string]int{}
		}
		out.Dropped[string(why)] = n
	}
	return &Body[FunnelTaken]{out}, nil
}

type networkKey struct{}

// addressed notes the network that a request comes from.
func (s *Server) addressed(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	next(huma.WithValue(ctx, networkKey{}, clientaddr.Network(s.ClientAddr(r))))
}
