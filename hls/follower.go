package hls

import (
	"log/slog"
	"math"
	"sync"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// What a Follower holds at most. Beyond it, the rendition has gaps until it is back in step.
const (
	// maxBehind is by how many target durations a rendition may be later than the source: beyond that it is no help to
	// a viewer who switches to it.
	maxBehind = 2
	// maxFrames bounds the pictures that wait for their part to end: they are never seconds ahead of the packager.
	maxFrames = 1024
	// frameSlack is by how much a picture's time may differ from the cut that was made before it: publishers round
	// decode times and presentation times to milliseconds separately.
	frameSlack = 2 * media.TicksPerMillisecond
)

// Follower packages a rendition of a show: it repeats every cut of the Packager with pictures of its own and the same
// sound, so that all renditions number segments and parts alike, of the same lengths, and share dates, discontinuities
// and audio packets. A part is out as soon as all its pictures came.
//
// Pictures that fail to come make gaps (EXT-X-GAP): at once after Down, else when they are two target durations late. The
// rendition comes back at the next segment that begins with one of its IDRs.
//
// Methods are safe for concurrent use. The packager's goroutine and the one that writes the rendition take turns with
// the Sink, which must not block.
type Follower struct {
	sink    Sink
	log     *slog.Logger
	metrics *Metrics

	mu     sync.Mutex
	steps  []*step      // not repeated yet, oldest first
	frames []frame      // not packaged yet, in the order of time
	track  *media.Track // of the pictures that are written now; nil for none
	alive  bool         // pictures come, or are about to
	// newest is the packager's initialization segment of the newest step. No picture comes any more for those up to
	// drained.
	newest, drained int
	over            bool

	seg    playlist.Segment // the open one, if begun
	begun  bool
	lost   bool        // the rest of the open segment is a gap
	broken bool        // the segment before was one, or there was none: only an IDR can go on
	out    media.Ticks // everything up to here is repeated

	set       *trackSet    // in force
	setTrack  *media.Track // the video track it was made of
	setInit   int          // the packager's initialization segment it was made for
	announced bool
}

// frame is one picture of a rendition.
type frame struct {
	sample
	track *media.Track
}

// NewFollower returns the packager of a rendition. Its initialization segments are numbered by the segments that they
// come with, so that a name is not used again after a restart. A nil log or m is allowed.
func NewFollower(sink Sink, log *slog.Logger, m *Metrics) *Follower {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if m == nil {
		m = NewMetrics(nil)
	}
	return &Follower{sink: sink, log: log, metrics: m, alive: true, broken: true}
}

// SetTrack names the parameters of the pictures that follow, an H264 track.
func (f *Follower) SetTrack(t media.Track) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := newTrackSet([]media.Track{t}); err != nil {
		f.log.Error("the parameters of a rendition cannot be used", "err", err)
		f.track = nil
		return
	}
	if f.track == nil || !f.track.SameParameters(&t) {
		f.track = &t
	}
}

// Write takes a picture, in the order of presentation: its PTS is that of the source's picture, in show time.
func (f *Follower) Write(s media.Sample) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over || f.track == nil || len(s.Payload) == 0 {
		f.drop("no_parameters")
		return
	}
	f.alive, f.drained = true, 0
	switch n := len(f.frames); {
	case s.PTS < f.out-frameSlack:
		f.drop("late")
		return
	case n > 0 && s.PTS <= f.frames[n-1].pts:
		f.drop("order")
		return
	case n == maxFrames:
		f.fail("its pictures are too far ahead")
		return
	}
	f.frames = append(f.frames, frame{sample{at: s.PTS, pts: s.PTS, key: s.Key, payload: s.Payload}, f.track})
	f.advance()
}

// Down says that the pictures ceased: what is not complete becomes a gap, and so does all that comes until Write is
// called again or the packager's run ends. Where the next run has no encoder either, it is to be said again.
func (f *Follower) Down() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail("its encoder failed")
}

// Drained says that an encoder has written its last picture: no other is waited for until Write is called again, or
// the packager begins something new.
func (f *Follower) Drained() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drained = f.newest
	f.advance()
}

// finish packages what is here and takes nothing any more.
func (f *Follower) finish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drained = math.MaxInt
	f.advance()
	f.over, f.frames, f.steps = true, nil, nil
}

// follow takes a step of the packager.
func (f *Follower) follow(s *step) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return
	}
	f.steps = append(f.steps, s)
	f.newest = s.seg.Init
	f.advance()
	if len(f.steps) == 0 {
		return
	}
	waiting := s.seg.Start + s.seg.Duration - f.steps[0].start()
	if target := s.seg.TargetDuration; target > 0 && waiting > maxBehind*media.Ticks(target)*media.TicksPerSecond {
		f.fail("its pictures are too late")
	}
}

// fail gives up what waits for pictures.
func (f *Follower) fail(reason string) {
	if f.alive && !f.over {
		f.log.Warn("a rendition has gaps", "reason", reason, "msn", f.seg.MSN)
	}
	// Also a failure that is over before the packager's next step leaves a hole.
	f.alive, f.broken, f.lost = false, true, f.begun
	clear(f.frames)
	f.frames = f.frames[:0]
	f.advance()
}

func (f *Follower) drop(reason string) {
	f.metrics.dropped.WithLabelValues(media.Video.String(), reason).Inc()
}
