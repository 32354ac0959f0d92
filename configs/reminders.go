package configs

import (
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/providers/wechat"
)

// Reminders configures how viewers are told of shows.
type Reminders struct {
	Rate     float64        `yaml:"rate"`
	Parallel int            `yaml:"parallel"`
	Grace    Duration       `yaml:"grace"`
	WebPush  WebPush        `yaml:"web_push"`
	WeChat   ReminderWeChat `yaml:"wechat"`
}

// WebPush configures reminders to browsers.
type WebPush struct {
	Enabled      bool   `yaml:"enabled"`
	Contact      string `yaml:"contact"`
	AllowPrivate bool   `yaml:"allow_private"`
}

// ReminderWeChat configures reminders by subscribe messages.
type ReminderWeChat struct {
	Template string `yaml:"template"`
	Title    string `yaml:"title"`
	Time     string `yaml:"time"`
	Note     string `yaml:"note"`
	Page     string `yaml:"page"`
}

func defaultReminders() Reminders {
	return Reminders{
		Rate: 50, Parallel: 8, Grace: Duration(30 * time.Minute), WebPush: WebPush{Enabled: true},
		WeChat: ReminderWeChat{Title: "thing1", Time: "time2", Note: "thing3", Page: "pages/room/room?room={room}"},
	}
}

func (r *Reminders) validate(check func(bool, string, string, ...any)) {
	check(r.Rate > 0 && r.Rate <= 10_000, "reminders.rate", "must be above 0 and at most 10000, got %v", r.Rate)
	check(r.Parallel >= 1 && r.Parallel <= 1000, "reminders.parallel", "must be between 1 and 1000, got %d", r.Parallel)
	between(check, "reminders.grace", r.Grace, 0, 24*time.Hour)
	contact := r.WebPush.Contact
	check(contact == "" || strings.HasPrefix(contact, "mailto:") || strings.HasPrefix(contact, "https://"), "reminders.web_push.contact", "must begin with mailto: or https://, got %q", contact)
	if err := wechat.Subscription(r.WeChat).Validate(); err != nil {
		check(false, "reminders.wechat", "%v", err)
	}
}
