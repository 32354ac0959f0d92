package wechatpay

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Metrics count what is asked of WeChat Pay and what it reports.
type Metrics struct {
	requests      *prometheus.CounterVec
	notifications *prometheus.CounterVec
}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vitrine_wechatpay_requests_total", Help: "Requests to WeChat Pay, by what was asked and what came of it: ok or the kind of the error.",
		}, []string{"request", "outcome"}),
		notifications: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vitrine_wechatpay_notifications_total", Help: "Reports that came as WeChat Pay's: ok, or why they were refused (unauthorized: forged, played back or signed with an unknown key).",
		}, []string{"outcome"}),
	}
	reg.MustRegister(m.requests, m.notifications)
	return m
}

func (m *Metrics) asked(request string, err error) {
	m.requests.WithLabelValues(request, outcome(inWords("", err))).Inc()
}

func (m *Metrics) notified(err error) { m.notifications.WithLabelValues(outcome(err)).Inc() }

func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	return errs.KindOf(err).String()
}
