package overlay

import "github.com/prometheus/client_golang/prometheus"

// Metrics are what the timeline and the realtime channel count.
type Metrics struct {
	events        *prometheus.CounterVec
	appendErrors  prometheus.Counter
	appendSeconds prometheus.Histogram
}

// NewMetrics makes and registers the metrics of the package.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vitrine_timeline_events_total", Help: "Timeline events stored, by type.",
		}, []string{"type"}),
		appendErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vitrine_timeline_append_errors_total", Help: "Timeline events that the store did not take.",
		}),
		appendSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "vitrine_timeline_append_seconds", Help: "Time to store a timeline event.",
			Buckets: []float64{.0001, .0005, .001, .005, .025, .1, .5, 2, 5},
		}),
	}
	reg.MustRegister(m.events, m.appendErrors, m.appendSeconds)
	return m
}
