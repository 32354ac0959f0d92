package offer

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// prepared fills in and checks what is to be stored of a sale, and returns what viewers are told when it begins.
func (s *Service) prepared(ctx context.Context, op string, f *FlashSale) (*Drop, error) {
	if err := s.describe(ctx, op, f); err != nil {
		return nil, err
	}
	if err := f.validate(op); err != nil {
		return nil, err
	}
	return s.announcement(ctx, op, f)
}

// CreateFlashSale prepares a flash sale of a SKU; with StartsAtMS it starts by itself on the clock of its show. Invalid
// names the field; NotFound: the store has no such SKU or show; Conflict: the SKU cannot be sold, or the show has ended.
func (s *Service) CreateFlashSale(ctx context.Context, f FlashSale) (FlashSale, error) {
	const op = "offer.CreateFlashSale"
	f.ID, f.State = ids.New(flashPrefix), Ready
	f.PoolID, f.CreatedAt = f.ID, s.at()
	f.UpdatedAt = f.CreatedAt
	drop, err := s.prepared(ctx, op, &f)
	if err != nil {
		return FlashSale{}, err
	}
	if err := s.store.CreateFlashSale(ctx, f, drop); err != nil {
		return FlashSale{}, errs.Wrap(op, err)
	}
	s.tell(ctx)
	return f, nil
}

// describe fills in the goods as they are now.
func (s *Service) describe(ctx context.Context, op string, f *FlashSale) error {
	found, err := s.goods.Sellable(ctx, []string{f.SKU}, "", s.at())
	if err != nil {
		return errs.Wrap(op, err)
	}
	g := found[0]
	switch {
	case g.StoreID != f.StoreID:
		return errs.New(errs.NotFound, op, "there is no SKU %s in this store", f.SKU)
	case g.Refused != "":
		return errs.New(errs.Conflict, op, "this SKU cannot go on sale: %s", g.Refused)
	case !g.Tracked:
		return errs.New(errs.Conflict, op, "nobody counts the pieces of this SKU: give it a stock, so that pieces can be set aside")
	}
	f.Goods = Goods{SKU: g.SKU, ProductID: g.ProductID, Title: g.Title, ImageURL: g.ImageURL, ListPrice: g.Price, Currency: g.Currency}
	return nil
}

// announcement is what the timeline is to say of a sale with a set start; nil when it has none.
func (s *Service) announcement(ctx context.Context, op string, f *FlashSale) (*Drop, error) {
	if f.ShowID == "" {
		return nil, nil //nolint:nilnil // nothing to be said is an answer
	}
	show, err := s.shows.ShopShow(ctx, f.ShowID)
	switch {
	case err != nil:
		return nil, errs.Wrap(op, err)
	case show.StoreID != f.StoreID:
		return nil, errs.New(errs.NotFound, op, "there is no show %s in this store", f.ShowID)
	case show.Ended():
		return nil, errs.New(errs.Conflict, op, "the show has ended: choose another")
	case f.StartsAtMS == nil:
		return nil, nil //nolint:nilnil // likewise
	}
	clock, _ := s.clock(&show)
	return f.drop(Announced, f.announceAt(clock), s.at()), nil
}

// drop is the sale's place on the timeline, saying something from a show time on.
func (f *FlashSale) drop(says Saying, ms int64, at time.Time) *Drop {
	return &Drop{
		ShowID: f.ShowID, OfferID: f.ID, StoreID: f.StoreID, Kind: FlashSaleKind, ShowTimeMS: ms, DroppedAt: at, Saying: says, StateMS: &ms, Seq: 1,
	}
}

// FlashSale returns a flash sale of a store. NotFound.
func (s *Service) FlashSale(ctx context.Context, storeID, id string) (FlashSale, error) {
	f, err := s.store.FlashSale(ctx, storeID, id)
	return f, errs.Wrap("offer.FlashSale", err)
}

// ListFlashSales lists the flash sales of a store, newest first.
func (s *Service) ListFlashSales(ctx context.Context, storeID string, beforeID string, limit int) ([]FlashSale, error) {
	all, err := s.store.FlashSales(ctx, storeID, beforeID, limit)
	return all, errs.Wrap("offer.ListFlashSales", err)
}

// DeleteFlashSale removes a sale that never started. Conflict: it runs or ran. NotFound.
func (s *Service) DeleteFlashSale(ctx context.Context, storeID, id string) error {
	s.telling.Lock() // nobody is told of it while it goes
	defer s.telling.Unlock()
	return errs.Wrap("offer.DeleteFlashSale", s.store.DeleteFlashSale(ctx, storeID, id))
}

// Start is when a sale is to start; the zero Start is now.
type Start struct {
	AtMS *int64        // show time, or
	In   time.Duration // from where the clock stands
}

// StartSale starts a ready sale in a show, now or at a place ahead on its clock. Conflict: it is not ready, the show is not
// on air, too few pieces are free, or the SKU has another sale; NotFound: the show's store has no such sale.
func (s *Service) StartSale(ctx context.Context, showID, id string, start Start) (FlashSale, error) {
	const op = "offer.StartSale"
	show, when, err := s.place(ctx, op, showID, start.AtMS)
	if err != nil {
		return FlashSale{}, err
	}
	if start.In < 0 || start.In > MaxCountdown {
		return FlashSale{}, errs.Field(op, "in_s", "must be 0 to %d", int64(MaxCountdown.Seconds()))
	}
	when += start.In.Milliseconds()
	f, err := s.store.FlashSale(ctx, show.StoreID, id)
	if err != nil {
		return FlashSale{}, errs.Wrap(op, err)
	}
	if err := f.startable(op, showID); err != nil {
		return FlashSale{}, err
	}
	f.ShowID = showID
	if clock, here := s.clock(&show); here && when <= clock {
		err = s.start(ctx, &f, when)
	} else {
		err = s.schedule(ctx, op, &f, when, clock)
	}
	if err != nil {
		return FlashSale{}, errs.Wrap(op, err)
	}
	s.tell(ctx)
	return s.FlashSale(ctx, f.StoreID, id)
}

func (f *FlashSale) startable(op, showID string) error {
	switch {
	case f.State != Ready:
		return errs.New(errs.Conflict, op, "the sale has started already: prepare another one")
	case f.ShowID != "" && f.ShowID != showID:
		return errs.New(errs.Conflict, op, "the sale was prepared for another show: start it there, or prepare one for this show")
	}
	return nil
}

// schedule sets the start of a ready sale.
func (s *Service) schedule(ctx context.Context, op string, f *FlashSale, when, clock int64) error {
	at, showID := s.at(), f.ShowID
	_, err := s.store.UpdateFlashSale(ctx, f.StoreID, f.ID, func(f *FlashSale) (*Drop, error) {
		if err := f.startable(op, showID); err != nil {
			return nil, err
		}
		f.ShowID, f.StartsAtMS, f.UpdatedAt = showID, &when, at
		return f.drop(Announced, f.announceAt(clock), at), f.validate(op)
	})
	return err
}

// start makes a ready sale run from a show time on.
func (s *Service) start(ctx context.Context, f *FlashSale, when int64) error {
	f.State, f.StartedAt = Running, s.at()
	f.StartsAtMS, f.EndsAtMS, f.UpdatedAt = &when, f.endOf(when), f.StartedAt
	if err := s.store.StartFlashSale(ctx, *f, *f.drop(Started, when, f.StartedAt)); err != nil {
		return err
	}
	s.count("flash_sale_started")
	return nil
}

// StopSale stops a sale, or calls a set start off; its pieces go back. One that is over stays as it is. NotFound: the show
// has no such sale.
func (s *Service) StopSale(ctx context.Context, showID, id string) (FlashSale, error) {
	const op = "offer.StopSale"
	show, err := s.shows.ShopShow(ctx, showID)
	if err != nil {
		return FlashSale{}, errs.Wrap(op, err)
	}
	f, err := s.store.FlashSale(ctx, show.StoreID, id)
	if err != nil {
		return FlashSale{}, errs.Wrap(op, err)
	}
	if f.ShowID != showID {
		return FlashSale{}, errs.New(errs.NotFound, op, "the show has no flash sale %s", id)
	}
	if err := s.stop(ctx, f, ByHand, nil); err != nil {
		return FlashSale{}, errs.Wrap(op, err)
	}
	s.tell(ctx)
	return s.FlashSale(ctx, show.StoreID, id)
}

// stop ends a sale at a show time; nil: where the clock stands.
func (s *Service) stop(ctx context.Context, f FlashSale, because Because, ms *int64) error {
	f.State, f.Because, f.StoppedAt = Over, because, s.at()
	f.UpdatedAt = f.StoppedAt
	if ms != nil {
		f.EndsAtMS = ms
	}
	stopped, err := s.store.StopFlashSale(ctx, f)
	if stopped {
		s.count("flash_sale_stopped")
	}
	return err
}

// PoolChanged looks whether the pool of a running flash sale has just run out, or has pieces again, and tells viewers at
// once. It is to be called after an order took from the pool or gave back to it; for other pools it does nothing.
func (s *Service) PoolChanged(ctx context.Context, poolID string) {
	if !ids.Valid(flashPrefix, poolID) {
		return
	}
	turned, err := s.store.TurnFlashSale(ctx, poolID, s.at())
	if err != nil {
		s.log.ErrorContext(ctx, "flash sale not looked at: it is tried again", "pool", poolID, "error", err)
		return
	}
	if turned {
		s.count("flash_sale_turned")
		s.tell(ctx)
	}
}

// FlashFor returns the flash sales that run for SKUs, by SKU, with how many pieces the viewer may still have of each: what
// held and sold lines of the viewer's orders took counts. A sale that is sold out still runs.
func (s *Service) FlashFor(ctx context.Context, skuIDs []string, viewerID string, _ time.Time) (map[string]Flash, error) {
	sales, had, err := s.store.FlashFor(ctx, skuIDs, viewerID)
	if err != nil {
		return nil, errs.Wrap("offer.FlashFor", err)
	}
	all := make(map[string]Flash, len(sales))
	for _, f := range sales {
		left := int64(-1)
		if f.PerBuyer > 0 {
			left = max(f.PerBuyer-had[f.ID], 0)
		}
		all[f.SKU] = Flash{ID: f.ID, PoolID: f.PoolID, Unit: f.Price, PerBuyerLeft: left}
	}
	return all, nil
}
