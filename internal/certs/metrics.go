package certs

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what happens to certificates. Its fields are for the package alone.
type Metrics struct {
	expiry   prometheus.Gauge
	changed  prometheus.Counter
	failures prometheus.Counter
}

// NewMetrics registers the metrics of certificates with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "vitrine", Subsystem: "tls", Name: name, Help: help}
	}
	m := &Metrics{
		expiry:   prometheus.NewGauge(prometheus.GaugeOpts(opts("certificate_not_after_seconds", "When the first of the certificates in use ends, in Unix time."))),
		changed:  prometheus.NewCounter(prometheus.CounterOpts(opts("certificate_changes_total", "Certificates loaded, obtained or signed."))),
		failures: prometheus.NewCounter(prometheus.CounterOpts(opts("certificate_failures_total", "Failures to load, obtain or sign a certificate."))),
	}
	reg.MustRegister(m.expiry, m.changed, m.failures)
	return m
}
