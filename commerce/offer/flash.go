package offer

import (
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// FlashState is that of a flash sale.
type FlashState string

// The states of a flash sale, each once.
const (
	Ready   FlashState = "ready" // prepared; it may wait for its time
	Running FlashState = "running"
	Over    FlashState = "stopped"
)

// Because says why a flash sale stopped.
type Because string

// The reasons.
const (
	ByHand    Because = "by_hand"
	TimeUp    Because = "time_up"
	ShowEnded Because = "show_ended"
	NoStock   Because = "no_stock"   // fewer pieces were free than it needs when its time came
	SaleRuns  Because = "other_sale" // another sale of the SKU ran when its time came
)

// The limits of a flash sale.
const (
	MaxPiecesOnSale = 1_000_000
	MaxDuration     = 24 * time.Hour
	MaxCountdown    = time.Hour
)

// Goods is a SKU as viewers of a flash sale see it, as it was when the sale was prepared.
type Goods struct {
	SKU       string `json:"sku_id"`
	ProductID string `json:"product_id"`
	Title     string `json:"title"`
	ImageURL  string `json:"image_url"`
	ListPrice int64  `json:"list_price"`
	Currency  string `json:"currency"`
}

// FlashSale sells some pieces of a SKU for less, for a time on the clock of a show. That clock stands still while the show is
// interrupted, and so does the sale's remaining time.
type FlashSale struct {
	ID      string // "fls_…"
	StoreID string
	ShowID  string // empty until it is known
	State   FlashState
	Goods
	Price    int64 // minor units a piece
	Quantity int64 // pieces set aside when it starts
	PerBuyer int64 // 0: any number
	PoolID   string
	// Pool is the level of the pieces set aside; zero before the start.
	Pool      stock.Level
	Countdown time.Duration // how long before a set start viewers are told
	Duration  time.Duration // of show time; 0: until it is stopped
	// StartsAtMS is the show time of a set start, or of the start that was; nil: by hand. EndsAtMS likewise of the end.
	StartsAtMS *int64
	EndsAtMS   *int64
	SoldOut    bool // as viewers were told last
	StartedAt  time.Time
	StoppedAt  time.Time
	Because    Because
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

func (f *FlashSale) validate(op string) error {
	switch {
	case f.Price < 0 || f.Price > commerce.MaxAmount:
		return errs.Field(op, "price", "the price must be 0 to %d minor units", commerce.MaxAmount)
	case f.Price >= f.ListPrice:
		return errs.Field(op, "price", "the price of a flash sale must be below the ordinary one of %s", commerce.Money{Amount: f.ListPrice, Currency: f.Currency})
	case f.Quantity < 1 || f.Quantity > MaxPiecesOnSale:
		return errs.Field(op, "quantity", "a flash sale has 1 to %d pieces", MaxPiecesOnSale)
	case f.PerBuyer < 0 || f.PerBuyer > f.Quantity:
		return errs.Field(op, "per_buyer", "one buyer may have 0 (any number) to %d pieces", f.Quantity)
	case f.Duration < 0 || f.Duration > MaxDuration:
		return errs.Field(op, "duration_s", "a flash sale lasts 0 (until it is stopped) to %d s", int64(MaxDuration.Seconds()))
	case f.Countdown < 0 || f.Countdown > MaxCountdown:
		return errs.Field(op, "countdown_s", "viewers are told 0 to %d s before", int64(MaxCountdown.Seconds()))
	case f.StartsAtMS != nil && (*f.StartsAtMS < 0 || *f.StartsAtMS > MaxShowTime.Milliseconds()):
		return errs.Field(op, "starts_at_ms", "the start must be 0 to %d ms of show time", MaxShowTime.Milliseconds())
	case f.StartsAtMS != nil && f.ShowID == "":
		return errs.Field(op, "show_id", "name the show on whose clock the sale starts")
	}
	return nil
}

// MaxShowTime is the end of every show's clock.
const MaxShowTime = 7 * 24 * time.Hour

// endOf is where a sale that starts at a show time ends; nil: when it is stopped.
func (f *FlashSale) endOf(startMS int64) *int64 {
	if f.Duration == 0 {
		return nil
	}
	return new(startMS + f.Duration.Milliseconds())
}

// announceAt is the show time at which viewers are told of a set start, given where the clock stands.
func (f *FlashSale) announceAt(clock int64) int64 {
	return max(*f.StartsAtMS-f.Countdown.Milliseconds(), clock, 0)
}

// Flash is a running flash sale as checkout needs it.
type Flash = struct {
	ID, PoolID   string
	Unit         int64
	PerBuyerLeft int64 // pieces that this buyer may still have; negative: any number
}
