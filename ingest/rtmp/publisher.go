package rtmp

import (
	"errors"
	"log/slog"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// Encoders announce picture and sound one after the other, each with its first frames. Until both are known, samples
// wait, so that a show does not begin without sound and change its tracks at once.
const (
	holdSpan  = media.TicksPerSecond // of one track's samples without a sign of the other
	holdBytes = 8 << 20
	holdItems = 1024
)

// publisher turns the messages of an accepted publish into samples. It is for one goroutine.
type publisher struct {
	pub     media.Publication
	log     *slog.Logger
	metrics *Metrics
	anomaly func(Anomaly)
	retimer *media.Retimer
	link    *link
	report  media.Reporter // nil when nobody listens
	jitter  jitter         // of the picture, or of the sound when there is none
	since   time.Time
	patient time.Duration // how long to wait for a usable track

	codec        media.Codec // of picture
	picture      picture     // nil before the first configuration
	aac          aacTrack
	video, audio *media.Track
	several      bool // it sends several tracks of a kind, and that has been told
	begun        bool // tracks have been named
	held         []timed
	heldBytes    int
	metadata     metadata
}

// picture is the video of a publisher in one codec.
type picture interface {
	// configure takes a decoder configuration record and returns nil when it says nothing new.
	configure(record []byte) (*media.Track, error)
	// clean makes an access unit out of a packet, which it owns; ok is false when that holds no picture.
	clean(packet []byte, anomaly func(Anomaly)) (unit accessUnit, ok bool)
}

func newPicture(codec media.Codec) picture {
	switch codec {
	case media.HEVC:
		return &nalTrack{syntax: &hevc}
	case media.AV1:
		return &av1Track{}
	}
	return &nalTrack{syntax: &avc}
}

// timed is something with a publisher time: a sample or a data message.
type timed struct {
	sample media.Sample
	at     media.Ticks
	data   []byte // JSON, nil for a sample
}

func newPublisher(pub media.Publication, path *link, patient time.Duration, now time.Time, log *slog.Logger, m *Metrics) *publisher {
	report, _ := pub.(media.Reporter)
	return &publisher{
		pub: pub, link: path, report: report, log: log, metrics: m, anomaly: m.anomaly, retimer: media.NewRetimer(), since: now, patient: patient,
	}
}

// media takes one audio or video message and owns its body.
func (p *publisher) media(m message, arrival time.Time) error {
	if !p.begun && arrival.Sub(p.since) > p.patient {
		if err := p.begin(); err != nil {
			return err
		}
	}
	if m.typeID == typeVideo {
		return p.takeVideo(m, arrival)
	}
	return p.takeAudio(m, arrival)
}

func (p *publisher) takeVideo(m message, arrival time.Time) error {
	t, err := parseVideo(m.body)
	p.hasSeveral(t)
	switch {
	case err != nil:
		return err
	case t.packet == packetConfig:
		return p.configurePicture(t)
	case t.packet != packetFrame:
		return nil
	case len(t.payload) == 0:
		p.anomaly(EmptyMedia)
		return nil
	case t.codec != p.codec:
		p.anomaly(NoConfig)
		return nil
	}
	unit, ok := p.picture.clean(t.payload, p.anomaly)
	if !ok {
		return nil
	}
	if err := p.configured(unit.track, nil); err != nil {
		return err
	}
	timing := p.time(media.Video, m.timestamp, t.cts)
	p.link.jitter.Store(int64(p.jitter.observe(timing.DTS, arrival)))
	p.metrics.video.Inc()
	return p.sample(media.Sample{
		Kind: media.Video, PTS: timing.PTS, DTS: timing.DTS, Key: unit.key, Payload: unit.payload,
		Arrival: arrival, Rebased: timing.Rebased,
	})
}

// configurePicture takes a decoder configuration record. With another codec than before it begins a new picture.
func (p *publisher) configurePicture(t tag) error {
	if t.codec == p.codec {
		track, err := p.picture.configure(t.payload)
		return p.configured(track, err)
	}
	fresh := newPicture(t.codec)
	track, err := fresh.configure(t.payload)
	if err == nil {
		p.codec, p.picture = t.codec, fresh
	}
	return p.configured(track, err)
}

// hasSeveral tells, once, that only the first of several tracks is taken.
func (p *publisher) hasSeveral(t tag) {
	if t.tracks && !p.several {
		p.several = true
		p.log.Info("the publisher sends several tracks; the one with ID 0 is taken")
	}
}

func (p *publisher) takeAudio(m message, arrival time.Time) error {
	t, err := parseAudio(m.body)
	p.hasSeveral(t)
	switch {
	case err != nil:
		return err
	case t.packet == packetConfig:
		track, err := p.aac.configure(t.payload)
		return p.configured(track, err)
	case t.packet != packetFrame:
		return nil
	case len(t.payload) == 0: // some encoders send these while muted
		p.anomaly(EmptyMedia)
		return nil
	case p.audio == nil:
		p.anomaly(NoConfig)
		return nil
	}
	timing := p.time(media.Audio, m.timestamp, 0)
	if p.video == nil {
		p.link.jitter.Store(int64(p.jitter.observe(timing.DTS, arrival)))
	}
	p.metrics.audio.Inc()
	return p.sample(media.Sample{
		Kind: media.Audio, PTS: timing.PTS, DTS: timing.DTS, Key: true, Payload: t.payload,
		Arrival: arrival, Rebased: timing.Rebased,
	})
}

// time asks the retimer and tells of what it had to mend.
func (p *publisher) time(kind media.Kind, dts uint32, cts int32) media.Timing {
	timing := p.retimer.Next(kind, dts, cts)
	if timing.Anomaly == "" {
		return timing
	}
	p.anomaly(Anomaly(timing.Anomaly))
	if p.report != nil {
		p.report.ReportAnomaly(timing.Anomaly)
	}
	if timing.Rebased {
		p.jitter.forget()
		p.log.Info("publisher's clock moved", "kind", kind.String(), "anomaly", string(timing.Anomaly), "timestamp_ms", dts, "publisher_ms", timing.DTS.Milliseconds())
	}
	return timing
}

// configured takes a track's new parameters, nil when they are unchanged, or why they cannot be used.
func (p *publisher) configured(track *media.Track, err error) error {
	if err != nil {
		return p.unusable(err)
	}
	if track == nil {
		return nil
	}
	slot := &p.video
	if track.Kind() == media.Audio {
		slot = &p.audio
	}
	if *slot != nil && len(p.held) > 0 { // what is held needs the old parameters
		if err := p.begin(); err != nil {
			return err
		}
	}
	*slot = track
	if !p.begun {
		return nil
	}
	return p.name()
}

// unusable tells of a configuration that cannot be used. Only a refused codec ends the publish.
func (p *publisher) unusable(err error) error {
	var refusal *ending
	if errors.As(err, &refusal) {
		return err
	}
	p.anomaly(BadConfig)
	p.log.Warn("unusable codec configuration", "error", err)
	return nil
}

// sample passes a sample on, or holds it until the tracks are known.
func (p *publisher) sample(s media.Sample) error {
	if p.begun {
		return p.write(timed{sample: s})
	}
	if p.video != nil && p.audio != nil {
		if err := p.begin(); err != nil {
			return err
		}
		return p.write(timed{sample: s})
	}
	return p.hold(timed{sample: s, at: s.DTS}, len(s.Payload))
}

// hold keeps something for when the tracks are known, and ends the wait when it is one track's samples for too long.
func (p *publisher) hold(t timed, size int) error {
	p.held = append(p.held, t)
	p.heldBytes += size
	if t.at-p.held[0].at < holdSpan && p.heldBytes < holdBytes && len(p.held) < holdItems {
		return nil
	}
	p.anomaly(HeldTooLong)
	return p.begin()
}

// begin names the tracks that are known and passes on what was held.
func (p *publisher) begin() error {
	if p.video == nil && p.audio == nil {
		return reject(NoTracks, codeRejected, "no usable video (H264, HEVC, AV1) or AAC audio configuration has come")
	}
	if err := p.name(); err != nil {
		return err
	}
	p.begun = true
	held := p.held
	p.held = nil
	for _, t := range held {
		if err := p.write(t); err != nil {
			return err
		}
	}
	return nil
}

// finish passes on what is still held when the publish ends.
func (p *publisher) finish() {
	if !p.begun && len(p.held) > 0 {
		_ = p.begin() // the publish is over either way
	}
}

// name tells the tracks.
func (p *publisher) name() error {
	var tracks []media.Track
	for _, t := range []*media.Track{p.video, p.audio} {
		if t != nil {
			tracks = append(tracks, *t)
		}
	}
	return gateError(p.pub.SetTracks(tracks))
}

func (p *publisher) write(t timed) error {
	if t.data != nil {
		p.writeData(t)
		return nil
	}
	return gateError(p.pub.Write(t.sample))
}

// writeData passes a timed message on. That it is not taken concerns this message alone.
func (p *publisher) writeData(t timed) {
	if err := p.pub.WriteData(t.at, t.data); err != nil {
		p.anomaly(RefusedData)
		p.log.Warn("timed message refused", "publisher_ms", t.at.Milliseconds(), "error", err)
		return
	}
	p.metrics.data.Inc()
}

// gateError makes the ending out of an error of the media path; nil stays nil.
func gateError(err error) error {
	if err == nil {
		return nil
	}
	e := &ending{reason: Refused, code: codeRejected, detail: errs.MessageOf(err), err: err}
	if e.detail == "" {
		e.detail = "the server cannot go on with this stream"
	}
	if errs.KindOf(err) == errs.Unauthorized {
		e.reason, e.code = WrongKey, codeDenied
	}
	return e
}
