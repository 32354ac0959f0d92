package configs

import "time"

// Funnel configures what reports count.
type Funnel struct {
	Window Duration `yaml:"window"`
}

func defaultFunnel() Funnel { return Funnel{Window: Duration(24 * time.Hour)} }

func (f *Funnel) validate(check func(bool, string, string, ...any)) {
	between(check, "funnel.window", f.Window, time.Minute, 90*24*time.Hour)
}
