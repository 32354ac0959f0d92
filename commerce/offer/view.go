package offer

import "time"

// View is an offer as viewers see it, in events and in lists. Fields that do not belong to its kind are left out. Counts
// are those of the instant of the event.
type View struct {
	Title    string `json:"title"`
	Currency string `json:"currency"`

	// Coupons and red packets.
	Amount      int64    `json:"amount,omitempty"`
	Percent     int64    `json:"percent,omitempty"`
	MaxOff      int64    `json:"max_off,omitempty"`
	MinSpend    int64    `json:"min_spend,omitempty"`
	ProductIDs  []string `json:"product_ids,omitempty"`
	Stacks      string   `json:"stacks,omitempty"`
	ClaimIn     string   `json:"claim_in,omitempty"`
	ReplayHours int64    `json:"replay_hours,omitempty"`
	ClaimUntil  string   `json:"claim_until,omitempty"`
	ValidForS   int64    `json:"valid_for_s,omitempty"`
	ValidUntil  string   `json:"valid_until,omitempty"`
	PerViewer   int64    `json:"per_viewer,omitempty"`
	Total       int64    `json:"total,omitempty"` // of a red packet

	// Flash sales.
	SKU        string `json:"sku_id,omitempty"`
	ProductID  string `json:"product_id,omitempty"`
	ImageURL   string `json:"image_url,omitempty"`
	Price      *int64 `json:"price,omitempty"`
	ListPrice  int64  `json:"list_price,omitempty"`
	PerBuyer   int64  `json:"per_buyer,omitempty"`
	StartsAtMS *int64 `json:"starts_at_ms,omitempty"`
	EndsAtMS   *int64 `json:"ends_at_ms,omitempty"`

	Quantity int64  `json:"quantity,omitempty"` // claims or pieces in all; 0: any number
	Left     *int64 `json:"left,omitempty"`     // of them; absent: any number
}

// event is the data of a timeline event: overlay.OfferData.
type event struct {
	ID    string `json:"id"`
	Open  bool   `json:"open"`
	State Saying `json:"state"`
	Offer View   `json:"offer"`
}

func (t *Terms) view(r *Rules) View {
	return View{
		Title: t.Title, Currency: t.Currency, Amount: t.Amount, Percent: t.Percent, MaxOff: t.MaxOff, MinSpend: t.MinSpend,
		ProductIDs: t.Products, Stacks: t.Stacks, ValidForS: int64(t.ValidFor / time.Second), ValidUntil: instant(t.ValidUntil),
		ClaimIn: string(r.Where), ReplayHours: int64(r.ReplayFor / time.Hour), ClaimUntil: instant(r.Until),
	}
}

// View is the coupon as viewers see it.
func (c *Coupon) View() View {
	v := c.Terms.view(&c.Rules)
	v.PerViewer, v.Quantity, v.Left = c.PerViewer, c.Quota, c.Left()
	return v
}

// View is the red packet as viewers see it.
func (p *RedPacket) View() View {
	v := p.Terms.view(&p.Rules)
	v.PerViewer, v.Total, v.Quantity, v.Left = 1, p.Total, p.Pieces, new(p.Pieces-p.Claimed)
	return v
}

// View is the flash sale as viewers see it.
func (f *FlashSale) View() View {
	v := View{
		Title: f.Title, Currency: f.Currency, SKU: f.SKU, ProductID: f.ProductID, ImageURL: f.ImageURL, Price: new(f.Price),
		ListPrice: f.ListPrice, PerBuyer: f.PerBuyer, StartsAtMS: f.StartsAtMS, EndsAtMS: f.EndsAtMS, Quantity: f.Quantity,
	}
	switch f.State {
	case Ready:
		v.Left = new(f.Quantity)
	case Running:
		v.Left = new(f.Pool.Available)
	case Over:
		v.Left = new(int64(0))
	}
	return v
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
