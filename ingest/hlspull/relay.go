package hlspull

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	"github.com/bluenviron/gohlslib/v2/pkg/codecs"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

const (
	// noKeyFrame is how much may come without a picture that a show can begin with.
	noKeyFrame = 20 * media.TicksPerSecond
	// dateAhead and dateBehind are how far an origin's dates may be from this server's clock to tell when a picture was
	// captured: an origin's clock may be a little fast, and a stream is late, but not by hours.
	dateAhead  = 2 * time.Second
	dateBehind = 2 * time.Minute
)

// relay writes run after run of an origin to one publication: publisher time goes on without a hole from one run to the
// next, and live finds out by the arrivals whether time has passed between them.
//
// The client calls from a goroutine per track, so mu makes them one.
type relay struct {
	pub     media.Publication
	metrics *Metrics
	dated   atomic.Pointer[dated]

	mu     sync.Mutex
	failed error  // of pub: the publish is over
	stop   func() // ends the run
	video  *picture
	sound  *media.Track
	merge  merger
	base   media.Ticks // publisher time at which the run begins
	end    media.Ticks // of everything so far
	// reorder is PTS - DTS of key frames: a segment's date is that of its first picture (4.4.4.6), the client counts it
	// from decoding times.
	reorder media.Ticks
	jumped  [2]bool // the next sample of the kind is the first of a run that is not the first
	tracks  [2]*media.Track
	stale   bool // the publication does not know these yet
	count   int  // samples written
}

// dated is one sample with the date that the origin gives it.
type dated struct {
	at   media.Ticks
	wall time.Time
}

// capturedAt implements PublishRequest.CapturedAt by the origin's dates, where they can be true. ok is false otherwise.
func (r *relay) capturedAt(wall time.Time) (media.Ticks, bool) {
	d := r.dated.Load()
	if d == nil {
		return 0, false
	}
	return d.at + media.FromDuration(wall.Sub(d.wall)), true
}

// begin prepares for the run that c is going to read. stop ends it early.
func (r *relay) begin(c *gohlslib.Client, stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop = stop
	r.base = r.end
	r.merge, r.video, r.sound, r.reorder = merger{}, nil, nil, 0
	r.jumped = [2]bool{r.count > 0, r.count > 0}
	c.OnTracks = func(tracks []*gohlslib.Track) error { return r.meet(c, tracks) }
}

// finish writes what is still held back, and returns why the publication takes nothing more, if so.
func (r *relay) finish() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil {
		r.failed = r.merge.flush(r.write)
	}
	return r.failed
}

// written is how many samples went into the publication.
func (r *relay) written() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// meet chooses the tracks of a run and listens to them.
func (r *relay) meet(c *gohlslib.Client, tracks []*gohlslib.Track) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range tracks {
		switch codec := t.Codec.(type) {
		case *codecs.H264:
			r.listenVideo(c, t, &picture{codec: media.H264, sets: [3][]byte{codec.SPS, codec.PPS}})
		case *codecs.H265:
			r.listenVideo(c, t, &picture{codec: media.HEVC, sets: [3][]byte{codec.VPS, codec.SPS, codec.PPS}})
		case *codecs.AV1:
			r.listenVideo(c, t, &picture{codec: media.AV1, sets: [3][]byte{codec.SequenceHeader}})
		case *codecs.MPEG4Audio:
			if codec.Config.SampleRate > 0 {
				r.listenSound(c, t, &media.Track{Codec: media.AAC, Audio: &codec.Config})
			}
		case *codecs.Opus:
			r.listenSound(c, t, &media.Track{Codec: media.Opus, Channels: codec.ChannelCount})
		}
	}
	if r.merge.tracks == 0 {
		return errs.New(errs.Invalid, "hlspull.tracks", "the stream has no track that can be read: H264, HEVC or AV1 with AAC or Opus")
	}
	if r.video == nil {
		r.tracks[0], r.stale = nil, r.stale || r.tracks[0] != nil
	}
	if r.sound == nil {
		r.tracks[1], r.stale = nil, r.stale || r.tracks[1] != nil
	}
	return nil
}

func (r *relay) listenVideo(c *gohlslib.Client, t *gohlslib.Track, p *picture) {
	if r.video != nil {
		return
	}
	r.video = p
	r.merge.tracks++
	if track, ok := p.track(); ok {
		r.learn(&track)
	}
	if p.codec == media.AV1 {
		c.OnDataAV1(t, func(pts int64, obus [][]byte) { r.takeVideo(c, t, pts, pts, obus) })
		return
	}
	c.OnDataH26x(t, func(pts, dts int64, nals [][]byte) { r.takeVideo(c, t, pts, dts, nals) })
}

func (r *relay) listenSound(c *gohlslib.Client, t *gohlslib.Track, track *media.Track) {
	if r.sound != nil {
		return
	}
	r.sound = track
	r.merge.tracks++
	r.learn(track)
	if track.Codec == media.Opus {
		c.OnDataOpus(t, func(pts int64, packets [][]byte) { r.takeSound(c, t, pts, packets) })
		return
	}
	c.OnDataMPEG4Audio(t, func(pts int64, units [][]byte) { r.takeSound(c, t, pts, units) })
}

// learn notes a track's parameters; the publication is told before the next sample.
func (r *relay) learn(t *media.Track) {
	slot := &r.tracks[int(t.Kind())-int(media.Video)]
	if *slot == nil || !(*slot).SameParameters(t) {
		*slot, r.stale = t, true
	}
}

func (r *relay) takeVideo(c *gohlslib.Client, t *gohlslib.Track, pts, dts int64, units [][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u, ok := r.video.take(units)
	if !ok || r.failed != nil {
		return
	}
	s := timed{Sample: media.Sample{
		Kind: media.Video, PTS: r.publisherTime(t, pts), DTS: r.publisherTime(t, dts), Key: u.key, Payload: u.payload, Arrival: time.Now(),
	}}
	if track, ok := r.video.track(); ok && u.key {
		s.track = &track
	}
	if u.key {
		r.reorder = s.PTS - s.DTS
	}
	r.date(c, t, s.DTS+r.reorder, s.Arrival)
	r.put(s)
}

func (r *relay) takeSound(c *gohlslib.Client, t *gohlslib.Track, pts int64, packets [][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed != nil {
		return
	}
	at, now := r.publisherTime(t, pts), time.Now()
	if r.video == nil {
		r.date(c, t, at, now)
	}
	for _, p := range packets {
		if len(p) == 0 {
			continue
		}
		r.put(timed{Sample: media.Sample{Kind: media.Audio, PTS: at, DTS: at, Key: true, Payload: p, Arrival: now}})
		at += soundLength(r.sound, p)
	}
}

func (r *relay) publisherTime(t *gohlslib.Track, at int64) media.Ticks {
	return r.base + media.Rescale(media.Ticks(at), int64(media.TicksPerSecond), int64(t.ClockRate))
}

// date notes the date of a sample if it can be when the picture was captured.
func (r *relay) date(c *gohlslib.Client, t *gohlslib.Track, at media.Ticks, now time.Time) {
	wall, ok := c.AbsoluteTime(t)
	if late := now.Sub(wall); !ok || late < -dateAhead || late > dateBehind {
		r.dated.Store(nil)
		return
	}
	r.dated.Store(&dated{at: at, wall: wall})
}

// put passes a sample on; when the publication takes no more, the run ends.
func (r *relay) put(t timed) {
	if j := &r.jumped[int(t.Kind)-int(media.Video)]; *j {
		t.Rebased, *j = true, false
	}
	if err := r.merge.put(t, r.write); err != nil && r.failed == nil {
		r.failed = err
		r.stop()
	}
}

// write writes a sample whose turn has come, after the parameters that hold from it on.
func (r *relay) write(t timed) error {
	if t.track != nil {
		r.learn(t.track)
	}
	r.end = max(r.end, t.DTS+usualStep)
	if r.video != nil && r.tracks[0] == nil {
		if r.end-r.base > noKeyFrame {
			return errs.New(errs.Invalid, "hlspull.relay", "no key frame (IDR) came within %v", noKeyFrame.Duration())
		}
		return nil // nothing can be shown before the first key frame
	}
	if r.stale {
		if err := r.name(); err != nil {
			return err
		}
	}
	r.count++
	r.metrics.samples.WithLabelValues(t.Kind.String()).Inc()
	return r.pub.Write(t.Sample)
}

// usualStep follows the last sample of a run until the first of the next.
const usualStep = media.TicksPerSecond / 30

func (r *relay) name() error {
	var tracks []media.Track
	for _, t := range r.tracks {
		if t != nil {
			tracks = append(tracks, *t)
		}
	}
	r.stale = false
	return r.pub.SetTracks(tracks)
}
