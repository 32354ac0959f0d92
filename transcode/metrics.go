package transcode

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are those of all transcoding of the process together.
type Metrics struct {
	running  *prometheus.GaugeVec   // by job
	restarts *prometheus.CounterVec // by job, reason
	frames   *prometheus.CounterVec // by job
	dropped  *prometheus.CounterVec // by job
	refused  prometheus.Counter
	cost     prometheus.Gauge
	budget   prometheus.Gauge
}

// NewMetrics registers the metrics with reg; a nil reg makes metrics that nobody reads.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	gauge := func(name, help string) prometheus.Gauge {
		return f.NewGauge(prometheus.GaugeOpts{Namespace: "vitrine", Subsystem: "transcode", Name: name, Help: help})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Namespace: "vitrine", Subsystem: "transcode", Name: name, Help: help}, labels)
	}
	return &Metrics{
		running: f.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "vitrine", Subsystem: "transcode", Name: "processes", Help: "Processes of ffmpeg that run, by what they do.",
		}, []string{"job"}),
		restarts: counters("failures_total", "Ends of ffmpeg that nobody asked for, by what it did and why.", "job", "reason"),
		frames:   counters("frames_total", "Coded pictures and sound frames that ffmpeg gave back.", "job"),
		dropped:  counters("dropped_total", "Samples that were not transcoded because ffmpeg was down or too slow.", "job"),
		cost:     gauge("cost_cores", "Processor cores that the present transcoding is estimated to take."),
		budget:   gauge("budget_cores", "Processor cores that transcoding may take."),
		refused: f.NewCounter(prometheus.CounterOpts{
			Namespace: "vitrine", Subsystem: "transcode", Name: "refused_total", Help: "Ladders refused because the budget was spent.",
		}),
	}
}
