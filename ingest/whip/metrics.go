package whip

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/media"
)

// Anomaly names something odd that was mended or left out, as metrics do. Those of timestamps are media's.
type Anomaly string

// The anomalies.
const (
	BadPacket     Anomaly = "bad_packet"       // a payload that its format does not allow; the picture is lost
	StreamRestart Anomaly = "sequence_restart" // sequence numbers that began anew
	BadParameters Anomaly = "bad_parameters"   // an unusable parameter set
	OddParameters Anomaly = "odd_parameters"   // parameter sets that the track cannot say
	WildReports   Anomaly = "wild_reports"     // sender reports whose clocks disagree with what arrives
	RefusedData   Anomaly = "data_refused"     // a timed message that the show did not take
	BadMessage    Anomaly = "bad_message"      // a message that cannot be read
	LayerSwitch   Anomaly = "layer_switch"     // another layer of a simulcast took over
)

// Metrics counts what happens at the WHIP endpoint. Its fields are for the package alone.
type Metrics struct {
	sessions    prometheus.Gauge
	created     prometheus.Counter
	refused     *prometheus.CounterVec
	ended       *prometheus.CounterVec
	packets     prometheus.Counter
	lost        prometheus.Counter
	repaired    prometheus.Counter
	discarded   prometheus.Counter
	nacks       prometheus.Counter
	keyRequests prometheus.Counter
	restarts    prometheus.Counter
	samples     map[media.Kind]prometheus.Counter
	data        prometheus.Counter
	anomalies   *prometheus.CounterVec
}

// NewMetrics registers the metrics of WHIP ingest with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "vitrine", Subsystem: "whip", Name: name, Help: help}
	}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts(opts(name, help)))
		reg.MustRegister(c)
		return c
	}
	vector := func(name, help, label string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts(opts(name, help)), []string{label})
		reg.MustRegister(v)
		return v
	}
	samples := vector("samples_total", "Samples received and passed on, by kind.", "kind")
	m := &Metrics{
		sessions:    prometheus.NewGauge(prometheus.GaugeOpts(opts("sessions", "Sessions that have not ended."))),
		created:     counter("sessions_total", "Sessions made."),
		refused:     vector("refused_total", "Requests refused, by reason.", "reason"),
		ended:       vector("ended_total", "Sessions that ended, by reason.", "reason"),
		packets:     counter("packets_total", "RTP packets received."),
		lost:        counter("lost_packets_total", "RTP packets that did not come in time, retransmission included."),
		repaired:    counter("repaired_packets_total", "RTP packets that came by retransmission."),
		discarded:   counter("discarded_pictures_total", "Pictures dropped because a piece of them, or of one that they need, is missing."),
		nacks:       counter("retransmission_requests_total", "RTP packets asked for again."),
		keyRequests: counter("keyframe_requests_total", "Keyframes asked for."),
		restarts:    counter("ice_restarts_total", "ICE restarts carried out."),
		data:        samples.WithLabelValues("data"),
		anomalies:   vector("anomalies_total", "Oddities in what publishers sent that were mended or left out, by kind.", "kind"),
		samples: map[media.Kind]prometheus.Counter{
			media.Video: samples.WithLabelValues(media.Video.String()), media.Audio: samples.WithLabelValues(media.Audio.String()),
		},
	}
	reg.MustRegister(m.sessions)
	for _, r := range Reasons {
		m.refused.WithLabelValues(string(r))
	}
	for _, e := range Endings {
		m.ended.WithLabelValues(string(e))
	}
	for _, a := range media.Anomalies {
		m.anomalies.WithLabelValues(string(a))
	}
	return m
}

func (m *Metrics) anomaly(a Anomaly) { m.anomalies.WithLabelValues(string(a)).Inc() }
