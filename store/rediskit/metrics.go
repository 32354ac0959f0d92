package rediskit

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics count what goes past Redis.
type Metrics struct {
	up       prometheus.Gauge
	bypassed *prometheus.CounterVec // by part
	answers  *prometheus.CounterVec // by result
}

// NewMetrics registers the metrics; reg may be nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	return &Metrics{
		up: f.NewGauge(prometheus.GaugeOpts{Name: "vitrine_redis_up", Help: "Whether Redis answered when last asked."}),
		bypassed: f.NewCounterVec(prometheus.CounterOpts{
			Name: "vitrine_redis_bypassed_total", Help: "Calls that went on without Redis, by part (stock, limit, answer).",
		}, []string{"part"}),
		answers: f.NewCounterVec(prometheus.CounterOpts{
			Name: "vitrine_redis_answers_total", Help: "Repeated requests looked up in Redis, by result (hit, miss).",
		}, []string{"result"}),
	}
}
