package hls

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// Stream delivers one show: it keeps the newest media, renders the playlists and answers requests. As a Sink it belongs
// to the goroutine of the Packager; all other methods are safe for concurrent use.
//
// In memory are the segments whose parts are listed, and those that the archive does not have (yet). A playlist is
// rendered once for each of its versions, when it is first asked for, and shared by all who wait for it.
type Stream struct {
	cfg        Config
	partTarget media.Ticks
	archive    Archive
	log        *slog.Logger
	metrics    *Metrics

	mu       sync.Mutex // guards what follows; never held while sending or reading files
	inits    map[int]*initFile
	newest   *initFile  // of inits
	segments []*segment // listed and complete, oldest first
	gone     []*segment // no longer listed but still to be had
	open     *segment   // nil between segments
	next     int64      // MSN of the segment after those

	discontinuities int64 // of segments that are no longer listed
	target          int   // EXT-X-TARGETDURATION, 0 until decided
	ranges          []playlist.DateRange
	rate            rateMeter
	ended, closed   bool

	rendition *Rendition // what it is made to be; nil for the source
	reports   func() []playlist.RenditionReport

	live    atomic.Pointer[edge]
	waiting atomic.Int64
	ts      tsCache
}

// segment is one segment and, while they are in memory, the bytes of its parts.
type segment struct {
	info  playlist.Segment
	parts [][]byte // nil: only the archive has them
}

// initFile is one initialization segment.
type initFile struct {
	info playlist.Init
	data []byte // nil: only the archive has it
}

// goneSegments is how many segments stay in memory after they left the playlist: clients must be able to download a
// segment for its own duration and that of a playlist after it first appeared (6.2.2), and one that is listed last in
// an old playlist is asked for a little after it left the newest.
const goneSegments = 3

// NewStream returns the delivery of a show that is new or goes on at resume. cfg must be valid. A nil archive means
// that nothing is recorded: the whole window is kept in memory. A nil log or m is allowed.
func NewStream(cfg Config, resume Resume, archive Archive, log *slog.Logger, m *Metrics) *Stream {
	return newStream(cfg, resume, archive, nil, log, m)
}

func newStream(cfg Config, resume Resume, archive Archive, rendition *Rendition, log *slog.Logger, m *Metrics) *Stream {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if m == nil {
		m = NewMetrics(nil)
	}
	cfg = cfg.of(&resume)
	s := &Stream{
		cfg: cfg, partTarget: media.FromDuration(cfg.PartTarget), archive: archive, log: log, metrics: m,
		inits: map[int]*initFile{}, next: resume.NextMSN, target: resume.TargetDuration, discontinuities: resume.Discontinuities,
		rendition: rendition,
	}
	for _, init := range resume.Inits {
		s.newest = &initFile{info: init}
		s.inits[init.Number] = s.newest
	}
	for _, info := range resume.Segments {
		s.rate.add(&info, resume.TargetDuration)
		s.segments = append(s.segments, &segment{info: info})
	}
	s.trim()
	s.live.Store(&edge{version: s.render(), changed: make(chan struct{})})
	return s
}

// OnInit implements Sink.
func (s *Stream) OnInit(init playlist.Init, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest = &initFile{info: init, data: data}
	s.inits[init.Number] = s.newest
}

// OnPart implements Sink.
func (s *Stream) OnPart(seg playlist.Segment, part playlist.Part, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if s.open == nil {
		s.open = &segment{}
	}
	s.open.info = seg
	s.open.parts = append(s.open.parts, data)
	if !part.Last { // else it appears together with its segment, or the playlist would hint at a part that never comes
		s.publish()
	}
}

// OnSegment implements Sink.
func (s *Stream) OnSegment(seg playlist.Segment) {
	recorded := s.recorded()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.open == nil {
		return
	}
	s.open.info = seg
	s.segments = append(s.segments, s.open)
	s.open, s.next = nil, seg.MSN+1
	if s.target == 0 {
		s.target = seg.TargetDuration
	}
	s.rate.add(&seg, s.target)
	s.trim()
	s.release(recorded)
	s.forgetInits()
	s.ts.dropBefore(s.segments[0].info.MSN)
	s.publish()
}

// SetDateRanges replaces the date ranges of the show. The playlists list those that overlap the window or are open.
func (s *Stream) SetDateRanges(r []playlist.DateRange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.ranges = slices.Clone(r)
	// Nobody waits for date ranges: those who wait for media get them with it.
	s.live.Store(&edge{version: s.render(), changed: s.live.Load().changed})
}

// End marks the end of the show: the playlists get EXT-X-ENDLIST and all waiting requests are answered.
func (s *Stream) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended && !s.closed {
		s.ended = true
		s.publish()
	}
}

// Close forgets everything. Requests are answered 404 from now on.
func (s *Stream) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed, s.ended = true, true
	s.segments, s.gone, s.open, s.inits, s.newest, s.ranges = nil, nil, nil, nil, nil, nil
	s.ts.clear()
	s.publish()
}

// reportTo makes the playlists tell how far other renditions are.
func (s *Stream) reportTo(reports func() []playlist.RenditionReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = reports
}

// missing is the state of a rendition of the same show that has nothing of it yet: a gap for every segment.
func (s *Stream) missing() Resume {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := Resume{NextMSN: s.next, TargetDuration: s.target, PartTarget: s.partTarget, Discontinuities: s.discontinuities}
	for _, seg := range s.segments {
		info := seg.info
		info.Init, info.Size, info.Gap, info.Independent = 0, 0, true, true
		info.Parts = slices.Clone(info.Parts)
		for i := range info.Parts {
			p := &info.Parts[i]
			p.Gap, p.Independent, p.Offset, p.Size = true, false, 0, 0
		}
		r.Segments = append(r.Segments, info)
	}
	return r
}

// publish makes the present state the one that requests see, and wakes those who wait.
func (s *Stream) publish() {
	old := s.live.Load()
	s.live.Store(&edge{version: s.render(), changed: make(chan struct{})})
	close(old.changed)
}

// render takes the playlist's values out of the present state.
func (s *Stream) render() *version {
	v := &version{ended: s.ended, closed: s.closed, next: s.next, metrics: s.metrics, reports: s.reports}
	v.media = playlist.Media{
		TargetDuration: s.target, PartTarget: s.partTarget, CanSkip: true,
		DiscontinuitySequence: s.discontinuities, Ended: s.ended,
	}
	if s.open != nil {
		info := s.open.info
		v.media.Open = &info
		v.next = info.MSN
	}
	v.media.Segments = make([]playlist.Segment, len(s.segments))
	for i, seg := range s.segments {
		v.media.Segments[i] = seg.info
	}
	v.media.DateRanges = s.listedRanges()
	v.setVariant(s)
	return v
}

// listedRanges are the date ranges with a date that maps to a listed segment, those to come and those that are open (6.2.1).
func (s *Stream) listedRanges() (listed []playlist.DateRange) {
	var from time.Time
	if len(s.segments) > 0 {
		from = s.segments[0].info.Wall
	}
	for _, r := range s.ranges {
		if r.End.IsZero() || !r.End.Before(from) {
			listed = append(listed, r)
		}
	}
	return listed
}

// trim takes the oldest segments off the playlist, never below three target durations (6.2.2).
func (s *Stream) trim() {
	var listed media.Ticks
	for _, seg := range s.segments {
		listed += seg.info.Duration
	}
	n := 0
	for len(s.segments)-n > s.cfg.Window {
		oldest := &s.segments[n].info
		if listed -= oldest.Duration; listed < media.Ticks(3*s.target)*media.TicksPerSecond {
			break
		}
		if oldest.Discontinuity {
			s.discontinuities++
		}
		n++
	}
	s.gone = append(s.gone, s.segments[:n]...)
	s.gone = slices.Delete(s.gone, 0, max(len(s.gone)-goneSegments, 0))
	s.segments = slices.Delete(s.segments, 0, n)
}

// recorded asks the archive, without holding the lock, which of the segments in memory it has.
func (s *Stream) recorded() map[int64]bool {
	if s.archive == nil {
		return nil
	}
	var held []int64
	s.mu.Lock()
	for _, seg := range s.all() {
		if seg.parts != nil {
			held = append(held, seg.info.MSN)
		}
	}
	s.mu.Unlock()
	recorded := make(map[int64]bool, len(held))
	for _, msn := range held {
		recorded[msn] = s.archive.Recorded(msn)
	}
	return recorded
}

// release forgets the bytes of segments whose parts are not listed any more and which the archive has.
func (s *Stream) release(recorded map[int64]bool) {
	if len(recorded) == 0 {
		return
	}
	from := s.segments[len(s.segments)-1].info.End() - media.Ticks(3*s.target)*media.TicksPerSecond
	for _, seg := range s.all() {
		if seg.info.End() <= from && recorded[seg.info.MSN] {
			seg.parts = nil
		}
	}
}

// forgetInits drops the initialization segments that no segment here needs.
func (s *Stream) forgetInits() {
	oldest := s.all()[0].info.Init
	maps.DeleteFunc(s.inits, func(n int, _ *initFile) bool { return n < oldest })
}

// all returns the complete segments that can be had here, oldest first.
func (s *Stream) all() []*segment { return slices.Concat(s.gone, s.segments) }

// find returns a copy of segment msn, complete or open, and its initialization segment.
func (s *Stream) find(msn int64) (seg segment, init initFile, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.open
	for _, list := range [2][]*segment{s.gone, s.segments} {
		if len(list) > 0 && msn >= list[0].info.MSN && msn-list[0].info.MSN < int64(len(list)) {
			found = list[msn-list[0].info.MSN]
		}
	}
	if found == nil || found.info.MSN != msn {
		return segment{}, initFile{}, false
	}
	if in := s.inits[found.info.Init]; in != nil {
		init = *in
	}
	return *found, init, true
}
