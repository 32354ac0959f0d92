package storetest

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

func newEvent(n int) overlay.Event {
	return overlay.Event{
		Type: overlay.TypeAnnouncement, ShowTime: media.Ticks(n)*90 + 1, Wall: epoch0.Add(time.Duration(n) * time.Millisecond),
		Data: json.RawMessage(fmt.Sprintf(`{"text":"第 %d '"}`, n)),
	}
}

func testEvents(t *testing.T, s Store) {
	ctx := t.Context()
	show, other := withShow(t, s, 1, live.Live), withShow(t, s, 2, live.Live)
	equal(t, len(must(s.Events(ctx, show.ID, 0, 10))(t)), 0)
	equal(t, must(s.AppendEvents(ctx, show.ID, []overlay.Event{newEvent(1)}))(t), int64(1))
	equal(t, must(s.AppendEvents(ctx, show.ID, []overlay.Event{newEvent(2), newEvent(3)}))(t), int64(2))
	equal(t, must(s.AppendEvents(ctx, other.ID, []overlay.Event{newEvent(9)}))(t), int64(1))

	var want []overlay.Event
	for n := 1; n <= 3; n++ {
		e := newEvent(n)
		e.Seq = int64(n)
		want = append(want, e)
	}
	equal(t, must(s.Events(ctx, show.ID, 0, 10))(t), want)
	equal(t, must(s.Events(ctx, show.ID, 1, 1))(t), want[1:2])
	equal(t, len(must(s.Events(ctx, show.ID, 3, 10))(t)), 0)
	equal(t, len(must(s.Events(ctx, "show_x", 0, 10))(t)), 0)
	_, err := s.AppendEvents(ctx, "show_x", want)
	kind(t, err, errs.NotFound)
	ok(t, s.UpdateShow(ctx, show)) // leaves the count alone
	equal(t, must(s.AppendEvents(ctx, show.ID, []overlay.Event{newEvent(4)}))(t), int64(4))
}

// testEventsGapless appends from many sides at once: the log of each show is numbered 1, 2, 3 ... and every writer's
// events stand together.
func testEventsGapless(t *testing.T, s Store) {
	const writers, each = 8, 15
	ctx := t.Context()
	shows := []live.Show{withShow(t, s, 1, live.Live), withShow(t, s, 2, live.Live)}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				show := shows[(w+n)%len(shows)]
				first, err := s.AppendEvents(ctx, show.ID, []overlay.Event{newEvent(w), newEvent(w)})
				if err != nil {
					t.Error(err)
					return
				}
				stored, err := s.Events(ctx, show.ID, first-1, 2) // readers see it at once
				if err != nil || len(stored) != 2 || stored[0].ShowTime != newEvent(w).ShowTime || stored[1].ShowTime != newEvent(w).ShowTime {
					t.Errorf("events %d and %d of writer %d are %v, %v", first, first+1, w, stored, err)
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for _, show := range shows {
		events := must(s.Events(ctx, show.ID, 0, 10_000))(t)
		for i, e := range events {
			if e.Seq != int64(i+1) {
				t.Fatalf("event %d has number %d", i+1, e.Seq)
			}
		}
		total += len(events)
	}
	equal(t, total, writers*each*2)
}
