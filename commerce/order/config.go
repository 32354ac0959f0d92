package order

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Config configures a Service. The zero value of each field stands for its default.
type Config struct {
	// Expiry is how long an order may be paid; 0: 15 minutes. At least a minute, which is the least that WeChat Pay takes,
	// and at most a day.
	Expiry time.Duration
	// AutoComplete is how long after it was shipped an order is completed without its buyer's word; 0: 10 days.
	AutoComplete time.Duration
	// CloseGrace is how long an order whose payment cannot be closed, because the provider does not answer, is kept from
	// expiring; 0: one minute.
	CloseGrace time.Duration
	// Sweep is how often orders are looked through for what is due; 0: one second.
	Sweep time.Duration
	// PublicURL is where providers reach this server, such as https://shop.example; empty: where the buyer does, and
	// refunds are asked after instead of being reported.
	PublicURL string
}

// notifyURL is where a provider reports to; base is where the buyer reaches the server.
func (c Config) notifyURL(provider, base string) string {
	if c.PublicURL != "" {
		base = c.PublicURL
	}
	if base == "" {
		return ""
	}
	return strings.TrimSuffix(base, "/") + "/api/v1/payments/" + provider + "/notifications"
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.Expiry, 15 * time.Minute},
		{&c.AutoComplete, 10 * 24 * time.Hour},
		{&c.CloseGrace, time.Minute},
		{&c.Sweep, time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return c
}

// Validate reports every field that cannot work.
func (c Config) Validate() error {
	c = c.withDefaults()
	var all []error
	for _, f := range []struct {
		name      string
		value     time.Duration
		low, high time.Duration
	}{
		{"expiry", c.Expiry, time.Minute, 24 * time.Hour},
		{"auto_complete", c.AutoComplete, time.Hour, 365 * 24 * time.Hour},
		{"close_grace", c.CloseGrace, time.Second, time.Hour},
		{"sweep", c.Sweep, 10 * time.Millisecond, time.Minute},
	} {
		if f.value < f.low || f.value > f.high {
			all = append(all, fmt.Errorf("%s: must be between %v and %v, got %v", f.name, f.low, f.high, f.value))
		}
	}
	return errors.Join(all...)
}
