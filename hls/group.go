package hls

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// variantWait is how long a multivariant playlist waits for renditions that are still starting: players read it once,
// so one that misses a rendition hides it from them for good.
const variantWait = 3 * time.Second

// renditionWindow is how many segments of a rendition are listed at most, however long the source's window is: no
// recording has them, so that all are kept in memory.
const renditionWindow = 60

// Rendition says what a rendition of a show is made to be.
type Rendition struct {
	// Name stands in its addresses: 1 to 32 lower-case letters, digits, - and _, such as "720p". Not "ts".
	Name string
	// Bandwidth is the bit rate, in bit/s, that no segment is meant to exceed, sound included. It is declared until
	// more is measured. Required.
	Bandwidth int
}

var renditionName = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)

func (r Rendition) validate() error {
	const op = "hls.Rendition"
	switch {
	case !renditionName.MatchString(r.Name) || r.Name+"/" == tsFolder:
		return errs.Field(op, "name", "%q is not 1 to 32 lower-case letters, digits, - or _, or is taken", r.Name)
	case r.Bandwidth <= 0:
		return errs.Field(op, "bandwidth", "%d bit/s is not above zero", r.Bandwidth)
	}
	return nil
}

// Group delivers all renditions of one show: the source, and those made of it. It is safe for concurrent use.
type Group struct {
	source  *Stream
	log     *slog.Logger
	metrics *Metrics

	renditions atomic.Pointer[[]*rendition] // grows only, by Add
}

// rendition is one that is made of the source.
type rendition struct {
	Rendition
	stream   *Stream
	follower *Follower
	from     int64 // MSN of its first segment that was not a gap from the start
}

// NewGroup returns the delivery of a show whose source rendition is the stream. A nil log or m is allowed.
func NewGroup(source *Stream, log *slog.Logger, m *Metrics) *Group {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if m == nil {
		m = NewMetrics(nil)
	}
	g := &Group{source: source, log: log, metrics: m}
	g.renditions.Store(new([]*rendition))
	return g
}

// Source is the delivery of the source rendition alone.
func (g *Group) Source() *Stream { return g.source }

// Add announces a rendition, which has a gap for every segment that the source lists already. The Follower is to be
// given to the source's Packager (Packager.Follow) before it packages another sample. Add is for the goroutine that
// writes the source's samples. Names cannot be used twice (Conflict) nor given up: the same rendition of a later epoch
// is the same Follower. The error of a Rendition that cannot be is Invalid.
func (g *Group) Add(r Rendition) (*Follower, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	if g.find(r.Name) != nil {
		return nil, errs.New(errs.Conflict, "hls.Group.Add", "the show has a rendition %s already", r.Name)
	}
	log := g.log.With("rendition", r.Name)
	resume := g.source.missing()
	cfg := g.source.cfg
	cfg.Window = min(cfg.Window, renditionWindow)
	stream := newStream(cfg, resume, nil, &r, log, g.metrics)
	added := &rendition{Rendition: r, stream: stream, follower: NewFollower(stream, log, g.metrics), from: resume.NextMSN}
	all := append(slices.Clone(g.list()), added)
	g.renditions.Store(&all)
	g.source.reportTo(func() []playlist.RenditionReport { return g.reports("") })
	stream.reportTo(func() []playlist.RenditionReport { return g.reports(r.Name) })
	return added.follower, nil
}

// Follower returns the packager of a rendition; nil when there is none of the name.
func (g *Group) Follower(name string) *Follower {
	if r := g.find(name); r != nil {
		return r.follower
	}
	return nil
}

// Serve answers a request for a file of the show, as Stream.Serve does: plain names are the source's, those below
// a rendition's name its own ("720p/main.m3u8", "720p/12.m4s", "720p/ts/12.ts"). "index.m3u8" and "ts/index.m3u8" list
// all renditions.
func (g *Group) Serve(w http.ResponseWriter, r *http.Request, name string) {
	switch name {
	case multivariantName:
		g.ServeMultivariant(w, r, "", false)
		return
	case tsFolder + multivariantName:
		g.ServeMultivariant(w, r, "../", true)
		return
	}
	if first, rest, found := strings.Cut(name, "/"); found {
		if rd := g.find(first); rd != nil {
			rd.stream.Serve(w, r, rest)
			return
		}
	}
	g.source.Serve(w, r, name)
}

// ServeMultivariant answers with the multivariant playlist of the show, source first. prefix leads from the playlist's
// address to where Serve's names are, such as "show_1/". With mpegTS set the variants are those of the MPEG-TS view,
// which has H264 renditions alone: NotFound when there is none. It waits for the show to begin, as Serve does, and up
// to 3 s for renditions that are starting.
func (g *Group) ServeMultivariant(w http.ResponseWriter, r *http.Request, prefix string, mpegTS bool) {
	if !allow(w, r) {
		return
	}
	source, err := g.source.current(r.Context())
	if err != nil {
		fail(w, r, err)
		return
	}
	m := playlist.Multivariant{Independent: true}
	file := mediaName
	if mpegTS {
		m.Container, file = playlist.TS, tsFolder+mediaName
	}
	source.addTo(&m, prefix+file)
	for _, rd := range g.ready(r.Context()) {
		rd.stream.live.Load().version.addTo(&m, prefix+rd.Name+"/"+file)
	}
	if len(m.Variants) == 0 {
		fail(w, r, errNoTS)
		return
	}
	g.source.sendPlaylist(w, r, multivariant(&m), shortAge)
}

// SetDateRanges replaces the date ranges of the show in all renditions.
func (g *Group) SetDateRanges(r []playlist.DateRange) {
	for s := range g.streams() {
		s.SetDateRanges(r)
	}
}

// End marks the end of the show in all renditions. It comes after Packager.EndEpoch, and after Drained where pictures
// are still to come: those that come later are lost.
func (g *Group) End() {
	for _, r := range g.list() {
		r.follower.finish()
	}
	for s := range g.streams() {
		s.End()
	}
}

// Close forgets everything. Requests are answered 404 from now on.
func (g *Group) Close() {
	for _, r := range g.list() {
		r.follower.finish()
	}
	for s := range g.streams() {
		s.Close()
	}
}

func (g *Group) list() []*rendition { return *g.renditions.Load() }

func (g *Group) find(name string) *rendition {
	for _, r := range g.list() {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// streams yields those of all renditions, the source's first.
func (g *Group) streams() iter.Seq[*Stream] {
	return func(yield func(*Stream) bool) {
		if !yield(g.source) {
			return
		}
		for _, r := range g.list() {
			if !yield(r.stream) {
				return
			}
		}
	}
}

// ready returns the renditions whose parameters are known, once those that may still come in time have come.
func (g *Group) ready(ctx context.Context) (known []*rendition) {
	until := time.Now().Add(variantWait)
	for _, r := range g.list() {
		v, err := r.stream.wait(ctx, time.Until(until), func(v *version) (bool, error) {
			// One that began with a gap is down: it may take long to come.
			return v.variant.Codecs != "" || v.next > r.from || v.ended, nil
		})
		if err == nil && v.variant.Codecs != "" {
			known = append(known, r)
		}
	}
	return known
}

// reports tells how far the other renditions are (4.4.5.4), as seen from the one of the given name; "" is the source.
func (g *Group) reports(name string) (reports []playlist.RenditionReport) {
	add := func(s *Stream, uri string) {
		if msn, part, ok := s.live.Load().version.last(); ok {
			reports = append(reports, playlist.RenditionReport{URI: uri, LastMSN: msn, LastPart: part})
		}
	}
	up := ""
	if name != "" {
		up = "../"
		add(g.source, up+mediaName)
	}
	for _, r := range g.list() {
		if r.Name != name {
			add(r.stream, up+r.Name+"/"+mediaName)
		}
	}
	return reports
}
