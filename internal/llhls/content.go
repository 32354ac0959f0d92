package llhls

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// content fetches what playlists list and judges the bytes, in the order of the media. take is called by the loop that
// follows the playlist, run is the one reader of the queue.
type content struct {
	f     *follower
	queue chan task
	wg    sync.WaitGroup // hints being fetched

	mu    sync.Mutex
	hints map[string]chan hinted // by URI

	// owned by take
	listed map[position]bool
	closed map[int64]bool

	// owned by run
	inits  map[string]map[uint32]*track
	parts  map[int64][]byte // of segments not yet closed
	next   map[uint32]int64 // decode time that each track continues at
	domain int64            // discontinuity sequence number that next belongs to
	begun  map[int64]bool   // segments whose first part was judged
	last   startOf
	rates  []rate
}

// task is one part (index >= 0) or one closed segment (index -1).
type task struct {
	seg   segment
	index int
}

// startOf is where a segment begins in the media.
type startOf struct {
	msn       int64
	discSeq   int64
	presented time.Duration
	date      time.Time
	duration  time.Duration // 0 while it is not closed
}

type rate struct {
	bytes    int
	duration time.Duration
}

func newContent(f *follower) *content {
	return &content{
		f: f, queue: make(chan task, 4096), hints: map[string]chan hinted{},
		listed: map[position]bool{}, closed: map[int64]bool{}, inits: map[string]map[uint32]*track{},
		parts: map[int64][]byte{}, next: map[uint32]int64{}, begun: map[int64]bool{},
	}
}

// take queues what is new in p and fetches its hint ahead.
func (c *content) take(ctx context.Context, p *playlist) {
	for _, s := range p.all() {
		for i := range s.parts {
			if at := (position{s.msn, i}); !c.listed[at] && !s.parts[i].gap {
				c.listed[at] = true
				c.queue <- task{s, i}
			}
		}
		if s.uri != "" && !c.closed[s.msn] {
			c.closed[s.msn] = true
			c.queue <- task{s, -1}
			if s.discontinuity {
				c.f.count(func(r *Report) { r.Discontinuities++ })
			}
		}
	}
	if p.hint != "" {
		c.ahead(ctx, p.hint)
	}
}

// ahead fetches a hinted part, which answers when the part exists.
func (c *content) ahead(ctx context.Context, uri string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hints[uri] != nil {
		return
	}
	done := make(chan hinted, 1)
	c.hints[uri] = done
	c.wg.Go(func() {
		// A hint whose part never comes, as when the publisher is gone, may be answered with any failure.
		a, err := c.f.patient(ctx, uri)
		switch {
		case err == nil && a.status == http.StatusOK:
			done <- hinted{body: a.body}
		default:
			done <- hinted{failed: true, over: ctx.Err() != nil}
		}
	})
}

// hinted is what came of fetching a hint.
type hinted struct {
	body   []byte
	failed bool
	over   bool // failed because the run is over
}

// run judges what is queued until the queue is closed.
func (c *content) run(ctx context.Context) {
	for t := range c.queue {
		if ctx.Err() != nil {
			continue
		}
		if t.index >= 0 {
			c.part(ctx, t.seg, t.index)
		} else {
			c.segment(ctx, t.seg)
		}
	}
}

func (c *content) fetch(ctx context.Context, uri string) []byte {
	a, err := c.f.patient(ctx, uri)
	if err != nil {
		if ctx.Err() == nil {
			c.f.violate(Status, "%s: %v", uri, err)
		}
		return nil
	}
	if !c.f.mediaAnswer(a) {
		return nil
	}
	return a.body
}

func (c *content) part(ctx context.Context, s segment, i int) {
	p := s.parts[i]
	data := c.fetch(ctx, p.uri)
	if data == nil {
		return
	}
	c.f.count(func(r *Report) { r.Parts++ })
	c.compareHint(ctx, p.uri, data)
	if have, ok := c.parts[s.msn]; ok || i == 0 {
		c.parts[s.msn] = append(have, data...)
	}
	tracks := c.tracks(ctx, s.init)
	if tracks == nil {
		return
	}
	frags, err := parseFragments(data, tracks)
	if err != nil {
		c.f.violate(Media, "%s: %v", p.uri, err)
		return
	}
	c.continuity(s, p.uri, frags)
	if i == 0 {
		c.begins(s, frags, tracks)
	}
	for id, frag := range frags {
		if !tracks[id].video || len(frag.samples) == 0 {
			continue
		}
		if starts := frag.samples[0].sync; starts != p.independent {
			c.f.violate(Independent, "%s: INDEPENDENT is %v, the first sample's sync is %v", p.uri, p.independent, starts)
		}
		if d := ticks(frag.duration(), tracks[id].timescale); (d - p.duration).Abs() > millisecond {
			c.f.violate(MediaTime, "%s: DURATION %v, its video lasts %v", p.uri, p.duration, d)
		}
	}
}

// compareHint compares a listed part with what was had when it was hinted.
func (c *content) compareHint(ctx context.Context, uri string, data []byte) {
	c.mu.Lock()
	hint := c.hints[uri]
	c.mu.Unlock()
	if hint == nil {
		return
	}
	patience, stop := after(10 * time.Second)
	defer stop()
	select {
	case ahead := <-hint:
		if ahead.over {
			return
		}
		if ahead.failed {
			c.f.violate(Hint, "%s was hinted and listed, but could not be fetched ahead", uri)
			return
		}
		if !bytes.Equal(ahead.body, data) {
			c.f.violate(Hint, "%s: %d bytes when hinted, %d other bytes when listed", uri, len(ahead.body), len(data))
		}
		c.f.count(func(r *Report) { r.Hints++ })
	case <-patience:
		c.f.violate(Hint, "%s is listed, and the request for it as a hint still waits", uri)
	case <-ctx.Done():
	}
}

func (c *content) segment(ctx context.Context, s segment) {
	if s.gap { // there is nothing to fetch, and what follows is judged anew
		clear(c.next)
		c.last = startOf{}
		delete(c.parts, s.msn)
		c.f.count(func(r *Report) { r.Gaps++ })
		return
	}
	data := c.fetch(ctx, s.uri)
	if data == nil {
		return
	}
	c.f.count(func(r *Report) { r.Segments++ })
	c.rates = append(c.rates, rate{len(data), s.duration})
	if strings.HasSuffix(s.uri, ".ts") {
		c.transport(s, data)
		return
	}
	if parts, ok := c.parts[s.msn]; ok {
		delete(c.parts, s.msn)
		if !bytes.Equal(parts, data) {
			c.f.violate(Bytes, "%s has %d bytes, its parts %d, or others", s.uri, len(data), len(parts))
		}
		if c.last.msn == s.msn {
			c.last.duration = s.duration
		}
		return
	}
	tracks := c.tracks(ctx, s.init)
	if tracks == nil {
		return
	}
	frags, err := parseFragments(data, tracks)
	if err != nil {
		c.f.violate(Media, "%s: %v", s.uri, err)
		return
	}
	if !c.begun[s.msn] {
		c.continuity(s, s.uri, frags)
		c.begins(s, frags, tracks)
	}
	c.last.duration = s.duration
}

// transport wants whole MPEG-TS packets (ISO 13818-1 2.4.3.2).
func (c *content) transport(s segment, data []byte) {
	for at := 0; at < len(data); at += 188 {
		if data[at] != 0x47 || at+188 > len(data) {
			c.f.violate(Media, "%s: no packet at %d", s.uri, at)
			return
		}
	}
}

func (c *content) tracks(ctx context.Context, uri string) map[uint32]*track {
	if t, ok := c.inits[uri]; ok || uri == "" {
		return t
	}
	data := c.fetch(ctx, uri)
	if data == nil {
		return nil
	}
	t, err := parseInit(data)
	if err != nil {
		c.f.violate(Media, "%s: %v", uri, err)
	}
	c.inits[uri] = t
	return t
}

// continuity wants every decode time to be the one before plus the durations since.
func (c *content) continuity(s segment, uri string, frags map[uint32]*fragment) {
	if s.discSeq != c.domain {
		c.domain = s.discSeq
		clear(c.next)
	}
	for id, frag := range frags {
		if want, known := c.next[id]; known && frag.base != want {
			c.f.violate(DecodeTime, "%s: track %d starts at %d, the media before ends at %d", uri, id, frag.base, want)
		}
		c.next[id] = frag.base + frag.duration()
	}
}

// begins judges where a segment's first presented picture stands, by the durations and dates of the playlist.
func (c *content) begins(s segment, frags map[uint32]*fragment, tracks map[uint32]*track) {
	c.begun[s.msn] = true
	for id, frag := range frags {
		if !tracks[id].video || len(frag.samples) == 0 {
			continue
		}
		now := startOf{msn: s.msn, discSeq: s.discSeq, presented: ticks(frag.firstPresented(), tracks[id].timescale), date: s.date, duration: s.duration}
		if last := c.last; last.duration > 0 && last.msn == s.msn-1 {
			if d := now.presented - last.presented; (d - last.duration).Abs() > millisecond {
				c.f.violate(MediaTime, "segment %d: EXTINF %v, but the next one is presented %v later", last.msn, last.duration, d)
			}
			if moved := now.date.Sub(last.date) - (now.presented - last.presented); now.discSeq == last.discSeq && moved.Abs() > millisecond {
				c.f.violate(MediaTime, "segment %d: its date moved by %v against the media", s.msn, moved)
			}
		}
		if c.f.independentSegments.Load() && !frag.samples[0].sync {
			c.f.violate(Independent, "segment %d does not start with a sync sample under EXT-X-INDEPENDENT-SEGMENTS", s.msn)
		}
		c.last = now
	}
}

// checkBandwidth wants the declared bandwidth to be at least the peak: the largest rate of contiguous segments that last
// between half and one and a half target durations.
func (c *content) checkBandwidth(declared int64, target time.Duration) {
	for i := range c.rates {
		var sum rate
		for _, r := range c.rates[i:] {
			sum.bytes += r.bytes
			sum.duration += r.duration
			if sum.duration > target*3/2 {
				break
			}
			if sum.duration < target/2 {
				continue
			}
			if bits := int64(float64(sum.bytes) * 8 / sum.duration.Seconds()); bits > declared {
				c.f.violate(Bandwidth, "%d declared, %v of segments need %d", declared, sum.duration, bits)
			}
		}
	}
}
