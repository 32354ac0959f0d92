package hlspull

import "github.com/prometheus/client_golang/prometheus"

// Ending names how a pull, from the first picture on, came to its end, as metrics do.
type Ending string

// How a pull ends.
const (
	OriginEnded Ending = "origin_ended" // the origin's playlist says that the show is over
	OriginLost  Ending = "origin_lost"  // it cannot be read any more
	LetGo       Ending = "let_go"       // by this side: another publisher, the show's end
	Stopped     Ending = "stopped"      // the room names no source, or another one, or the server stops
)

// Metrics counts what is pulled. Its fields are for the package alone.
type Metrics struct {
	sources prometheus.Gauge
	pulling prometheus.Gauge
	bytes   prometheus.Counter
	runs    prometheus.Counter
	missed  prometheus.Counter
	failed  prometheus.Counter
	samples *prometheus.CounterVec
	ended   *prometheus.CounterVec
}

// NewMetrics registers the metrics of HLS pull with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "vitrine", Subsystem: "pull", Name: name, Help: help}
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts(opts(name, help)))
	}
	m := &Metrics{
		sources: prometheus.NewGauge(prometheus.GaugeOpts(opts("sources", "Rooms that name a source."))),
		pulling: prometheus.NewGauge(prometheus.GaugeOpts(opts("publishers", "Sources that are being pulled."))),
		bytes:   counter("received_bytes_total", "Bytes of media read from origins."),
		runs:    counter("runs_total", "Uninterrupted stretches of media begun."),
		missed:  counter("missed_total", "Times that an origin's playlist went on without this server."),
		failed:  counter("attempts_failed_total", "Attempts to read an origin that came to nothing."),
		samples: prometheus.NewCounterVec(prometheus.CounterOpts(opts("samples_total", "Samples read and passed on, by kind.")), []string{"kind"}),
		ended:   prometheus.NewCounterVec(prometheus.CounterOpts(opts("ended_total", "Pulls that ended, by reason.")), []string{"reason"}),
	}
	for _, e := range []Ending{OriginEnded, OriginLost, LetGo, Stopped} {
		m.ended.WithLabelValues(string(e))
	}
	reg.MustRegister(m.sources, m.pulling, m.bytes, m.runs, m.missed, m.failed, m.samples, m.ended)
	return m
}
