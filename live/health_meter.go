package live

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

const (
	// keySpans is how many distances between keyframes are remembered: enough to see what the encoder is set to between
	// the extra keyframes that it puts at changes of scene.
	keySpans = 8
	// frameSpans is how many distances between pictures are remembered: some 8 s at 30 a second.
	frameSpans = 256
	// driftPerSecond is how fast the best delay is forgotten, so that a publisher's clock that runs slow by up to 0.2 ms a
	// second is not taken for an upload that falls behind.
	driftPerSecond = media.TicksPerMillisecond / 5
	// stallAfter is how long a publisher may be silent before its picture counts as stalled. What is pulled comes in
	// segments and may pause longer.
	stallAfter, stallAfterPull = 3 * time.Second, 12 * time.Second
)

// meter measures what one publisher sends, as the protocol hands it over: before anything is converted. It is safe for
// concurrent use.
type meter struct {
	mu        sync.Mutex
	encoder   string
	about     Format // of tracks
	counts    stats
	newest    time.Time // arrival of the newest sample
	picture   picture
	way       way
	audioSeen time.Time // arrival of the newest sound
	anomalies int64
	discarded int64 // the protocol's counter when it was last read
}

// picture is the course of the video track.
type picture struct {
	seen     time.Time // arrival of the newest picture
	dts, top media.Ticks
	key      media.Ticks
	hasKey   bool
	started  bool
	spans    spans // between pictures
	keys     spans // between keyframes
}

// way is how samples get here.
type way struct {
	started  bool
	base     time.Time
	best     media.Ticks // the delay of the path without queues, slowly forgotten
	bestAt   time.Time
	transit  media.Ticks // delay of the newest picture
	jittered bool
	jitter   float64 // ticks (RFC 3550, 6.4.1)
}

// setTracks takes what the protocol says the samples are.
func (m *meter) setTracks(tracks []media.Track) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.about = formatOf(tracks)
}

// observe takes one sample in publisher time.
func (m *meter) observe(s media.Sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sec := m.counts.at(s.Arrival)
	m.newest = s.Arrival
	if s.Rebased {
		m.way, m.picture.started = way{}, false
	}
	m.way.observe(s, sec)
	if s.Kind == media.Audio {
		m.audioSeen = s.Arrival
		sec.packets++
		sec.audioBytes += int64(len(s.Payload))
		return
	}
	sec.frames++
	sec.videoBytes += int64(len(s.Payload))
	m.picture.observe(s, sec)
}

func (p *picture) observe(s media.Sample, sec *second) {
	if p.started {
		p.spans.add(s.DTS-p.dts, frameSpans)
		if s.PTS < p.top {
			sec.reordered++
		}
		p.top = max(p.top, s.PTS)
	} else {
		p.started, p.hasKey, p.top = true, false, s.PTS
	}
	p.seen, p.dts = s.Arrival, s.DTS
	if !s.Key {
		return
	}
	if p.hasKey {
		p.keys.add(s.PTS-p.key, keySpans)
	}
	p.key, p.hasKey = s.PTS, true
}

func (w *way) observe(s media.Sample, sec *second) {
	if !w.started {
		*w = way{started: true, base: s.Arrival, bestAt: s.Arrival, best: -s.DTS}
	}
	delay := media.FromDuration(s.Arrival.Sub(w.base)) - s.DTS
	w.best = min(w.best+w.forgotten(s.Arrival), delay)
	if d := delay - w.best; !sec.delayed || d < sec.delay {
		sec.delay, sec.delayed = d, true
	}
	if s.Kind != media.Video {
		return
	}
	if w.jittered {
		d := math.Abs(float64(delay - w.transit))
		w.jitter += (d - w.jitter) / 16
	}
	w.transit, w.jittered = delay, true
}

// forgotten is by how much the best delay has aged since it was last asked; whole seconds are taken.
func (w *way) forgotten(now time.Time) media.Ticks {
	n := now.Sub(w.bestAt) / time.Second
	if n <= 0 {
		return 0
	}
	w.bestAt = w.bestAt.Add(n * time.Second)
	return media.Ticks(n) * driftPerSecond
}

func (m *meter) reportEncoder(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.encoder = name
}

func (m *meter) reportAnomaly(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.anomalies++
	if !m.counts.base.IsZero() {
		m.counts.at(now).anomalies++
	}
}

// fill adds to st what is measured at now.
func (m *meter) fill(st *PublisherStatus, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.encoder != "" {
		st.Encoder = m.encoder
	}
	st.Format = m.about
	m.fillRates(st, now)
	m.fillPicture(st, now)
	m.fillWay(st, now)
	st.State = m.state(st, now)
	if !m.newest.IsZero() {
		st.Quiet = max(now.Sub(m.newest), 0)
	}
	if !m.audioSeen.IsZero() {
		st.AudioQuiet = max(now.Sub(m.audioSeen), 0)
	}
}

func (m *meter) state(st *PublisherStatus, now time.Time) PublisherState {
	after := stallAfter
	if st.Protocol == "hls" {
		after = stallAfterPull
	}
	switch {
	case m.newest.IsZero():
		return PublisherWaiting
	case now.Sub(m.newest) > after:
		return PublisherStalled
	}
	return PublisherSending
}

func (m *meter) fillRates(st *PublisherStatus, now time.Time) {
	r := m.counts.read(now)
	st.VideoBitrateBPS, st.AudioBitrateBPS = r.video, r.audio
	st.BitrateBPS = r.video + r.audio
	st.BFrames, st.meanPacket = r.reordered, r.meanPacket
	st.meanBPS, st.peakBPS = m.counts.peak(now)
	if r.frames > 0 {
		st.FPS = m.picture.fps()
	}
}

func (m *meter) fillPicture(st *PublisherStatus, now time.Time) {
	p := &m.picture
	if !p.seen.IsZero() {
		st.VideoQuiet = max(now.Sub(p.seen), 0)
	}
	st.MissingFrames = p.missing()
	keys := p.keys.values
	st.keys = len(keys)
	if len(keys) > 0 {
		st.KeyInterval = p.keys.last().Duration()
		st.KeyIntervalMin, st.KeyIntervalMax = slices.Min(keys).Duration(), slices.Max(keys).Duration()
	}
	if p.hasKey {
		st.sinceKey = (p.dts - p.key).Duration()
	}
}

func (m *meter) fillWay(st *PublisherStatus, now time.Time) {
	st.Jitter = media.Ticks(m.way.jitter).Duration()
	st.Anomalies = m.anomalies
	st.recentAnomalies, st.recentDiscarded = m.counts.trouble(now)
	lag, known := media.Ticks(0), false
	m.counts.each(now, 3, func(s *second) {
		if s.delayed && !known {
			lag, known = s.delay, true
		}
	})
	st.Lag = lag.Duration()
}

// fillLink adds what the protocol itself knows of the network; it knows better than arrivals do.
func (m *meter) fillLink(st *PublisherStatus, link media.Link, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if link.Jitter > 0 {
		st.Jitter = link.Jitter
	}
	st.RTT, st.Loss, st.Repaired, st.Discarded = link.RTT, link.Loss, link.Repaired, link.Discarded
	if !m.counts.base.IsZero() {
		m.counts.at(now).discarded += max(link.Discarded-m.discarded, 0)
	}
	m.discarded = link.Discarded
}

// fps is the pictures per second of the publisher's own clock, however they arrive.
func (p *picture) fps() float64 {
	var sum media.Ticks
	for _, d := range p.spans.values {
		sum += d
	}
	if sum <= 0 {
		return 0
	}
	return float64(len(p.spans.values)) / sum.Seconds()
}

// missing is the share of pictures that should have come and did not, 0 to 1: distances that are a multiple of the usual
// one lack the pictures between.
func (p *picture) missing() float64 {
	spans := p.spans.values
	if len(spans) < frameSpans/8 {
		return 0
	}
	usual := slices.Sorted(slices.Values(spans))[len(spans)/2]
	if usual <= 0 {
		return 0
	}
	lost := 0
	for _, d := range spans {
		lost += max(int((d+usual/2)/usual)-1, 0)
	}
	return float64(lost) / float64(len(spans)+lost)
}

// spans are the newest distances between things of a kind, in no order.
type spans struct {
	values []media.Ticks
	next   int // where the next value goes
}

func (s *spans) add(t media.Ticks, most int) {
	if len(s.values) < most {
		s.values = append(s.values, t)
		return
	}
	s.values[s.next] = t
	s.next = (s.next + 1) % most
}

// last is the newest value; there must be one.
func (s *spans) last() media.Ticks {
	return s.values[(s.next+len(s.values)-1)%len(s.values)]
}
