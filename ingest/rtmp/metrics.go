package rtmp

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/media"
)

// Anomaly names something odd that was mended or left out, as metrics do. Those of timestamps are media's.
type Anomaly string

// The anomalies.
const (
	EmptyMessage       Anomaly = "empty_message"        // a message without a body
	UnknownMessage     Anomaly = "unknown_message"      // a message type that means nothing here, or a malformed control message
	UnknownCommand     Anomaly = "unknown_command"      // a command that needs no answer
	InterruptedMessage Anomaly = "interrupted_message"  // a message that another one on its chunk stream cut off
	AbortedMessage     Anomaly = "aborted_message"      // a message that the publisher took back
	TruncatedAggregate Anomaly = "truncated_aggregate"  // an aggregate message that ends within a tag
	StrayMedia         Anomaly = "media_outside"        // media or data before publish or after unpublish
	EmptyMedia         Anomaly = "empty_media"          // a tag without a frame
	NoConfig           Anomaly = "frame_before_config"  // a frame before its codec's configuration
	BadConfig          Anomaly = "bad_config"           // an unusable codec configuration or parameter set
	EmptyNAL           Anomaly = "empty_nal"            // a NAL unit of no length
	NALOverrun         Anomaly = "nal_overrun"          // a NAL unit longer than its packet; the picture is lost
	UnknownNAL         Anomaly = "unknown_nal"          // a NAL unit type that no decoder takes
	NoPicture          Anomaly = "no_picture"           // a packet without slices
	InBandParameters   Anomaly = "in_band_parameters"   // parameter sets that the track cannot say
	BadMetadata        Anomaly = "bad_data"             // a data message that cannot be read
	RefusedData        Anomaly = "data_refused"         // a timed message that the show did not take
	Throttled          Anomaly = "throttled"            // a publisher slowed down at its limits
	HeldTooLong        Anomaly = "second_track_missing" // a publish that began with one track
)

// Metrics counts what happens at the RTMP listener. Its fields are for the package alone.
type Metrics struct {
	connections prometheus.Gauge
	publishers  prometheus.Gauge
	accepted    prometheus.Counter
	published   prometheus.Counter
	bytes       prometheus.Counter
	retries     prometheus.Counter
	video       prometheus.Counter
	audio       prometheus.Counter
	data        prometheus.Counter
	ended       *prometheus.CounterVec
	anomalies   *prometheus.CounterVec
}

// NewMetrics registers the metrics of RTMP ingest with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "vitrine", Subsystem: "rtmp", Name: name, Help: help}
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts(opts(name, help)))
	}
	samples := prometheus.NewCounterVec(prometheus.CounterOpts(opts("samples_total", "Samples received and passed on, by kind.")), []string{"kind"})
	m := &Metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts(opts("connections", "Open connections."))),
		publishers:  prometheus.NewGauge(prometheus.GaugeOpts(opts("publishers", "Accepted publishes that have not ended."))),
		accepted:    counter("connections_total", "Connections accepted by the listener."),
		published:   counter("publishes_total", "Publishes accepted."),
		bytes:       counter("received_bytes_total", "Bytes received of RTMP, without what TLS adds."),
		retries:     counter("accept_retries_total", "Failures to accept a connection that were waited out."),
		video:       samples.WithLabelValues(media.Video.String()),
		audio:       samples.WithLabelValues(media.Audio.String()),
		data:        samples.WithLabelValues("data"),
		ended:       prometheus.NewCounterVec(prometheus.CounterOpts(opts("ended_total", "Connections that ended or were refused, by reason.")), []string{"reason"}),
		anomalies:   prometheus.NewCounterVec(prometheus.CounterOpts(opts("anomalies_total", "Oddities in what publishers sent that were mended or left out, by kind.")), []string{"kind"}),
	}
	for _, r := range Reasons {
		m.ended.WithLabelValues(string(r))
	}
	for _, a := range media.Anomalies {
		m.anomalies.WithLabelValues(string(a))
	}
	reg.MustRegister(m.connections, m.publishers, m.accepted, m.published, m.bytes, m.retries, samples, m.ended, m.anomalies)
	return m
}

func (m *Metrics) anomaly(a Anomaly) { m.anomalies.WithLabelValues(string(a)).Inc() }
