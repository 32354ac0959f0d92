package clip

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts clips.
type Metrics struct {
	created  *prometheus.CounterVec
	finished *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	running  prometheus.Gauge
	held     prometheus.Gauge
}

// NewMetrics makes the metrics; reg may be nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		created: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vitrine_clips_created_total", Help: "Clips that were asked for, by kind.",
		}, []string{"kind"}),
		finished: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vitrine_clips_finished_total", Help: "Attempts that came to an end, by kind and outcome.",
		}, []string{"kind", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "vitrine_clip_seconds", Help: "How long it took to make a clip, by kind.", Buckets: prometheus.ExponentialBuckets(0.05, 3, 10),
		}, []string{"kind"}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{Name: "vitrine_clips_running", Help: "Clips that are being made."}),
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "vitrine_clips_held", Help: "1 while clips wait because pictures of a show on air are late.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m.created, m.finished, m.seconds, m.running, m.held)
	}
	return m
}
