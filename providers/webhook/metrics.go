package webhook

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics count deliveries. It implements the dispatcher's Meter.
type Metrics struct {
	attempts *prometheus.CounterVec
	seconds  prometheus.Histogram
	disabled prometheus.Counter
}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vitrine_webhook_attempts_total", Help: "Attempts to deliver an event, by what came of them: delivered, failed (tried again), dead (given up), interrupted.",
		}, []string{"outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "vitrine_webhook_attempt_seconds", Help: "How long endpoints take to answer.", Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		disabled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vitrine_webhook_disabled_total", Help: "Endpoints that were disabled because they failed for too long or asked for it.",
		}),
	}
	reg.MustRegister(m.attempts, m.seconds, m.disabled)
	for _, outcome := range []string{"delivered", "failed", "dead", "interrupted"} {
		m.attempts.WithLabelValues(outcome)
	}
	return m
}

// Attempted counts an attempt.
func (m *Metrics) Attempted(outcome string, took time.Duration) {
	m.attempts.WithLabelValues(outcome).Inc()
	m.seconds.Observe(took.Seconds())
}

// Disabled counts an endpoint that was disabled.
func (m *Metrics) Disabled() { m.disabled.Inc() }
