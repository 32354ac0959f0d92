package hls

import (
	"log/slog"
	"math"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// sample is one access unit that waits to be packaged.
type sample struct {
	at      media.Ticks // decode time in the file, as show time
	pts     media.Ticks // video
	units   int64       // audio: at, exactly, in units of the sampling rate
	key     bool
	payload []byte
	begins  *trackSet // these tracks hold from this sample on
}

// Packager makes the CMAF segments of one show. It runs in the goroutine of whoever writes samples and is not safe for
// concurrent use. What it makes it hands to its Sink and forgets.
//
// Pictures lead: parts and segments end between two of them, and sound is divided at the same instants. Decode times in
// the file are the publisher's plus what makes DTS equal PTS at the IDR before, so that a segment's tfdt, the time of
// its first picture and its date are the same instant. A show without pictures is led by its sound.
type Packager struct {
	cfg           Config
	partTarget    media.Ticks
	segmentTarget media.Ticks
	sink          Sink
	log           *slog.Logger
	metrics       *Metrics

	// Of the show.
	end    media.Ticks      // up to here everything is packaged
	target int              // EXT-X-TARGETDURATION; 0 until the first segment is complete
	inits  int              // number of the newest initialization segment
	seg    playlist.Segment // the open one; between runs only its MSN means something

	// Of the epoch.
	epoch    media.Epoch
	inEpoch  bool
	ran      bool      // something of the epoch was packaged
	incoming *trackSet // holds for the samples that are written now
	next     *trackSet // comes into force with the next IDR; nil for none
	cur      *trackSet // holds for the part that is being made; nil before the first sample of a run
	broken   bool      // the next segment is discontinuous with the one before

	video videoQueue
	hold  media.Ticks // how long pictures wait for their sound

	// Of the part that is being made.
	partStart   media.Ticks
	scanned     int // samples of the leading queue that are known not to end the part
	cautious    int // parts for which the next picture is expected late
	ready       *cut
	announced   bool      // the initialization segment in force was handed out
	lastPart    time.Time // when the last part was published; zero at the start of an epoch
	forcedNoted bool

	followers []*Follower
}

// NewPackager returns the packager of a show that is new or goes on at resume. cfg must be valid. A nil log or m is
// allowed: nothing is logged or counted then.
func NewPackager(cfg Config, resume Resume, sink Sink, log *slog.Logger, m *Metrics) *Packager {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if m == nil {
		m = NewMetrics(nil)
	}
	cfg = cfg.of(&resume)
	p := &Packager{
		cfg: cfg, sink: sink, log: log, metrics: m,
		partTarget:    media.FromDuration(cfg.PartTarget),
		segmentTarget: media.FromDuration(cfg.SegmentTarget),
		end:           resume.ShowTime,
		target:        resume.TargetDuration,
		inits:         max(resume.NextInit-1, 0),
		seg:           playlist.Segment{MSN: resume.NextMSN},
		broken:        resume.NextMSN > 0,
	}
	if p.target == 0 && len(resume.Segments) > 0 {
		var longest media.Ticks
		for _, s := range resume.Segments {
			longest = max(longest, s.Duration)
		}
		p.target = targetDuration(p.segmentTarget, longest)
	}
	return p
}

// Position is the show time up to which everything is packaged.
func (p *Packager) Position() media.Ticks { return p.end }

// StartEpoch begins an uninterrupted publish: SetTracks follows, then samples. Samples before the first IDR are
// dropped, and so is an IDR before e.ShowTime, which is where the first one belongs.
func (p *Packager) StartEpoch(e media.Epoch) {
	if p.inEpoch {
		p.EndEpoch()
	}
	p.epoch, p.inEpoch, p.ran = e, true, false
	p.incoming, p.next, p.cur = nil, nil, nil
	p.hold, p.lastPart, p.forcedNoted = interleaveHold, time.Time{}, false
}

// SetTracks names the tracks of the samples that follow: at most one H264, HEVC or AV1 and one AAC track. When they differ from
// those before, they come into force with the next IDR, where a new initialization segment and a discontinuity stand;
// samples that no longer, or not yet, can be decoded are dropped until then. It returns an Invalid error, and changes
// nothing, for tracks that cannot be packaged.
func (p *Packager) SetTracks(tracks []media.Track) error {
	if !p.inEpoch {
		return errs.New(errs.Conflict, "hls.SetTracks", "no epoch was started")
	}
	set, err := newTrackSet(tracks, p.incoming, p.next)
	if err != nil {
		return err
	}
	switch {
	case p.cur == nil:
		p.incoming = set
	case set.same(p.incoming):
		p.next = nil
	case p.next != nil && set.same(p.next):
	case set.video == nil && p.incoming.video != nil:
		p.endRun()
		p.incoming = set
	default:
		p.next = set
	}
	return nil
}

// Write takes one sample in show time: DTS strictly rising per track. No timestamp is an error: what cannot be packaged
// is dropped and counted.
func (p *Packager) Write(s media.Sample) error {
	if p.incoming == nil {
		return errs.New(errs.Conflict, "hls.Write", "no tracks were set")
	}
	if len(s.Payload) == 0 {
		p.drop(&s, "empty")
		return nil
	}
	if s.Kind == media.Video {
		p.writeVideo(&s)
	} else {
		p.writeAudio(&s)
	}
	if p.cur != nil {
		p.advance()
	}
	return nil
}

// EndEpoch packages what is still held, closes part and segment, and returns the show time at which the next epoch
// begins.
func (p *Packager) EndEpoch() media.Ticks {
	p.endRun()
	p.inEpoch, p.incoming, p.next = false, nil, nil
	return p.end
}

func (p *Packager) writeVideo(s *media.Sample) {
	if p.cur == nil && !p.startRun(s) {
		return
	}
	var begins *trackSet
	if p.next != nil && p.next.video != nil {
		switch {
		case s.Key && p.incoming.video == nil:
			// Sound led so far. Where it is packaged already, a picture cannot begin any more.
			if s.PTS < p.partStart {
				p.drop(s, "before_start")
				return
			}
			p.endRunAt(s.PTS)
			p.incoming, p.next = p.next, nil
			p.startRun(s)
		case s.Key && s.PTS > p.partStart:
			begins = p.next
			p.incoming, p.next = p.next, nil
		case !p.next.sameVideo(p.incoming):
			p.drop(s, "no_parameters")
			return
		}
	}
	if p.incoming.video == nil {
		p.drop(s, "no_track")
		return
	}
	if p.incoming.video.Codec == media.HEVC {
		s.Payload = withoutParameterSets(s.Payload)
	}
	p.video.put(s, begins)
	if late := p.partStart - (s.DTS + p.video.shift); late > 0 {
		p.widenHold(late)
	}
}

func (p *Packager) writeAudio(s *media.Sample) {
	set := p.incoming
	if p.next != nil && (p.next.audio == nil || p.next.audio != set.audio) {
		set = p.next
	}
	if set.audio == nil {
		p.drop(s, "no_track")
		return
	}
	if p.cur == nil && !p.startRun(s) {
		return
	}
	if p.next != nil && p.next.video == nil && p.incoming.video == nil {
		p.endRun() // sound alone changes at any sample
		p.incoming, p.next = p.next, nil
		if !p.startRun(s) {
			return
		}
	}
	p.putAudio(set.audio, s)
}

func (p *Packager) putAudio(a *audioTrack, s *media.Sample) {
	from := p.seg.Start
	if !a.begun {
		switch {
		case s.PTS < from:
			p.drop(s, "before_start")
			return
		case a == p.cur.audio && p.cur.video != nil:
			p.metrics.silence.Add(float64(a.startAfter(from, s.PTS)))
		}
	}
	fitted, filled := a.put(s)
	p.metrics.silence.Add(float64(filled))
	switch fitted {
	case overlapped:
		p.metrics.audioResyncs.Inc()
		p.drop(s, "overlap")
		if a.silent {
			p.widenHold(p.video.newest - s.PTS)
		}
	case resynced:
		p.metrics.audioResyncs.Inc()
	}
	a.silent = false
	if a != p.cur.audio {
		// The IDR that brings these parameters into force will not come from longer ago.
		a.queue = shift(a.queue, a.before(a.end()-2*media.TicksPerSecond))
	}
}

// startRun begins packaging under the tracks that came in last, at the IDR s, or at the sound s where there are no
// pictures. It reports whether s can be the first sample.
func (p *Packager) startRun(s *media.Sample) bool {
	leads := s.Kind == media.Audio && p.incoming.video == nil || s.Kind == media.Video && p.incoming.video != nil && s.Key
	if !leads || s.PTS < p.end {
		p.drop(s, "before_start")
		return false
	}
	start := s.PTS
	if p.ran {
		start = p.end // within an epoch show time has no holes, even where a track ends before the other begins
	}
	p.cur, p.ran = p.incoming, true
	p.video.reset()
	p.beginInit(p.cur, s.PTS-s.DTS)
	p.beginSegment(start, true)
	if a := p.cur.audio; a != nil && a.begun {
		a.next = max(a.next, a.units(start))
	}
	return true
}

func (p *Packager) drop(s *media.Sample, reason string) {
	p.metrics.dropped.WithLabelValues(s.Kind.String(), reason).Inc()
}

// beginInit numbers the initialization segment of the tracks. It is handed out with the first part that needs it, when
// the frame rate is known.
func (p *Packager) beginInit(set *trackSet, reorder media.Ticks) {
	p.inits++
	set.info.Number = p.inits
	set.info.Reorder = max(reorder, 0)
	if set.video == nil {
		set.info.Reorder = 0
	}
	p.announced = false
}

func (p *Packager) beginSegment(start media.Ticks, independent bool) {
	p.seg = playlist.Segment{
		MSN: p.seg.MSN, Start: start, Wall: p.epoch.WallAt(start).Round(time.Millisecond), Init: p.cur.info.Number,
		Discontinuity: p.broken, Independent: independent, TargetDuration: p.target, PartTarget: p.partTarget,
	}
	p.broken = false
	p.partStart, p.scanned, p.ready, p.end = start, 0, nil, start
}

// targetDuration decides EXT-X-TARGETDURATION by the first segment. It may be a quarter of a second shorter than that,
// since a duration counts as rounded to the nearest second (4.4.3.1): so a keyframe every 2.002 s makes no 3 of it,
// and those that come a little later than the first still fit.
func targetDuration(segmentTarget, first media.Ticks) int {
	ceil := func(t media.Ticks) int { return int(math.Ceil(t.Seconds())) }
	return min(max(ceil(segmentTarget), ceil(first-media.TicksPerSecond/4)), maxTargetDuration)
}
