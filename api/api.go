// Package api is Vitrine's HTTP surface: the JSON API with its OpenAPI document, the addresses of live and replay media,
// the pages, and what operations needs. It is transport only: it decodes, asks a domain, and encodes.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/lottery"
	"github.com/vitrine-live/vitrine/commerce/offer"
	"github.com/vitrine-live/vitrine/commerce/webhook"
	"github.com/vitrine-live/vitrine/internal/clientaddr"
	"github.com/vitrine-live/vitrine/internal/memo"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/overlay/audience"
	"github.com/vitrine-live/vitrine/replay"
)

// Deps are the domains behind the surface.
type Deps struct {
	Rooms     *live.Rooms
	Catalogue *commerce.Catalogue
	Timeline  *overlay.Timeline
	Channel   Channel
	Archive   *replay.Archive // nil when nothing is recorded
	Imports   *live.Imports
	People    *account.People
	Audit     *account.Audit
	Viewers   *account.Viewers
	WeChat    *WeChat // nil: there is no mini-program
	Webhooks  *webhook.Service
	Lotteries *lottery.Service
	Offers    *offer.Service
	Comments  *audience.Comments
	Likes     *audience.Likes
	Store     Store
	Viewer    http.Handler // the page of a room
	Studio    http.Handler // the page of its anchor; nil: none
	Push      http.Handler // the service worker behind reminders; nil: none
	Assets    http.Handler // what the pages load, below /assets/
	Gatherer  prometheus.Gatherer
	Log       *slog.Logger
	Now       func() time.Time // nil: time.Now
	CatalogueDeps
	FunnelDeps
	PayDeps
	OrderDeps
	StyleDeps
	HighlightDeps
	ReplayDeps
	ClipDeps
	RetentionDeps

	// AdminTokenHash is the hex SHA-256 of the admin token.
	AdminTokenHash string
	Version        string
	// PublicURL is the server's address as viewers know it; empty: each request's own host.
	PublicURL     string
	RTMPPort      int
	RTMPSPort     int  // 0: off
	HTTPSPort     int  // 0: off
	WHIP          bool // WebRTC publishers are taken below /whip
	PublicMetrics bool
	// MaxWrongKeys is how many wrong stream keys a minute one network may try; 0: 10.
	MaxWrongKeys int
	// ClientAddr tells where a request comes from; nil: from where its connection does.
	ClientAddr func(*http.Request) netip.Addr
	// Middlewares run after authorisation, before anything of a request beyond its address is read.
	Middlewares huma.Middlewares
	// Ready reports why the server cannot do its work, if it cannot.
	Ready func(context.Context) error
}

// Channel serves the realtime channel of a room.
type Channel interface {
	Serve(w http.ResponseWriter, r *http.Request, roomID string)
}

// Server is the HTTP surface. Its Handler is safe for concurrent use.
type Server struct {
	Deps
	mux       *http.ServeMux
	api       huma.API
	wrongKeys *wrongKeys
	origins   *http.CrossOriginProtection
	timelines *memo.Cache[*toldShow]
}

// New builds the surface.
func New(deps Deps) *Server {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.ClientAddr == nil {
		deps.ClientAddr = clientaddr.Finder{}.Of
	}
	s := &Server{
		Deps: deps, mux: http.NewServeMux(), wrongKeys: newWrongKeys(deps.MaxWrongKeys), origins: ownPages(deps.PublicURL), timelines: newTimelines(),
	}
	s.api = humago.New(s.mux, s.describe())
	s.api.UseMiddleware(append(huma.Middlewares{s.authorize}, deps.Middlewares...)...)
	s.roomOperations()
	s.bagOperations()
	s.pinOperations()
	s.showOperations()
	s.replayOperations()
	s.importOperations()
	s.studioOperations()
	s.productOperations()
	s.stockOperations()
	s.auditQueueOperations()
	s.showPriceOperations()
	s.imageOperations()
	s.clipAssetOperations()
	s.exchangeOperations()
	s.lotteryOperations()
	s.offerOperations()
	s.commentOperations()
	s.orderOperations()
	s.storeOrderOperations()
	s.allotmentOperations()
	s.paymentOperations()
	s.publicOperations()
	s.viewerOperations()
	s.sessionOperations()
	s.storeOperations()
	s.staffOperations()
	s.tokenOperations()
	s.auditOperations()
	s.webhookOperations()
	s.mallOperations()
	s.reconciliationOperations()
	s.scheduleOperations()
	s.reminderOperations()
	s.eventOperations()
	s.shareCodeOperations()
	s.reportOperations()
	s.highlightOperations()
	s.clipOperations()
	s.retentionOperations()
	s.statusOperations()
	s.mediaRoutes()
	s.pageRoutes()
	s.operationsRoutes()
	return s
}

// Handler returns the handler of the whole surface.
func (s *Server) Handler() http.Handler {
	return s.recovered(s.logged(s.idempotent(s.mux)))
}

// OpenAPI returns the API's description.
func (s *Server) OpenAPI() *huma.OpenAPI { return s.api.OpenAPI() }

func (s *Server) describe() huma.Config {
	c := huma.DefaultConfig("Vitrine", s.Version)
	c.Info.Description = "Live shows, the products pinned to them, and their replays. Times within a show are show time: milliseconds from its first picture, without the gaps of reconnects, equal to a player's position in the replay."
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.OpenAPIPath = "/openapi"
	c.DocsPath = ""
	c.SchemasPath = ""
	c.CreateHooks = nil // no $schema member in answers
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.Components.SecuritySchemes = securitySchemes
	c.Tags = []*huma.Tag{
		{Name: "Rooms", Description: "Lasting places to broadcast from, each with a stream key."},
		{Name: "Products", Description: "What is sold."},
		{Name: "Orders", Description: "What is bought: quotes, orders, payments, refunds, parcels."},
		{Name: "Stock", Description: "Pieces, and what is set aside of them."},
		{Name: "Pins", Description: "Products on screen, placed on the show's clock."},
		{Name: "Shows", Description: "Broadcasts: scheduled, live, interrupted, ended."},
		{Name: "Replays", Description: "What becomes of shows that are over: cut, in chapters, public or not. The recording itself is never changed."},
		{Name: "Studio", Description: "What the anchor's page asks, with the room's stream key."},
		{Name: "Viewers", Description: "Who watches, and what a viewer's page may ask."},
		{Name: "Stores", Description: "The shops of merchants."},
		{Name: "Staff", Description: "Who works in a store, how they sign in, programs with tokens, and what all of them did."},
		{Name: "Payments", Description: "Whether the books of payment providers and ours agree."},
		{Name: "External malls", Description: "Products that are bought elsewhere: links that say where a buyer came from, and reports of the orders."},
		{Name: "Webhooks", Description: "Where a store's events are sent."},
		{Name: "Coupons", Description: "What viewers claim, in shows or in the store, and orders use."},
		{Name: "Flash sales", Description: "Pieces set aside and sold for less, on the clock of a show."},
		{Name: "Red packets", Description: "Coupons of random size: first come, first served."},
		{Name: "Lotteries", Description: "Draws that nobody can steer and everybody can recompute."},
		{Name: "Reminders", Description: "Viewers who want to be told when a show begins."},
		{Name: "Clips", Description: "Pieces of shows, to share and to post."},
		{Name: "Comments", Description: "What viewers say and like during a show, and those who keep it civil."},
		{Name: "Reports", Description: "What viewers did on their way to an order, and what shows brought in."},
		{Name: "Highlights", Description: "Moments of a show that its audience answered to, and the signals that tell."},
		{Name: "Operations", Description: "State of the server."},
	}
	return c
}

// operation registers h under op; errors of the domains become problem details.
func operation[I, O any](s *Server, op huma.Operation, h func(context.Context, *I) (*O, error)) {
	if op.Security == nil {
		op.Security = admins
	}
	mustBePlaced(&op)
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if status := huma.StatusError(nil); errors.As(err, &status) {
			return nil, status // made up as an answer already
		}
		if err != nil {
			return nil, s.problem(ctx, op.OperationID, err)
		}
		return out, nil
	})
}

// Body is an answer with a JSON body.
type Body[T any] struct{ Body T }

// Empty is an answer without a body.
type Empty struct{}
