package live

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Collector reports the rooms on air at each scrape. A room's series are there only while it is on air, so their number
// is that of the live rooms.
type Collector struct {
	rooms                    *Rooms
	shows, publishers        *prometheus.Desc
	showEnd, about, warnings *prometheus.Desc
	rendition                *prometheus.Desc
	publisher                []publisherGauge
}

// publisherGauge is one number of a publisher; known is false while it is not known.
type publisherGauge struct {
	desc *prometheus.Desc
	read func(*PublisherStatus) (value float64, known bool)
}

// NewCollector makes the collector of r.
func NewCollector(r *Rooms) *Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("vitrine_live_"+name, help, labels, nil)
	}
	c := &Collector{
		rooms:      r,
		shows:      desc("shows", "Shows by state.", "state"),
		publishers: desc("publishers", "Publishers that are connected."),
		showEnd:    desc("show_time_seconds", "Show time of the newest packaged sample.", "room"),
		about:      desc("publisher_info", "1, with what the room's publisher sends as labels.", "room", "protocol", "video", "audio", "width", "height"),
		warnings:   desc("publisher_warning", "1 while the anchor is warned of this.", "room", "code", "severity"),
		rendition:  desc("rendition_up", "Whether a rendition beside the source is being made.", "room", "rendition"),
	}
	gauge := func(name, help string, read func(*PublisherStatus) (float64, bool)) {
		c.publisher = append(c.publisher, publisherGauge{desc("publisher_"+name, help, "room"), read})
	}
	gauge("bits_per_second", "What the room's publisher sends, over the last seconds.", func(p *PublisherStatus) (float64, bool) { return float64(p.BitrateBPS), true })
	gauge("audio_bits_per_second", "The sound's part of it.", func(p *PublisherStatus) (float64, bool) { return float64(p.AudioBitrateBPS), true })
	gauge("frames_per_second", "Pictures per second of the room's publisher.", func(p *PublisherStatus) (float64, bool) { return p.FPS, true })
	gauge("missing_frames_ratio", "Share of pictures that the encoder left out, over the last seconds.", func(p *PublisherStatus) (float64, bool) { return p.MissingFrames, true })
	gauge("key_interval_seconds", "Time between the last two keyframes.", func(p *PublisherStatus) (float64, bool) { return p.KeyInterval.Seconds(), p.KeyInterval > 0 })
	gauge("b_frames", "Whether pictures come in another order than they are shown.", func(p *PublisherStatus) (float64, bool) { return truth(p.BFrames), true })
	gauge("lag_seconds", "By how much samples arrive later than at the best of times.", func(p *PublisherStatus) (float64, bool) { return p.Lag.Seconds(), true })
	gauge("jitter_seconds", "Unevenness of arrivals.", func(p *PublisherStatus) (float64, bool) { return p.Jitter.Seconds(), true })
	gauge("rtt_seconds", "Round trip to the publisher, where the protocol knows it.", func(p *PublisherStatus) (float64, bool) { return p.RTT.Seconds(), p.RTT > 0 })
	gauge("loss_ratio", "Share of packets lost and not repaired in time, where the protocol knows it.", func(p *PublisherStatus) (float64, bool) { return p.Loss, p.Loss >= 0 })
	gauge("repaired_ratio", "Share of packets sent again, where the protocol knows it.", func(p *PublisherStatus) (float64, bool) { return p.Repaired, p.Repaired >= 0 })
	gauge("discarded_frames", "Pictures dropped since the publish began, for want of a piece.", func(p *PublisherStatus) (float64, bool) { return float64(p.Discarded), true })
	gauge("timestamp_anomalies", "Timestamps mended since the publish began.", func(p *PublisherStatus) (float64, bool) { return float64(p.Anomalies), true })
	return c
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	var live, interrupted, publishers float64
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
		for _, r := range st.Renditions {
			gauge(c.rendition, truth(r.State == RenditionOn), s.roomID, r.Name)
		}
		for _, w := range st.Warnings {
			gauge(c.warnings, 1, s.roomID, w.Code, string(w.Severity))
		}
		p := st.Publisher
		if p == nil {
			continue
		}
		publishers++
		gauge(c.about, 1, s.roomID, p.Protocol, p.Video, p.Audio, strconv.Itoa(p.Width), strconv.Itoa(p.Height))
		for _, g := range c.publisher {
			if v, known := g.read(p); known {
				gauge(g.desc, v, s.roomID)
			}
		}
	}
	gauge(c.shows, live, string(Live))
	gauge(c.shows, interrupted, string(Interrupted))
	gauge(c.publishers, publishers)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
