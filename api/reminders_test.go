package api

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/funnel"
	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// funnelDeps are the domains of reminders and reports over the house's database.
func funnelDeps(t *testing.T, db *sqldb.DB, rooms *live.Rooms, timeline *overlay.Timeline, log *slog.Logger, clock func() time.Time) FunnelDeps {
	t.Helper()
	reminders, err := reminder.New(reminder.Config{}, reminder.Deps{Store: db, Shows: rooms, Log: log, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	f, err := funnel.New(funnel.Config{}, funnel.Deps{Store: db, Shows: rooms, Log: log, Now: clock, Pins: func(ctx context.Context, showID string) (map[string]string, error) {
		ranges, err := timeline.Ranges(ctx, showID)
		pins := map[string]string{}
		for _, r := range ranges {
			pins[r.Pin.ID] = r.Pin.ProductID
		}
		return pins, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	return FunnelDeps{Funnel: f, Reminders: reminders, ReminderChannels: []ReminderChannel{{Channel: "webhook"}}}
}
