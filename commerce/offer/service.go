package offer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
)

// store keeps offers. Each method is one transaction. A storeID that is not the thing's own makes it NotFound; an empty one
// stands for any store.
type store interface {
	CreateCoupon(ctx context.Context, c Coupon) error
	Coupon(ctx context.Context, storeID, id string) (Coupon, error)
	Coupons(ctx context.Context, storeID string, beforeID string, limit int) ([]Coupon, error)
	// UpdateCoupon changes a coupon, and with it what its drops say.
	UpdateCoupon(ctx context.Context, storeID, id string, change func(*Coupon) error) (Coupon, error)
	DeleteCoupon(ctx context.Context, storeID, id string) error
	// ClaimCoupon adds a claim if the coupon is active, has one left, and the viewer may have one more. last reports that it
	// was the last one: then its drops say so.
	ClaimCoupon(ctx context.Context, c Claim) (last bool, err error)
	// GiveCoupon adds a claim beside the quota and what the viewer may have, or returns the one of this id that is there.
	GiveCoupon(ctx context.Context, c Claim) (Claim, error)

	CreateRedPacket(ctx context.Context, p RedPacket, pieces []int64) error
	RedPacket(ctx context.Context, storeID, id string) (RedPacket, error)
	RedPackets(ctx context.Context, storeID string, beforeID string, limit int) ([]RedPacket, error)
	// UpdateRedPacket changes a red packet; pieces that change returns replace those that there are.
	UpdateRedPacket(ctx context.Context, storeID, id string, change func(*RedPacket) (pieces []int64, err error)) (RedPacket, error)
	DeleteRedPacket(ctx context.Context, storeID, id string) error
	// StopRedPacket ends a red packet, and its drops say so.
	StopRedPacket(ctx context.Context, storeID, id string, at time.Time) (RedPacket, error)
	// ClaimPiece adds a claim of the next piece if the red packet is active, has one left, and the viewer has none yet.
	ClaimPiece(ctx context.Context, c Claim) (claimed Claim, last bool, err error)

	Claims(ctx context.Context, viewerID string, f ClaimFilter) ([]Claim, error)
	ClaimsByID(ctx context.Context, viewerID, storeID string, ids []string) ([]Claim, error)

	CreateFlashSale(ctx context.Context, f FlashSale, d *Drop) error
	FlashSale(ctx context.Context, storeID, id string) (FlashSale, error)
	FlashSales(ctx context.Context, storeID string, beforeID string, limit int) ([]FlashSale, error)
	UpdateFlashSale(ctx context.Context, storeID, id string, change func(*FlashSale) (*Drop, error)) (FlashSale, error)
	// ReplaceFlashSale writes a ready sale anew, with what is to be said of it. Conflict: viewers were told of it, or it was not
	// last changed at that instant.
	ReplaceFlashSale(ctx context.Context, f FlashSale, was time.Time, d *Drop) error
	DeleteFlashSale(ctx context.Context, storeID, id string) error
	// OpenFlashSales lists those that run or wait for their time.
	OpenFlashSales(ctx context.Context) ([]FlashSale, error)
	// StartFlashSale sets the pieces aside and makes a ready sale run, as f says. Conflict: it is not ready any more, the
	// SKU has another sale (IsOtherSale), or too few pieces are free.
	StartFlashSale(ctx context.Context, f FlashSale, d Drop) error
	// StopFlashSale ends a sale that is not over and gives the pieces back; stopped is false when it was over.
	StopFlashSale(ctx context.Context, f FlashSale) (stopped bool, err error)
	// TurnFlashSale sets whether a running sale is sold out by the pieces of its pool, and its drop says so; turned is
	// false when that is known.
	TurnFlashSale(ctx context.Context, poolID string, at time.Time) (turned bool, err error)
	// FlashFor lists the running sales of SKUs, with the pieces that a viewer has had of each.
	FlashFor(ctx context.Context, skuIDs []string, viewerID string) ([]FlashSale, map[string]int64, error)

	// PutDrop places an active offer into a show, or says once more that it is there; a draft red packet becomes active.
	PutDrop(ctx context.Context, d Drop) (Drop, error)
	WithdrawDrop(ctx context.Context, showID, offerID string) error
	Drop(ctx context.Context, showID, offerID string) (Drop, error)
	Drops(ctx context.Context, showID string) ([]Drop, error)
	// UntoldDrops lists those of which something newer is to be said than the timeline says.
	UntoldDrops(ctx context.Context) ([]Drop, error)
	DropTold(ctx context.Context, showID, offerID string, seq int64) error
	// ForgetDrop removes a drop that viewers never heard of, unless something newer is to be said of it.
	ForgetDrop(ctx context.Context, showID, offerID string, seq int64) error
}

// shows are the broadcasts: *live.Rooms.
type shows interface {
	// Tell places an event onto the timeline of a show on air. Conflict: it is not on air here.
	Tell(ctx context.Context, showID, typ string, atMS *int64, data any) (showTimeMS int64, err error)
	// OnAirNow returns the show that a room has on air here, and where its clock stands.
	OnAirNow(roomID string) (showID string, atMS int64, ok bool)
	ShopShow(ctx context.Context, showID string) (commerce.Show, error)
}

// goods is what can be sold: *commerce.Catalogue.
type goods interface {
	Sellable(ctx context.Context, skuIDs []string, showID string, at time.Time) ([]commerce.Sellable, error)
}

// Service carries out what staff and viewers ask of offers. Safe for concurrent use. Its Run keeps the clock.
type Service struct {
	store store
	shows shows
	goods goods
	log   *slog.Logger
	count func(what string)
	now   func() time.Time

	// telling lets one speak at a time, so that what the timeline says of an offer last is what it came to last.
	telling sync.Mutex
	wake    chan struct{} // of Run; a token in it says that the shows should be looked at now
}

// Deps are what a Service works with.
type Deps struct {
	Store store
	Shows shows
	Goods goods
	Log   *slog.Logger
	// Count hears of what happened, in words fit for a label of a metric; nil: nobody does.
	Count func(what string)
	Now   func() time.Time // nil: time.Now
}

// New makes a Service. Nothing starts before its Run.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Count == nil {
		d.Count = func(string) {}
	}
	return &Service{store: d.Store, shows: d.Shows, goods: d.Goods, log: d.Log, count: d.Count, now: d.Now, wake: make(chan struct{}, 1)}
}

// at is the instant of an operation, as the store keeps it.
func (s *Service) at() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// clock returns where the clock of a show stands, and whether it is on air here.
func (s *Service) clock(show *commerce.Show) (ms int64, here bool) {
	if id, at, ok := s.shows.OnAirNow(show.RoomID); ok && id == show.ID {
		return at, true
	}
	return show.PositionMS, false
}
