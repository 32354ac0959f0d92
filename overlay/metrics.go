package overlay

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are what the timeline and the realtime channel count.
type Metrics struct {
	events        *prometheus.CounterVec
	appendErrors  prometheus.Counter
	appendSeconds prometheus.Histogram

	connections [transports]prometheus.Gauge
	frames      [transports][frameKinds]prometheus.Counter
	closed      *prometheus.CounterVec
	recoveries  map[bool]prometheus.Counter
	refused     map[string]prometheus.Counter
}

// NewMetrics makes and registers the metrics of the package.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		reg.MustRegister(v)
		return v
	}
	m := &Metrics{
		events:       counters("vitrine_timeline_events_total", "Timeline events stored, by type.", "type"),
		appendErrors: counters("vitrine_timeline_append_errors_total", "Timeline events that the store did not take.").WithLabelValues(),
		appendSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "vitrine_timeline_append_seconds", Help: "Time to store a timeline event.",
			Buckets: []float64{.0001, .0005, .001, .005, .025, .1, .5, 2, 5},
		}),
		closed: counters("vitrine_channel_closed_total",
			"Connections of the realtime channel that the server ended, by close code; 4408 are slow clients.", "code"),
	}
	connections := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "vitrine_channel_connections", Help: "Clients connected to the realtime channel, by transport.",
	}, []string{"transport"})
	reg.MustRegister(m.appendSeconds, connections)
	frames := counters("vitrine_channel_frames_total", "Frames written to clients of the realtime channel.", "transport", "type")
	for t := range transports {
		m.connections[t] = connections.WithLabelValues(t.String())
		for k := range frameKinds {
			m.frames[t][k] = frames.WithLabelValues(t.String(), k.String())
		}
	}
	recoveries := counters("vitrine_channel_recoveries_total",
		"Clients that began, by whether they could go on from the position they brought.", "recovered")
	m.recoveries = map[bool]prometheus.Counter{
		true: recoveries.WithLabelValues("true"), false: recoveries.WithLabelValues("false"),
	}
	refused := counters("vitrine_channel_refused_total", "Connections refused because a limit was reached.", "limit")
	m.refused = map[string]prometheus.Counter{
		"connections": refused.WithLabelValues("connections"), "address": refused.WithLabelValues("address"),
	}
	return m
}

// ended counts a connection that the server ended; the client's own end is not counted.
func (m *Metrics) ended(why closing) {
	if why.code != 0 {
		m.closed.WithLabelValues(strconv.Itoa(why.code)).Inc()
	}
}
