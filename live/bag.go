package live

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

// BagChanged tells the viewers of the room's show, if one is on air, what its product bag is now.
func (r *Rooms) BagChanged(ctx context.Context, roomID string) {
	r.tell(roomID, func(s *session, at media.Ticks, wall time.Time) error {
		bag, err := r.Products.BagFor(ctx, roomID, s.showID())
		if err != nil {
			return err
		}
		_, err = r.Timeline.BagChanged(ctx, s.showID(), bag, at, wall)
		return err
	})
}

// ProductChanged tells the viewers of those of the rooms that are on air what the product is now.
func (r *Rooms) ProductChanged(ctx context.Context, productID string, rooms []string) {
	for _, id := range rooms {
		r.tell(id, func(s *session, at media.Ticks, wall time.Time) error {
			p, err := r.Products.ForShow(ctx, s.showID(), productID)
			if err != nil {
				return err
			}
			_, err = r.Timeline.ProductChanged(ctx, s.showID(), p, at, wall)
			return err
		})
	}
}

// Tell places an event of any type but pin and unpin onto a show's timeline: at atMS of show time, or now where it is nil,
// and returns where. Conflict: the show is not on air; Invalid: atMS is beyond its end. NotFound: no such show.
func (r *Rooms) Tell(ctx context.Context, showID, typ string, atMS *int64, data any) (showTimeMS int64, err error) {
	const op = "live.Tell"
	show, err := r.Show(ctx, showID)
	if err != nil {
		return 0, errs.Wrap(op, err)
	}
	s := r.sessionOf(show.RoomID)
	if s == nil || s.showID() != showID {
		return 0, errs.New(errs.Conflict, op, "the show is not on air")
	}
	var at *media.Ticks
	if atMS != nil {
		at = new(media.FromMilliseconds(*atMS))
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	when, err := s.resolve(at, nil)
	if err != nil {
		return 0, err
	}
	_, err = r.Timeline.Append(ctx, showID, overlay.Type(typ), when, s.wallAt(when), data)
	return when.Milliseconds(), err
}

// OnAirNow returns the show that a room has on air or interrupted and where its clock is now; ok is false when there is none.
func (r *Rooms) OnAirNow(roomID string) (showID string, atMS int64, ok bool) {
	s := r.sessionOf(roomID)
	if s == nil || s.showID() == "" {
		return "", 0, false
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	at, err := s.resolve(nil, nil)
	return s.showID(), at.Milliseconds(), err == nil
}

// ShopShow returns a show as the shop knows it. NotFound.
func (r *Rooms) ShopShow(ctx context.Context, id string) (commerce.Show, error) {
	show, err := r.Show(ctx, id)
	if err != nil {
		return commerce.Show{}, errs.Wrap("live.ShopShow", err)
	}
	return commerce.Show{
		ID: show.ID, RoomID: show.RoomID, StoreID: show.StoreID, Title: show.Title, State: string(show.State),
		ScheduledAt: show.ScheduledAt, StartedAt: show.StartedAt, EndedAt: show.EndedAt, PositionMS: show.Duration.Milliseconds(),
	}, nil
}

// tell places something that happens now onto the timeline of the room's show, if there is one on air. Viewers who miss
// it because the store failed see it at their next snapshot.
func (r *Rooms) tell(roomID string, say func(s *session, at media.Ticks, wall time.Time) error) {
	s := r.sessionOf(roomID)
	if s == nil || s.showID() == "" {
		return
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	at, err := s.resolve(nil, nil)
	if err != nil {
		return // it has just ended
	}
	s.keep("tell viewers", say(s, at, s.wallAt(at)))
}
