// Package overlay is what stands on top of the picture: the timeline of a show (pins and every other timed event), and
// the realtime channel that brings it to viewers.
package overlay

import (
	"encoding/json"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// Type names the kind of a timeline event. The names are part of the public interface.
type Type string

// The event types.
const (
	TypePin          Type = "pin"          // PinData: a product is on screen from here on
	TypeUnpin        Type = "unpin"        // UnpinData
	TypeBag          Type = "bag"          // BagData: the show's product bag changed
	TypeProduct      Type = "product"      // ProductData: a product of the bag changed (title, price, stock ...)
	TypeState        Type = "state"        // StateData: the show went live, was interrupted, ended
	TypeAnnouncement Type = "announcement" // AnnouncementData

	TypeCoupon        Type = "coupon"         // OfferData: a coupon was dropped into the show, or cannot be claimed any more
	TypeFlashSale     Type = "flash_sale"     // OfferData: started, sold out, stopped
	TypeRedPacket     Type = "red_packet"     // OfferData: dropped, empty
	TypeLottery       Type = "lottery"        // OfferData: opened, closed, drawn
	TypeStock         Type = "stock"          // StockData: a SKU is sold out, or there is some again
	TypeOrder         Type = "order"          // OrderData: somebody bought
	TypeComment       Type = "comment"        // CommentData
	TypeCommentHidden Type = "comment_hidden" // CommentHiddenData: a comment is taken back
	TypeLikes         Type = "likes"          // LikesData: so many more since the last one
)

// Event is one entry of a show's timeline, which is an append-only log.
type Event struct {
	Seq      int64 // 1 for the first of the show, rising by one
	Type     Type
	ShowTime media.Ticks
	Wall     time.Time       // ShowTime on the wall clock, by the epoch that held when the event was stored
	Data     json.RawMessage // by Type
}

// MarshalJSON renders the event as the channel, the sidecar and the API show it.
func (e Event) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Seq      int64           `json:"seq"`
		Type     Type            `json:"type"`
		ShowTime int64           `json:"show_time_ms"`
		Wall     string          `json:"wall"`
		Data     json.RawMessage `json:"data"`
	}{e.Seq, e.Type, e.ShowTime.Milliseconds(), FormatWall(e.Wall), e.Data})
}

// FormatWall renders a wall instant as every surface of Vitrine does: RFC 3339, UTC, milliseconds.
func FormatWall(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
