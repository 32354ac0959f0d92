package api

import (
	"log/slog"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// funnelDeps are the domains of reminders and reports over the house's database.
func funnelDeps(t *testing.T, db *sqldb.DB, rooms *live.Rooms, log *slog.Logger, clock func() time.Time) FunnelDeps {
	t.Helper()
	reminders, err := reminder.New(reminder.Config{}, reminder.Deps{Store: db, Shows: rooms, Log: log, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return FunnelDeps{Reminders: reminders, ReminderChannels: []ReminderChannel{{Channel: "webhook"}}}
}
