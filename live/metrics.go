package live

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what happens to shows.
type Metrics struct {
	Reconnects  prometheus.Counter
	Replaced    prometheus.Counter
	InBand      prometheus.Counter
	StoreErrors prometheus.Counter
	Unrecorded  prometheus.Counter
	Ended       *prometheus.CounterVec // by reason
	Refused     *prometheus.CounterVec // by reason
	Warnings    *prometheus.CounterVec // by code
}

// NewMetrics registers the metrics of live rooms.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "vitrine", Subsystem: "live", Name: name, Help: help})
		reg.MustRegister(c)
		return c
	}
	vector := func(name, help, label string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "vitrine", Subsystem: "live", Name: name, Help: help}, []string{label})
		reg.MustRegister(c)
		return c
	}
	m := &Metrics{
		Reconnects:  counter("reconnects_total", "Publishers that came back to an interrupted show."),
		Replaced:    counter("replaced_total", "Publishers that a newer one with the same stream key replaced."),
		InBand:      counter("in_band_messages_total", "Timed messages that publishers carried in band."),
		StoreErrors: counter("store_errors_total", "States of shows that could not be kept."),
		Unrecorded:  counter("unrecorded_total", "Shows that went on air without a recording because it could not be opened."),
		Ended:       vector("ended_total", "Shows that ended, by reason.", "reason"),
		Refused:     vector("refused_total", "Publishers that were refused although their key was right, by the limit that was reached.", "reason"),
		Warnings:    vector("warnings_total", "Warnings about publishers that were raised, by code.", "code"),
	}
	return m
}
