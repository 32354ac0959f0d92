package storetest

import (
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/live"
)

func testSchedule(t *testing.T, s Store) {
	ctx := t.Context()
	show := withShow(t, s, 1, live.Scheduled)
	show.Title, show.ScheduledAt = "Later", epoch0.Add(time.Hour)
	equal(t, must(s.UpdateScheduled(ctx, show))(t), true)
	equal(t, must(s.Show(ctx, show.ID))(t), show)
	show.State, show.EndedAt = live.Ended, epoch0
	equal(t, must(s.UpdateScheduled(ctx, show))(t), true)
	equal(t, must(s.Show(ctx, show.ID))(t), show)
	show.State = live.Scheduled
	equal(t, must(s.UpdateScheduled(ctx, show))(t), false) // called off is called off
	equal(t, must(s.Show(ctx, show.ID))(t).State, live.Ended)
}
