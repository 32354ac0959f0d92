package replay

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what recorders and the archive do.
type Metrics struct {
	Recorders   prometheus.Gauge
	Paused      prometheus.Gauge
	LagBytes    prometheus.Gauge
	LagSeconds  prometheus.Gauge
	Written     prometheus.Counter
	WriteErrors prometheus.Counter
	Gaps        prometheus.Counter
	SyncSeconds prometheus.Histogram
	FreeBytes   prometheus.Gauge
	Remuxed     prometheus.Counter
	CacheHits   prometheus.Counter
	CacheMisses prometheus.Counter
	CacheBytes  prometheus.Gauge
}

// NewMetrics registers the metrics with reg; nil leaves them unregistered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "vitrine", Name: name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "vitrine", Name: name, Help: help})
	}
	m := &Metrics{
		Recorders:   gauge("recorders", "Shows that are being recorded."),
		Paused:      gauge("recorders_paused", "Recordings that are paused: the disk is full, below its reserve, too slow or broken."),
		LagBytes:    gauge("recorder_lag_bytes", "Media of all shows that waits for the disk."),
		LagSeconds:  gauge("recorder_lag_seconds", "How long the oldest media has been waiting for the disk."),
		Written:     counter("recorder_written_bytes_total", "Media written to recordings."),
		WriteErrors: counter("recorder_write_errors_total", "Failed writes and syncs of recordings."),
		Gaps:        counter("recorder_gaps_total", "Segments that are missing in recordings."),
		FreeBytes:   gauge("recordings_free_bytes", "Free space of the recordings' file system."),
		Remuxed:     counter("replay_remuxed_segments_total", "MPEG-TS segments made for replays."),
		CacheHits:   counter("replay_cache_hits_total", "Playlists and MPEG-TS segments of replays found in the cache."),
		CacheMisses: counter("replay_cache_misses_total", "Playlists and MPEG-TS segments of replays that had to be made."),
		CacheBytes:  gauge("replay_cache_bytes", "Size of the cache of playlists and MPEG-TS segments."),
		SyncSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "vitrine", Name: "recorder_sync_seconds", Help: "How long making a recording durable took.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10},
		}),
	}
	if reg != nil {
		reg.MustRegister(m.Recorders, m.Paused, m.LagBytes, m.LagSeconds, m.Written, m.WriteErrors, m.Gaps,
			m.SyncSeconds, m.FreeBytes, m.Remuxed, m.CacheHits, m.CacheMisses, m.CacheBytes)
	}
	return m
}
