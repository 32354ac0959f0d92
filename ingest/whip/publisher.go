package whip

import (
	"log/slog"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

const (
	// maxHeld bounds what is held back, in bytes; when it is reached the publish begins, and catches up at once.
	maxHeld = 32 << 20
	// catchUp is how many times faster than it came what was held goes out: at once, sound that is transcoded on the
	// way could not keep up with its pictures.
	catchUp = 1.5
)

// unit is a picture or a packet of sound on its own stream's clock.
type unit struct {
	kind    media.Kind
	at      media.Ticks
	key     bool
	payload []byte
	arrival time.Time
	track   *media.Track // of a picture with new parameters
}

// publisher turns pictures and sound into the samples of a publication. The picture's clock leads: its timestamps are
// publisher time; sound is carried onto it, and leads only where there is no picture. It is for one goroutine.
type publisher struct {
	pub     media.Publication
	log     *slog.Logger
	metrics *Metrics

	wantVideo, wantAudio bool // the offer has them

	retimer *media.Retimer
	reorder reorder
	lead    *streamClock
	shift   media.Ticks // from the lead's clock to publisher time, before the retimer
	sound   follower
	soundBy *streamClock // nil before the first sound
	tooNew  media.Ticks  // by which the reports of the sound are wrong, see impossibleAge
	wild    bool         // wild reports have been told of

	settle       settle
	videoSeen    bool // any packet
	video, audio *media.Track
	begun        bool
	released     time.Time // when it began
	first        time.Time // arrival of the first unit
	held         []unit    // before the begin, and until what was held is out
	heldBytes    int
	newest       media.Ticks // publisher time of the newest sample
	lastSound    media.Ticks
	soundBegun   bool
}

func newPublisher(pub media.Publication, o *offer, hold time.Duration, log *slog.Logger, m *Metrics) *publisher {
	return &publisher{
		pub: pub, log: log, metrics: m, wantVideo: o.video != nil, wantAudio: o.audio != nil,
		retimer: media.NewRetimer(), settle: settle{limit: hold},
	}
}

// follow makes c the clock that leads, continuing the clock that led until now: another layer of a simulcast, or the
// picture that joins sound alone.
func (p *publisher) follow(c *streamClock, now time.Time) {
	if p.lead == c {
		return
	}
	if p.lead != nil {
		offset, _, _ := c.offset(p.lead, now)
		p.shift += offset
	}
	p.lead = c
	p.align(now)
}

// align lets the sound's clock aim at the one that leads.
func (p *publisher) align(now time.Time) {
	if p.soundBy == nil || p.lead == nil {
		return
	}
	if p.soundBy == p.lead {
		p.sound.aim(p.shift, false)
		return
	}
	offset, exact, wild := p.soundBy.offset(p.lead, now)
	if wild && !p.wild {
		p.wild = true
		p.metrics.anomaly(WildReports)
		p.log.Warn("the sender reports of picture and sound disagree; they are put together by their arrival")
	}
	if exact {
		offset -= p.tooNew
	}
	p.sound.aim(offset+p.shift, exact)
}

// picture takes a picture whose clock leads.
func (p *publisher) picture(pic picture, width, height int, now time.Time) error {
	u := unit{kind: media.Video, at: p.lead.peek(pic.stamp) + p.shift, key: pic.key, payload: pic.payload, arrival: pic.arrival, track: pic.track}
	p.reorder.tell(u.at)
	if p.begun {
		return p.pass(u, now)
	}
	if pic.key && p.settle.size(width, height, now) {
		p.held, p.heldBytes = nil, 0
	}
	if len(p.held) == 0 && !pic.key {
		return nil
	}
	return p.hold(u, now)
}

// packet takes a packet of sound, at on the clock by.
func (p *publisher) packet(by *streamClock, at media.Ticks, payload []byte, arrival, now time.Time) error {
	if p.soundBy == nil {
		p.soundBy = by
		p.align(now)
	}
	u := unit{kind: media.Audio, at: at, key: true, payload: payload, arrival: arrival}
	if p.audio == nil {
		p.audio = &media.Track{Codec: media.Opus, Channels: 2} // what RTP always says; the packets themselves tell more
		if err := p.name(); err != nil {                       // long before the first sample, so that what transcodes it is ready
			return err
		}
	}
	if p.begun {
		return p.pass(u, now)
	}
	if p.wantVideo && len(p.held) == 0 { // the show begins with a picture
		return p.begin(now)
	}
	return p.hold(u, now)
}

// hold keeps a unit until the publish may begin.
func (p *publisher) hold(u unit, now time.Time) error {
	p.held = append(p.held, u)
	p.heldBytes += len(u.payload)
	return p.begin(now)
}

// begin passes on what was held, if the time has come.
func (p *publisher) begin(now time.Time) error {
	if p.begun {
		return p.release(now)
	}
	if !p.ready(now) {
		return nil
	}
	p.begun = true
	if p.lead == nil {
		p.follow(p.soundBy, now)
	}
	p.align(now)
	p.released = now
	if len(p.held) > 0 {
		p.first = p.held[0].arrival
	}
	return p.release(now)
}

// pass writes a unit, behind what was held back.
func (p *publisher) pass(u unit, now time.Time) error {
	if len(p.held) == 0 {
		return p.emit(u)
	}
	p.held = append(p.held, u)
	p.heldBytes += len(u.payload)
	return p.release(now)
}

// release writes what is due of what was held back.
func (p *publisher) release(now time.Time) error {
	due := p.first.Add(time.Duration(catchUp * float64(now.Sub(p.released))))
	for len(p.held) > 0 && (!p.held[0].arrival.After(due) || p.heldBytes >= maxHeld) {
		u := p.held[0]
		p.held[0] = unit{}
		p.held = p.held[1:]
		p.heldBytes -= len(u.payload)
		if err := p.emit(u); err != nil {
			return err
		}
	}
	return nil
}

// ready decides whether what is held may go out.
func (p *publisher) ready(now time.Time) bool {
	over, why := p.settle.over(now), "waited long enough"
	if p.heldBytes >= maxHeld {
		over, why = true, "much held back"
	}
	if !over {
		settled, ok := p.settle.settled(now)
		if p.wantVideo && !ok || p.wantAudio && p.wantVideo && !p.sound.exact || p.wantAudio && p.soundBy == nil {
			return false
		}
		why = settled
	}
	if len(p.held) == 0 && (p.videoSeen || p.soundBy == nil) { // no keyframe yet
		return false
	}
	if p.wantVideo && p.settle.width == 0 {
		why = "no picture came"
	}
	p.log.Info("publish begins", "why", why, "width", p.settle.width, "height", p.settle.height,
		"held_for", now.Sub(p.settle.began).Round(time.Millisecond), "sound", p.soundBy != nil, "clocks_exact", p.sound.exact)
	return true
}

// emit times a unit and writes it.
func (p *publisher) emit(u unit) error {
	if u.kind == media.Audio {
		return p.emitSound(u)
	}
	if u.track != nil && (p.video == nil || !p.video.SameParameters(u.track)) {
		p.video = u.track
		if err := p.name(); err != nil {
			return err
		}
	}
	return p.write(u, p.time(media.Video, p.reorder.next(u.at), u.at))
}

// emitSound places sound on the picture's clock. When that clock has just become better known and lies earlier, sound that
// would play at once with what has been written is left out.
func (p *publisher) emitSound(u unit) error {
	at := p.sound.place(u.at)
	if out := p.retimer.AtTicks(media.Audio, at); p.soundBegun && out <= p.lastSound && p.lastSound-out < media.TicksPerSecond {
		p.metrics.anomaly(Anomaly(media.AnomalyDTSNotRising))
		return nil
	}
	timing := p.time(media.Audio, at, at)
	p.soundBegun, p.lastSound = true, timing.DTS
	return p.write(u, timing)
}

// time asks the retimer and tells of what it had to mend.
func (p *publisher) time(kind media.Kind, dts, pts media.Ticks) media.Timing {
	timing := p.retimer.NextTicks(kind, dts, pts)
	if timing.Anomaly == "" {
		return timing
	}
	p.metrics.anomaly(Anomaly(timing.Anomaly))
	if r, ok := p.pub.(media.Reporter); ok {
		r.ReportAnomaly(timing.Anomaly)
	}
	if timing.Rebased {
		p.log.Info("publisher's clock moved", "kind", kind.String(), "anomaly", string(timing.Anomaly), "publisher_ms", timing.DTS.Milliseconds())
	}
	return timing
}

func (p *publisher) write(u unit, timing media.Timing) error {
	p.metrics.samples[u.kind].Inc()
	p.newest = timing.PTS
	return p.pub.Write(media.Sample{
		Kind: u.kind, PTS: timing.PTS, DTS: timing.DTS, Key: u.key, Payload: u.payload, Arrival: u.arrival, Rebased: timing.Rebased,
	})
}

// name tells the tracks.
func (p *publisher) name() error {
	var tracks []media.Track
	for _, t := range []*media.Track{p.video, p.audio} {
		if t != nil {
			tracks = append(tracks, *t)
		}
	}
	return p.pub.SetTracks(tracks)
}

// finish passes on what is still held when the publish ends.
func (p *publisher) finish(now time.Time) {
	p.settle.limit = -1
	_ = p.begin(now) // the publish is over either way
	if p.begun {
		_ = p.release(now.Add(time.Hour))
	}
}

// publisherTime maps an instant on the leading clock to publisher time.
func (p *publisher) publisherTime(at media.Ticks) media.Ticks {
	kind := media.Video
	if p.video == nil {
		kind = media.Audio
	}
	return p.retimer.AtTicks(kind, at+p.shift)
}
