package overlay

import (
	"encoding/json"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/media"
)

// PinData is the data of a TypePin event.
type PinData struct {
	Pin Pin `json:"pin"`
}

// UnpinData is the data of a TypeUnpin event.
type UnpinData struct {
	PinID     string `json:"pin_id"`
	ProductID string `json:"product_id"`
}

// BagData is the data of a TypeBag event: the whole bag as it is now.
type BagData struct {
	Products []ProductSnapshot `json:"products"`
}

// ProductData is the data of a TypeProduct event: the product as it is now.
type ProductData struct {
	Product ProductSnapshot `json:"product"`
}

// StateData is the data of a TypeState event. When the state is "live", the event's show time and wall instant are
// those of the first picture of the new epoch.
type StateData struct {
	State string `json:"state"` // "live", "interrupted" or "ended"
}

// stateEnded is the state after which a timeline takes no more events.
const stateEnded = "ended"

// AnnouncementData is the data of a TypeAnnouncement event.
type AnnouncementData struct {
	Text string `json:"text"`
}

// OfferData is the data of an event about an offer. The newest event of an offer says how it stands.
type OfferData struct {
	ID string `json:"id"`
	// Open tells whether viewers can still take part: open offers stand in snapshots.
	Open  bool            `json:"open"`
	State string          `json:"state"` // by type: "dropped", "started", "sold_out", "stopped", "drawn" ...
	Offer json.RawMessage `json:"offer"` // what viewers see of it
}

// Offer is an offer that viewers can take part in, as its newest event left it.
type Offer struct {
	Type     Type        // which kind
	ShowTime media.Ticks // of the newest event
	OfferData
}

// MarshalJSON renders the offer as the channel shows it.
func (o Offer) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type     Type  `json:"type"`
		ShowTime int64 `json:"show_time_ms"`
		OfferData
	}{o.Type, o.ShowTime.Milliseconds(), o.OfferData})
}

// StockData is the data of a TypeStock event.
type StockData struct {
	ProductID string `json:"product_id"`
	SKU       string `json:"sku_id"`
	Available int64  `json:"available"`
}

// OrderData is the data of a TypeOrder event: who bought is told only in part.
type OrderData struct {
	ProductID string `json:"product_id"`
	Buyer     string `json:"buyer"` // masked
	Quantity  int64  `json:"quantity"`
}

// CommentData is the data of a TypeComment event.
type CommentData struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Text string `json:"text"`
	// Hidden says that the comment was taken back since: name and text are gone.
	Hidden bool `json:"hidden,omitempty"`
}

// CommentHiddenData is the data of a TypeCommentHidden event, which stands at the comment's show time. From then on nobody
// is given the comment: in what is read of the log its own event is empty.
type CommentHiddenData struct {
	ID string `json:"id"`
}

// LikesData is the data of a TypeLikes event.
type LikesData struct {
	Count int64 `json:"count"` // new ones
	Total int64 `json:"total"`
}

// Pin is a product on screen.
type Pin struct {
	ID        string // "pin_…"
	ProductID string
	// Featured marks the one pin that is shown large. A featured pin takes the place from the one that had it; when it
	// is unpinned, the place stays empty until the next featured pin.
	Featured bool
	ShowTime media.Ticks     // from which picture on
	Product  ProductSnapshot // as it was when pinned
}

type pinJSON struct {
	ID        string          `json:"id"`
	ProductID string          `json:"product_id"`
	Featured  bool            `json:"featured"`
	ShowTime  int64           `json:"show_time_ms"`
	Product   ProductSnapshot `json:"product"`
}

// MarshalJSON renders the pin as the channel, the sidecar and the API show it.
func (p Pin) MarshalJSON() ([]byte, error) {
	return json.Marshal(pinJSON{p.ID, p.ProductID, p.Featured, p.ShowTime.Milliseconds(), p.Product})
}

// UnmarshalJSON reads what MarshalJSON wrote; show time has come down to milliseconds on the way.
func (p *Pin) UnmarshalJSON(b []byte) error {
	var j pinJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*p = Pin{j.ID, j.ProductID, j.Featured, media.FromMilliseconds(j.ShowTime), j.Product}
	return nil
}

// ProductSnapshot is a product as viewers see it, frozen at an instant. What is bought here has its SKUs told by the API.
type ProductSnapshot struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Price    int64  `json:"price"` // minor units of Currency, the lowest of its SKUs
	Currency string `json:"currency"`
	URL      string `json:"url"`
	ImageURL string `json:"image_url"`
	Stock    *int64 `json:"stock"` // null: not shown

	Display   string `json:"display,omitempty"`        // "one", "range" or "discount"
	PriceMax  int64  `json:"price_max,omitempty"`      // the highest, where it is another one
	Original  int64  `json:"original_price,omitempty"` // what the price is compared with; 0: none
	ShowPrice *int64 `json:"show_price,omitempty"`     // the lowest in this show, where one holds
	Link      string `json:"link,omitempty"`           // "checkout", "url", "mini_program" or "none"
	SKUCount  int    `json:"sku_count,omitempty"`
}

// SnapshotOf freezes a product.
func SnapshotOf(p commerce.Product) ProductSnapshot {
	s := ProductSnapshot{
		ID: p.ID, Title: p.Title, Price: p.Price.Amount, Currency: p.Price.Currency, URL: p.URL, ImageURL: p.Image(),
		Display: string(p.Shown()), Original: p.Original, Link: string(p.Link), SKUCount: p.SKUCount,
	}
	if p.PriceMax > p.Price.Amount {
		s.PriceMax = p.PriceMax
	}
	if p.Stock != nil {
		s.Stock = new(*p.Stock)
	}
	if p.ShowPrice != nil {
		s.ShowPrice = new(*p.ShowPrice)
	}
	return s
}

// SnapshotsOf freezes products in order; the result is never nil, so that JSON shows a list.
func SnapshotsOf(products []commerce.Product) []ProductSnapshot {
	all := make([]ProductSnapshot, len(products))
	for i, p := range products {
		all[i] = SnapshotOf(p)
	}
	return all
}
