package llhls

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options say how to follow. The zero value follows until the playlist ends, with http.DefaultClient.
type Options struct {
	Client   *http.Client
	Duration time.Duration                    // 0: until EXT-X-ENDLIST or the context's end
	Log      func(format string, args ...any) // of each violation as it is found; may be nil
}

type follower struct {
	*recorder
	client              *http.Client
	base                *url.URL // of the media playlist
	playlist            string   // its name, relative to base
	independentSegments atomic.Bool
	content             *content
	seen                *history
	siblings            map[string]bool // addresses of the other media playlists; nil when only one is followed
	declared            int64           // BANDWIDTH
	reported            int             // renditions that playlists told of
}

// Follow plays the playlist at address, a multivariant or a media playlist, and reports what it saw. A low-latency
// playlist is followed by blocking reloads, by part and by segment at once, with every hint fetched ahead and every
// resource fetched and compared; a plain one is polled. An error says that it could not begin.
func Follow(ctx context.Context, address string, o Options) (*Report, error) {
	f, err := newFollower(address, o)
	if err != nil {
		return nil, err
	}
	a, err := f.start(ctx)
	if err != nil {
		return nil, err
	}
	var declared int64
	if strings.Contains(string(a.body), "#EXT-X-STREAM-INF") {
		variants := f.variants(a)
		if len(variants) == 0 {
			return nil, fmt.Errorf("%s: no variant", f.base)
		}
		declared = variants[0].bandwidth
		if f.base, err = f.base.Parse(variants[0].uri); err != nil {
			return nil, err
		}
		if a, err = f.start(ctx); err != nil {
			return nil, err
		}
	}
	if err := f.play(ctx, a, declared, o.Duration); err != nil {
		return nil, err
	}
	return &f.rep, nil
}

func newFollower(address string, o Options) (*follower, error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	f := &follower{recorder: &recorder{log: o.Log}, client: o.Client, base: base}
	if f.client == nil {
		f.client = http.DefaultClient
	}
	return f, nil
}

// start fetches the playlist at the base for the first time.
func (f *follower) start(ctx context.Context) (*answer, error) {
	f.playlist = f.base.Path[strings.LastIndex(f.base.Path, "/")+1:]
	a, err := f.patient(ctx, f.playlist)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %.200s", f.base, a.status, a.body)
	}
	return a, err
}

// variants judges a multivariant playlist.
func (f *follower) variants(a *answer) []variant {
	if f.playlistAnswer(a) {
		f.playlistCache(a, endedAge)
	}
	return parseMultivariant(string(a.body), f.violate)
}

// play follows the media playlist that was begun with a. declared is its BANDWIDTH, 0 without a multivariant playlist.
func (f *follower) play(ctx context.Context, a *answer, declared int64, d time.Duration) error {
	first := f.read(a, 0)
	if first == nil {
		return fmt.Errorf("%s: not a playlist", f.base)
	}
	following, cancel := context.WithCancel(ctx)
	defer cancel()
	if d > 0 {
		following, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	f.run(ctx, following, first)
	if declared > 0 {
		f.content.checkBandwidth(declared, first.target)
	}
	return nil
}

// run follows until following ends, then judges what was still queued.
func (f *follower) run(ctx, following context.Context, first *playlist) {
	f.content = newContent(f)
	var judged, loops sync.WaitGroup
	drained, cancel := context.WithCancel(ctx)
	defer cancel()
	judged.Go(func() { f.content.run(drained) })
	if first.canBlock && !first.ended {
		loops.Go(func() { f.wholeSegments(following, first) })
	}
	if !first.ended {
		loops.Go(func() { f.probe(following, first) })
	}
	f.follow(following, first)
	loops.Wait()
	f.content.wg.Wait()
	close(f.content.queue)
	stop := time.AfterFunc(30*time.Second, cancel)
	judged.Wait()
	stop.Stop()
}

// endedAge is how long caches may keep a playlist to which nothing is added: a merchant may cut something out of a replay, or
// hide it, and everybody is to see that soon.
const endedAge = 10 * time.Second

// read parses an answer of the media playlist and judges it by itself. cacheable bounds how long caches may keep it, 0: for
// its target duration; one that has ended may be kept as long as replays are.
func (f *follower) read(a *answer, cacheable time.Duration) *playlist {
	if !f.playlistAnswer(a) {
		return nil
	}
	p := parse(string(a.body), f.violate)
	cacheable = max(cacheable, p.target)
	if p.ended {
		cacheable = max(p.target, endedAge)
	}
	f.playlistCache(a, cacheable)
	if p.skipped == 0 {
		checkStatic(p, f.violate)
	}
	f.checkReports(p)
	f.independentSegments.Store(p.independent)
	f.count(func(r *Report) {
		r.Playlists++
		r.DateRanges = max(r.DateRanges, len(p.ranges))
		r.Ended = r.Ended || p.ended
	})
	return p
}

// follow is the main loop: each version in turn, every third by way of a delta update as well.
func (f *follower) follow(ctx context.Context, cur *playlist) {
	h := newHistory(f.violate)
	f.seen = h
	h.add(cur)
	f.content.take(ctx, cur)
	for n := 1; !cur.ended && ctx.Err() == nil; n++ {
		next := f.reload(ctx, cur, n%3 == 0)
		if next == nil {
			if ctx.Err() == nil {
				sleep(ctx, cur.target/2)
			}
			continue
		}
		h.add(next)
		f.content.take(ctx, next)
		cur = next
	}
}

func (f *follower) reload(ctx context.Context, cur *playlist, delta bool) *playlist {
	if !cur.canBlock {
		if !sleep(ctx, cur.target/2) {
			return nil
		}
		return f.load(ctx, f.playlist, cur.target)
	}
	want := cur.next()
	ref := fmt.Sprintf("%s?_HLS_msn=%d&_HLS_part=%d", f.playlist, want.msn, want.part)
	if cur.partTarget == 0 {
		ref = fmt.Sprintf("%s?_HLS_msn=%d", f.playlist, want.msn)
	}
	var update *playlist
	var wg sync.WaitGroup
	if delta && cur.canSkipUntil > 0 {
		wg.Go(func() { update = f.load(ctx, ref+"&_HLS_skip=YES", 6*cur.target) })
	}
	next := f.load(ctx, ref, 6*cur.target)
	wg.Wait()
	if next != nil && !next.ended && !want.before(next.next()) {
		f.violate(Blocking, "asked for part %d of segment %d, the answer ends before it, at %v", want.part, want.msn, next.next())
		sleep(ctx, 100*time.Millisecond)
	}
	if next != nil && update != nil && update.next() == next.next() && update.ended == next.ended {
		f.compareDelta(cur, update, next)
	}
	return next
}

func (f *follower) load(ctx context.Context, ref string, cacheable time.Duration) *playlist {
	a, err := f.patient(ctx, ref)
	if err != nil {
		if ctx.Err() == nil {
			f.violate(Status, "%s: %v", f.name(ref), err)
		}
		return nil
	}
	return f.read(a, cacheable)
}

// wholeSegments follows by blocking reloads without a part, as some players do: the answer must hold the whole segment.
func (f *follower) wholeSegments(ctx context.Context, cur *playlist) {
	h := newHistory(f.violate)
	for !cur.ended && ctx.Err() == nil {
		msn := cur.next().msn
		next := f.load(ctx, fmt.Sprintf("%s?_HLS_msn=%d", f.playlist, msn), 6*cur.target)
		if next == nil {
			if ctx.Err() == nil {
				sleep(ctx, cur.target/2)
			}
			continue
		}
		if !next.ended && next.next().msn <= msn {
			f.violate(Blocking, "asked for segment %d, the answer ends before it closed, at %v", msn, next.next())
			sleep(ctx, 100*time.Millisecond)
		}
		f.count(func(r *Report) { r.WholeSegment++ })
		h.add(next)
		cur = next
	}
}

// probe asks for what must be refused.
func (f *follower) probe(ctx context.Context, p *playlist) {
	last := p.next().msn
	refused := map[string]int{"nothing-of-this-name.m4s": 404, "nothing.m3u8": 404, "999999999.m4s": 404}
	if p.canBlock {
		refused[fmt.Sprintf("%s?_HLS_msn=%d", f.playlist, last+1000)] = 400
		refused[fmt.Sprintf("%s?_HLS_msn=%d&_HLS_part=0", f.playlist, last+1000)] = 400
		refused[f.playlist+"?_HLS_part=0"] = 400
		refused[f.playlist+"?_HLS_msn=x"] = 400
	}
	for ref, want := range refused {
		a, err := f.get(ctx, ref)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			f.violate(Status, "%s: %v", ref, err)
			continue
		}
		if a.status != want {
			f.violate(Status, "%s: status %d, not %d", f.name(ref), a.status, want)
		}
		if cacheLong(a.header) {
			f.violate(Header, "%s: a refusal with Cache-Control %q", f.name(ref), a.header.Get("Cache-Control"))
		}
	}
}
