package live

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/media"
)

// BagChanged tells the viewers of the room's show, if one is on air, that its product bag is now bag.
func (r *Rooms) BagChanged(ctx context.Context, roomID string, bag []commerce.Product) {
	r.tell(roomID, func(s *session, at media.Ticks, wall time.Time) error {
		_, err := r.Timeline.BagChanged(ctx, s.showID(), bag, at, wall)
		return err
	})
}

// ProductChanged tells the viewers of those of the rooms that are on air what the product is now.
func (r *Rooms) ProductChanged(ctx context.Context, p commerce.Product, rooms []string) {
	for _, id := range rooms {
		r.tell(id, func(s *session, at media.Ticks, wall time.Time) error {
			_, err := r.Timeline.ProductChanged(ctx, s.showID(), p, at, wall)
			return err
		})
	}
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
