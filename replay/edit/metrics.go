package edit

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what is done to replays.
type Metrics struct {
	Edits     *prometheus.CounterVec // by kind
	Conflicts prometheus.Counter
	Reads     prometheus.Counter
	Failures  prometheus.Counter
}

// NewMetrics registers the metrics with reg; nil leaves them unregistered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "vitrine", Name: name, Help: help})
	}
	m := &Metrics{
		Edits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "vitrine", Name: "replay_edits_total", Help: "Edits of replays that were stored, by kind.",
		}, []string{"kind"}),
		Conflicts: counter("replay_edit_conflicts_total", "Edits of replays that were made on an older revision and refused."),
		Reads:     counter("replay_edit_reads_total", "Reads of the logs of edits from the store."),
		Failures:  counter("replay_edit_read_failures_total", "Reads of the logs of edits that failed; what was known before was served."),
	}
	if reg != nil {
		reg.MustRegister(m.Edits, m.Conflicts, m.Reads, m.Failures)
	}
	return m
}
