package storetest

import (
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
)

func testShows(t *testing.T, s Store) {
	ctx := t.Context()
	room := withRoom(t, s, 1)
	first := newShow(1, room, live.Scheduled)
	first.ScheduledAt = epoch0.Add(time.Hour)
	ok(t, s.CreateShow(ctx, first))
	equal(t, must(s.Show(ctx, first.ID))(t), first)
	kind(t, s.CreateShow(ctx, first), errs.Conflict)
	kind(t, s.CreateShow(ctx, newShow(2, newRoom(9), live.Live)), errs.NotFound)
	_, err := s.Show(ctx, "show_x")
	kind(t, err, errs.NotFound)
	_, err = s.CurrentShow(ctx, room.ID)
	kind(t, err, errs.NotFound)

	first.State, first.Title, first.Duration = live.Live, "On air", media.FromMilliseconds(40)+1
	first.StartedAt = epoch0.Add(2 * time.Hour)
	ok(t, s.UpdateShow(ctx, first))
	equal(t, must(s.CurrentShow(ctx, room.ID))(t), first)
	equal(t, must(s.UnfinishedShows(ctx))(t), []live.Show{first})
	first.State, first.InterruptedAt = live.Interrupted, epoch0.Add(3*time.Hour)
	ok(t, s.UpdateShow(ctx, first))
	equal(t, must(s.CurrentShow(ctx, room.ID))(t), first)
	first.State, first.InterruptedAt, first.EndedAt = live.Ended, time.Time{}, epoch0.Add(4*time.Hour)
	ok(t, s.UpdateShow(ctx, first))
	equal(t, must(s.Show(ctx, first.ID))(t), first)
	kind(t, s.UpdateShow(ctx, newShow(7, room, live.Live)), errs.NotFound)

	second, third := newShow(2, room, live.Ended), newShow(3, room, live.Live)
	ok(t, s.CreateShow(ctx, second))
	ok(t, s.CreateShow(ctx, third))
	withShow(t, s, 4, live.Live) // of another room
	equal(t, must(s.Shows(ctx, room.ID, "", 2))(t), []live.Show{third, second})
	equal(t, must(s.Shows(ctx, room.ID, second.ID, 2))(t), []live.Show{first})
	if rest := must(s.Shows(ctx, room.ID, "show_x", 2))(t); len(rest) != 0 {
		t.Errorf("after an unknown show come %d", len(rest))
	}
}

func testOneOnAir(t *testing.T, s Store) {
	ctx := t.Context()
	room := withRoom(t, s, 1)
	onAir, waiting := newShow(1, room, live.Interrupted), newShow(2, room, live.Scheduled)
	ok(t, s.CreateShow(ctx, onAir))
	ok(t, s.CreateShow(ctx, waiting))
	kind(t, s.CreateShow(ctx, newShow(3, room, live.Live)), errs.Conflict)
	waiting.State = live.Live
	kind(t, s.UpdateShow(ctx, waiting), errs.Conflict)
	onAir.State = live.Ended
	ok(t, s.UpdateShow(ctx, onAir))
	ok(t, s.UpdateShow(ctx, waiting))
}

func testEpochs(t *testing.T, s Store) {
	ctx := t.Context()
	room := withRoom(t, s, 1)
	show := newShow(1, room, live.Live)
	show.Epochs = media.Epochs{{ShowTime: 0, Wall: epoch0}}
	ok(t, s.CreateShow(ctx, show))
	for i := range 3 { // an epoch without a picture leaves the next one at the same show time
		e := media.Epoch{ShowTime: media.Ticks(i/2) * 90_001, Wall: epoch0.Add(time.Duration(i+1) * time.Minute)}
		ok(t, s.AddEpoch(ctx, show.ID, e))
		show.Epochs = append(show.Epochs, e)
	}
	equal(t, must(s.Show(ctx, show.ID))(t), show)
	equal(t, must(s.Shows(ctx, room.ID, "", 1))(t), []live.Show{show})
	ok(t, s.UpdateShow(ctx, show))
	equal(t, must(s.Show(ctx, show.ID))(t).Epochs, show.Epochs)
	kind(t, s.AddEpoch(ctx, "show_x", show.Epochs[0]), errs.NotFound)
}

func testShowEnd(t *testing.T, s Store) {
	ctx := t.Context()
	show := withShow(t, s, 1, live.Live)
	ok(t, s.AddEpoch(ctx, show.ID, media.Epoch{Wall: epoch0}))
	if _, _, ended, err := s.ShowEnd(ctx, show.ID); err != nil || ended {
		t.Errorf("a live show has ended: %v, %v", ended, err)
	}
	show.State, show.Duration, show.EndedAt = live.Ended, 2*media.TicksPerSecond, epoch0.Add(time.Hour)
	ok(t, s.UpdateShow(ctx, show))
	at, wall, ended, err := s.ShowEnd(ctx, show.ID)
	if err != nil || !ended || at != show.Duration || !wall.Equal(epoch0.Add(2*time.Second)) {
		t.Errorf("got %v, %v, %v, %v", at, wall, ended, err)
	}
	_, _, _, err = s.ShowEnd(ctx, "show_x")
	kind(t, err, errs.NotFound)
}
