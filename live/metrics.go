package live

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what happens to shows.
type Metrics struct {
	Reconnects  prometheus.Counter
	Replaced    prometheus.Counter
	InBand      prometheus.Counter
	StoreErrors prometheus.Counter
	Unrecorded  prometheus.Counter
	Ended       *prometheus.CounterVec // by reason
}

// NewMetrics registers the metrics of live rooms.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "vitrine", Subsystem: "live", Name: name, Help: help})
		reg.MustRegister(c)
		return c
	}
	m := &Metrics{
		Reconnects:  counter("reconnects_total", "Publishers that came back to an interrupted show."),
		Replaced:    counter("replaced_total", "Publishers that a newer one with the same stream key replaced."),
		InBand:      counter("in_band_messages_total", "Timed messages that publishers carried in band."),
		StoreErrors: counter("store_errors_total", "States of shows that could not be kept."),
		Unrecorded:  counter("unrecorded_total", "Shows that went on air without a recording because it could not be opened."),
		Ended:       prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "vitrine", Subsystem: "live", Name: "ended_total", Help: "Shows that ended, by reason."}, []string{"reason"}),
	}
	reg.MustRegister(m.Ended)
	return m
}

// Collector reports the rooms on air at each scrape. A room's series are there only while it is on air, so their number
// is that of the live rooms.
type Collector struct {
	rooms                              *Rooms
	shows, bitrate, fps, keys, showEnd *prometheus.Desc
}

// NewCollector makes the collector of r.
func NewCollector(r *Rooms) *Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("vitrine_live_"+name, help, labels, nil)
	}
	return &Collector{
		rooms:   r,
		shows:   desc("shows", "Shows by state.", "state"),
		bitrate: desc("publisher_bits_per_second", "What the room's publisher sends, over the last seconds.", "room"),
		fps:     desc("publisher_frames_per_second", "Pictures per second of the room's publisher.", "room"),
		keys:    desc("publisher_key_interval_seconds", "Time between the last two IDR pictures.", "room"),
		showEnd: desc("show_time_seconds", "Show time of the newest packaged sample.", "room"),
	}
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	var live, interrupted float64
	for _, s := range c.rooms.sessions() {
		st := s.status()
		switch st.State {
		case RoomLive:
			live++
			gauge(c.showEnd, st.Show.Duration.Seconds(), s.roomID)
		case RoomInterrupted:
			interrupted++
		case RoomIdle:
		}
		if st.Publisher != nil {
			gauge(c.bitrate, float64(st.Publisher.BitrateBPS), s.roomID)
			gauge(c.fps, st.Publisher.FPS, s.roomID)
			gauge(c.keys, st.Publisher.KeyInterval.Seconds(), s.roomID)
		}
	}
	gauge(c.shows, live, string(Live))
	gauge(c.shows, interrupted, string(Interrupted))
}
