package hls

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are those of all shows of the process together: rooms come and go, and a label for each would never end.
type Metrics struct {
	segments, parts, partsLate prometheus.Counter
	forcedCuts                 prometheus.Counter
	gaps                       prometheus.Counter
	audioResyncs               prometheus.Counter
	silence                    prometheus.Counter
	dropped                    *prometheus.CounterVec // by kind, reason

	renders   prometheus.Counter
	remuxes   prometheus.Counter
	waiters   prometheus.Gauge
	refused   prometheus.Counter
	sentBytes map[fileClass]prometheus.Counter
}

// fileClass sorts what is sent, for the metric.
type fileClass string

const (
	classPlaylist fileClass = "playlist"
	classInit     fileClass = "init"
	classPart     fileClass = "part"
	classSegment  fileClass = "segment"
	classTS       fileClass = "ts"
)

// NewMetrics registers the metrics with reg; a nil reg makes metrics that nobody reads.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Namespace: "vitrine", Subsystem: "hls", Name: name, Help: help})
	}
	m := &Metrics{
		segments:     counter("segments_total", "Segments packaged."),
		parts:        counter("parts_total", "Partial segments packaged."),
		partsLate:    counter("parts_late_total", "Parts published later than one and a half part targets after the one before."),
		forcedCuts:   counter("forced_cuts_total", "Segments ended without a keyframe because none came within the target duration."),
		gaps:         counter("rendition_gaps_total", "Segments of renditions that are gaps because their pictures did not come in time."),
		audioResyncs: counter("audio_resyncs_total", "Times that sound was more than 32 ms off its sample count and was set anew."),
		silence:      counter("audio_silence_frames_total", "Silent audio frames put in where a publisher sent none."),
		renders:      counter("playlist_renders_total", "Playlists rendered; every version is rendered once for all viewers."),
		remuxes:      counter("ts_segments_total", "MPEG-TS segments made on request."),
		refused:      counter("waiters_refused_total", "Requests answered 503 because too many were waiting."),
		waiters: f.NewGauge(prometheus.GaugeOpts{
			Namespace: "vitrine", Subsystem: "hls", Name: "waiters", Help: "Requests that wait for media that is yet to come.",
		}),
		dropped: f.NewCounterVec(prometheus.CounterOpts{
			Namespace: "vitrine", Subsystem: "hls", Name: "samples_dropped_total", Help: "Samples that could not be packaged, by kind and reason.",
		}, []string{"kind", "reason"}),
		sentBytes: map[fileClass]prometheus.Counter{},
	}
	sent := f.NewCounterVec(prometheus.CounterOpts{
		Namespace: "vitrine", Subsystem: "hls", Name: "sent_bytes_total", Help: "Bytes of HLS bodies sent, by kind of file.",
	}, []string{"file"})
	for _, c := range []fileClass{classPlaylist, classInit, classPart, classSegment, classTS} {
		m.sentBytes[c] = sent.WithLabelValues(string(c))
	}
	return m
}
