package overlay

import (
	"context"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// Pin puts a product on screen from show time at on, and returns the pin. wall is at on the wall clock.
//
// A product is on screen at most once. Pinning it again is what a second tap on the button means: the pin that is there
// is returned and nothing is stored, unless it is to be featured and is not; then it is replaced at that instant by a
// new pin, which is featured. Conflict: the product is pinned from a later instant on, or the show has ended. Exhausted:
// MaxActivePins are on screen.
func (t *Timeline) Pin(ctx context.Context, showID string, product commerce.Product, featured bool, at media.Ticks, wall time.Time) (Pin, error) {
	const op = "overlay.Pin"
	want := Pin{ProductID: product.ID, Featured: featured, ShowTime: at, Product: SnapshotOf(product)}
	var pin Pin
	_, err := t.write(ctx, showID, func(b *board) (events []Event, err error) {
		pin, events, err = b.pin(op, want, wall)
		return events, err
	})
	if err != nil {
		return Pin{}, errs.Wrap(op, err)
	}
	return pin, nil
}

// Unpin takes a pin off the screen at show time at, or at its own show time if that is later. NotFound: the show has no
// such pin. Conflict: it is off the screen already.
func (t *Timeline) Unpin(ctx context.Context, showID, pinID string, at media.Ticks, wall time.Time) error {
	const op = "overlay.Unpin"
	_, err := t.write(ctx, showID, func(b *board) ([]Event, error) { return b.unpin(op, pinID, at, wall) })
	return errs.Wrap(op, err)
}

// ActivePins returns the pins on screen at the end of the log, in the order they were stored. At most one is Featured.
func (t *Timeline) ActivePins(ctx context.Context, showID string) (pins []Pin, err error) {
	err = t.view(ctx, showID, func(l *showLog) { pins = l.board.pins() })
	return pins, errs.Wrap("overlay.ActivePins", err)
}

// Offers returns the open offers at the end of the log, in the order in which they opened.
func (t *Timeline) Offers(ctx context.Context, showID string) (offers []Offer, err error) {
	err = t.view(ctx, showID, func(l *showLog) { offers = slices.Clone(l.board.offers) })
	return offers, errs.Wrap("overlay.Offers", err)
}

// fill adds to a snapshot what the log of its show adds up to at one instant.
func (t *Timeline) fill(ctx context.Context, showID string, s *Snapshot) error {
	return t.view(ctx, showID, func(l *showLog) {
		b := l.board
		s.Pins, s.Offers, s.Comments, s.Likes = b.pins(), slices.Clone(b.offers), slices.Clone(b.talk.recent), b.talk.likes
	})
}

// Ranges returns every pin of the show with its interval, in the order they were stored.
func (t *Timeline) Ranges(ctx context.Context, showID string) (ranges []Range, err error) {
	err = t.view(ctx, showID, func(l *showLog) { ranges = slices.Clone(l.board.ranges) })
	return ranges, errs.Wrap("overlay.Ranges", err)
}

// BagChanged tells the viewers of a show that its room's bag now holds products, in this order.
func (t *Timeline) BagChanged(ctx context.Context, showID string, products []commerce.Product, at media.Ticks, wall time.Time) (Event, error) {
	return t.Append(ctx, showID, TypeBag, at, wall, BagData{Products: SnapshotsOf(products)})
}

// ProductChanged tells the viewers of a show that a product of its bag is now as given. It is called for each live show
// whose room's bag holds the product. Pins keep what they showed when they were pinned.
func (t *Timeline) ProductChanged(ctx context.Context, showID string, product commerce.Product, at media.Ticks, wall time.Time) (Event, error) {
	return t.Append(ctx, showID, TypeProduct, at, wall, ProductData{Product: SnapshotOf(product)})
}
