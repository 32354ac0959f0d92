package order

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// maxRemark is how many characters a buyer may add.
const maxRemark = 300

// Placing is a cart whose buyer agrees to its price.
type Placing struct {
	Cart
	Buyer   account.Viewer
	Expects int64 // the total that the buyer was told
	Address Address
	Remark  string
}

// Place makes an order of a cart: its pieces are held until it is paid or expires. An order that costs nothing is paid at
// once.
//
// Conflict: a *Changed where the order would cost something else than its buyer expects, or hold something else, a
// *SoldOut, or a limit per buyer. Invalid names the field.
func (s *Service) Place(ctx context.Context, in Placing) (Order, error) {
	const op = "order.Place"
	at := s.at()
	in.ViewerID = in.Buyer.ID
	in.Address.trim()
	if err := in.validate(); err != nil {
		return Order{}, errs.Wrap(op, err)
	}
	if err := s.turnAway(&in.Cart); err != nil {
		return Order{}, err
	}
	p, err := s.price(ctx, &in.Cart, at)
	if err != nil {
		return Order{}, errs.Wrap(op, err)
	}
	if p.Total != in.Expects || len(p.Lines) != len(in.Lines) {
		s.Count("price_changed")
		return Order{}, &Changed{p.Quote}
	}
	placement := p.placement(&in, at, s.cfg.Expiry)
	if err := s.enter(ctx, in.ShowID, placement); err != nil {
		return Order{}, errs.Wrap(op, err)
	}
	left, err := s.Store.PlaceOrder(ctx, placement)
	if err != nil {
		var soldOut *SoldOut
		if !errors.As(err, &soldOut) {
			s.giveBack(ctx, &placement)
		}
		s.Count("refused_" + errs.KindOf(err).String())
		return Order{}, errs.Wrap(op, err)
	}
	s.Count("placed")
	s.announce.changed(ctx, &placement.Order, "", left)
	return placement.Order, nil
}

func (in *Placing) validate() error {
	if utf8.RuneCountInString(in.Remark) > maxRemark || !utf8.ValidString(in.Remark) || strings.ContainsRune(in.Remark, 0) {
		return errs.Field("order.Place", "remark", "the remark must be text of at most %d characters", maxRemark)
	}
	return in.Address.Validate()
}

// placement is the order with the pools that its pieces may come from.
func (p *priced) placement(in *Placing, at time.Time, expiry time.Duration) Placement {
	o := Order{
		StoreID: in.StoreID, ViewerID: in.Buyer.ID, Buyer: in.Buyer.Name, State: Pending, Currency: p.Currency, Subtotal: p.Subtotal,
		Off: p.Off, ShippingFee: p.ShippingFee, Total: p.Total, Address: in.Address, Remark: strings.TrimSpace(in.Remark),
		CreatedAt: at, UpdatedAt: at, ExpiresAt: at.Add(expiry),
	}
	o.ID, o.No = NewID(at)
	o.tell(at, Who{Actor: Buyer}, WasPlaced, func(e *Entry) { e.Amount = o.Total })
	hold := Held
	if o.Total == 0 { // no provider takes nothing
		hold, o.State, o.PaidAt = Sold, Paid, at
		o.tell(at, Who{Actor: Clock}, WasPaid)
	}
	out := Placement{}
	for i, q := range p.Lines {
		g := &p.Goods[i]
		o.Lines = append(o.Lines, Line{
			N: i + 1, SKU: q.SKU, ProductID: q.ProductID, Quantity: q.Quantity, Unit: q.Unit, Amount: q.Amount, Off: q.Off,
			Source: string(q.Source), Ref: q.Ref, Hold: hold, Attribution: in.Lines[i].Attribution,
			Item: Item{Code: g.Code, Title: g.Title, ImageURL: g.ImageURL, Attributes: g.Attributes, List: g.Price, PerBuyer: g.PerBuyer},
		})
		out.Pools = append(out.Pools, p.poolIDs(i))
	}
	for _, a := range p.Applied {
		o.Offers = append(o.Offers, Offer{a.ClaimID, a.CouponID, a.Title, a.Off})
	}
	out.Order = o
	return out
}

func (p *priced) poolIDs(line int) (ids []string) {
	g := &p.Goods[line]
	if !g.Tracked {
		return nil
	}
	for _, pool := range p.candidates(g.SKU) {
		ids = append(ids, pool.ID)
	}
	if len(ids) == 0 { // there is no such pool any more: asking the one that always is says so
		ids = []string{g.SKU}
	}
	return ids
}
