package mirror

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what the mirror does.
type Metrics struct {
	Up            prometheus.Gauge
	Pending       prometheus.Gauge
	LagSeconds    prometheus.Gauge
	Uploaded      prometheus.Counter
	UploadedBytes prometheus.Counter
	Failures      prometheus.Counter
	Damaged       prometheus.Counter
	Fetched       prometheus.Counter
	FetchedBytes  prometheus.Counter
	FetchSeconds  prometheus.Histogram
	LocalBytes    prometheus.Gauge
	TrimmedBytes  prometheus.Counter
	Deleting      prometheus.Gauge
}

// NewMetrics registers the metrics with reg; nil leaves them unregistered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "vitrine", Subsystem: "mirror", Name: name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "vitrine", Subsystem: "mirror", Name: name, Help: help})
	}
	m := &Metrics{
		Up:            gauge("up", "1 when the bucket took everything the last time, 0 when it failed."),
		Pending:       gauge("pending_files", "Recorded files that are not in the bucket yet."),
		LagSeconds:    gauge("lag_seconds", "How long ago the oldest media was recorded that is not in the bucket yet."),
		Uploaded:      counter("uploaded_files_total", "Files stored in the bucket."),
		UploadedBytes: counter("uploaded_bytes_total", "Bytes stored in the bucket."),
		Failures:      counter("failures_total", "Rounds of uploading that the bucket or a file ended."),
		Damaged:       counter("damaged_files_total", "Files that differ from their index, here or in the bucket."),
		Fetched:       counter("fetched_files_total", "Files brought back from the bucket."),
		FetchedBytes:  counter("fetched_bytes_total", "Bytes brought back from the bucket."),
		LocalBytes:    gauge("local_bytes", "Media on this disk when it was last looked at."),
		TrimmedBytes:  counter("trimmed_bytes_total", "Media that left this disk because the bucket has it."),
		Deleting:      gauge("deleting_shows", "Deleted shows that the bucket still has something of."),
		FetchSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "vitrine", Subsystem: "mirror", Name: "fetch_seconds", Help: "How long bringing a file back took.",
			Buckets: []float64{.02, .05, .1, .25, .5, 1, 2.5, 10},
		}),
	}
	if reg != nil {
		reg.MustRegister(m.Up, m.Pending, m.LagSeconds, m.Uploaded, m.UploadedBytes, m.Failures, m.Damaged, m.Fetched, m.FetchedBytes,
			m.FetchSeconds, m.LocalBytes, m.TrimmedBytes, m.Deleting)
	}
	return m
}
