package hlspull

import (
	"context"
	"net/url"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// Library opens the finished shows of origins. It is safe for concurrent use.
type Library struct {
	cfg  Config
	dial dialer
}

// NewLibrary makes a library; cfg must be valid.
func NewLibrary(cfg Config) *Library {
	cfg = cfg.withDefaults()
	return &Library{cfg: cfg, dial: dialerOf(cfg)}
}

// Film is a finished show at an origin. It is for one goroutine.
type Film struct {
	fetch *fetcher
	video *mediaPlaylist // or everything
	audio *mediaPlaylist // nil: the sound is in video
}

// Open reads the playlists at address, of the best variant where there are several. Invalid: the address, or what is
// there, cannot be imported; Forbidden: the address is not of the public internet, or the origin refuses; NotFound;
// Unavailable: the origin does not answer.
func (l *Library) Open(ctx context.Context, address string) (*Film, error) {
	const op = "hlspull.Open"
	u, err := url.Parse(address)
	if err == nil {
		u, err = checkURL(u)
	}
	if err != nil {
		return nil, errs.Field(op, "url", "must be the http or https address of an HLS playlist (.m3u8)")
	}
	f := &Film{fetch: newFetcher(l.cfg, l.dial)}
	if err := f.load(ctx, u); err != nil {
		f.Close()
		return nil, errs.Wrap(op, err)
	}
	return f, nil
}

func (f *Film) load(ctx context.Context, u *url.URL) error {
	var c choice
	err := f.fetch.persist(ctx, func(ctx context.Context) (err error) {
		c, err = f.fetch.choose(ctx, u)
		return err
	})
	if err != nil {
		return err
	}
	if f.video, err = f.list(ctx, c.video); err != nil || c.audio == nil {
		return err
	}
	f.audio, err = f.list(ctx, c.audio)
	return err
}

// list reads the playlist of a finished show.
func (f *Film) list(ctx context.Context, u *url.URL) (*mediaPlaylist, error) {
	const op = "hlspull.Open"
	reader := follower{fetch: f.fetch, url: u}
	if err := reader.load(ctx); err != nil {
		return nil, err
	}
	list := reader.list
	switch {
	case !list.ended:
		return nil, errs.New(errs.Invalid, op, "the show at the address is still going on; make the address a room's source to pull it live, or import it when it is over")
	case len(list.segments) == 0:
		return nil, errs.New(errs.Invalid, op, "the playlist has no segments")
	}
	for i := range list.segments {
		if list.segments[i].sealed {
			return nil, errs.New(errs.Invalid, op, "the show is encrypted (EXT-X-KEY); only clear media can be imported")
		}
	}
	return list, nil
}

// Close releases the connections to the origin.
func (f *Film) Close() { f.fetch.close() }

// Duration is how long the playlist says that the show lasts.
func (f *Film) Duration() time.Duration {
	var sum time.Duration
	for i := range f.video.segments {
		if s := &f.video.segments[i]; !s.gap {
			sum += s.duration
		}
	}
	return sum
}

// Read reads the whole show as fast as it comes. begin is called where an uninterrupted stretch begins, or where tracks
// change, with the date of the sample that follows, zero where the origin does not tell, and the tracks from there on.
// write is called for each sample of the stretch, in decoding order over both tracks; its times are the origin's, and
// those of one stretch have nothing to do with those of another. An error of either ends Read.
func (f *Film) Read(ctx context.Context, begin func(wall time.Time, tracks []media.Track) error, write func(media.Sample) error) error {
	r := &filmReader{film: f, begin: begin, write: write}
	for i := range f.video.segments {
		s := &f.video.segments[i]
		if s.gap {
			r.broken = true
			continue
		}
		if err := r.segment(ctx, s); err != nil {
			return errs.Wrap("hlspull.Read", err)
		}
	}
	return errs.Wrap("hlspull.Read", r.flush())
}

// leapBack and leapForward are by how much the times of a segment may differ from where the one before ended, before
// they count as a stretch of their own: origins forget the discontinuity that they should mark.
const (
	leapBack    = media.TicksPerSecond / 2
	leapForward = 10 * media.TicksPerSecond
)

// filmReader reads segment after segment.
type filmReader struct {
	film  *Film
	begin func(time.Time, []media.Track) error
	write func(media.Sample) error

	run    run
	video  *demuxer
	audio  *demuxer
	next   int  // segment of the audio playlist
	broken bool // media is missing before the next segment

	merge  merger
	end    media.Ticks // of the pictures, or of the sound where there are none
	tracks [2]*media.Track
	told   bool      // begin was called for this stretch, and tracks are what it said
	date   time.Time // of the stretch, until begin is called
}

// segment reads one segment of the leading playlist and the sound that belongs to it.
func (r *filmReader) segment(ctx context.Context, s *segment) error {
	if now := (run{init: s.init, disc: s.discontinuity}); r.video == nil || r.broken || now != r.run {
		if err := r.flush(); err != nil {
			return err
		}
		if err := r.open(ctx, s); err != nil {
			return err
		}
		r.run, r.broken = now, false
	}
	data, err := r.media(ctx, s.resource)
	if err != nil {
		return err
	}
	samples, err := r.video.demux(data)
	if err != nil {
		return err
	}
	if err := r.leaps(samples, s); err != nil {
		return err
	}
	sound, err := r.sound(ctx, s)
	if err != nil {
		return err
	}
	for _, t := range append(samples, sound...) {
		if err := r.merge.put(t, r.pass); err != nil {
			return err
		}
	}
	return nil
}

// open begins a stretch with s.
func (r *filmReader) open(ctx context.Context, s *segment) (err error) {
	r.merge, r.told, r.tracks, r.date, r.end = merger{}, false, [2]*media.Track{}, s.date, -1
	if r.video, err = r.demuxer(ctx, s.init); err != nil {
		return err
	}
	r.merge.tracks = 2
	r.audio = nil
	if r.film.audio == nil {
		return nil
	}
	list := r.film.audio.segments
	for r.next < len(list) && list[r.next].discontinuity < s.discontinuity {
		r.next++
	}
	if r.next < len(list) {
		r.audio, err = r.demuxer(ctx, list[r.next].init)
	}
	return err
}

// demuxer makes the demuxer of a run by its initialization segment, if it has one.
func (r *filmReader) demuxer(ctx context.Context, init resource) (*demuxer, error) {
	if init.url == "" {
		return newTSDemuxer(), nil
	}
	data, err := r.media(ctx, init)
	if err != nil {
		return nil, err
	}
	return newFMP4Demuxer(data)
}

func (r *filmReader) media(ctx context.Context, what resource) (data []byte, err error) {
	err = r.film.fetch.persist(ctx, func(ctx context.Context) error {
		data, err = r.film.fetch.media(ctx, what)
		return err
	})
	return data, err
}

// leaps begins a new stretch where the times say that there is one.
func (r *filmReader) leaps(samples []timed, s *segment) error {
	for _, t := range samples {
		if t.Kind != media.Video && r.video.hasVideo() {
			continue
		}
		if d := t.DTS - r.end; r.end >= 0 && (d < -leapBack || d > leapForward) {
			if err := r.flush(); err != nil {
				return err
			}
			r.told, r.date, r.end = false, s.date, -1
		}
		return nil
	}
	return nil
}

// sound reads the segments of the audio playlist that begin before s ends.
func (r *filmReader) sound(ctx context.Context, s *segment) (out []timed, err error) {
	if r.audio == nil {
		return nil, nil
	}
	if a, v := r.audio.ts, r.video.ts; a != nil && v != nil && !a.any {
		a.any, a.last = v.any, v.last // one clock, which may wrap between the two
	}
	list := r.film.audio.segments
	for r.next < len(list) && list[r.next].discontinuity == s.discontinuity && (r.audio.end < 0 || r.audio.end <= r.video.end) {
		a := &list[r.next]
		r.next++
		if a.gap {
			continue
		}
		data, err := r.media(ctx, a.resource)
		if err != nil {
			return nil, err
		}
		samples, err := r.audio.demux(data)
		if err != nil {
			return nil, err
		}
		out = append(out, samples...)
	}
	return out, nil
}

// pass hands a sample on whose turn has come.
func (r *filmReader) pass(t timed) error {
	if t.track != nil {
		slot := &r.tracks[int(t.Kind)-int(media.Video)]
		if *slot == nil || !(*slot).SameParameters(t.track) {
			*slot, r.told = t.track, false
		}
	}
	pictures := r.video.hasVideo()
	if pictures && r.tracks[0] == nil {
		return nil // nothing can be shown before the first key frame
	}
	if !r.told {
		if pictures && t.Kind != media.Video {
			return nil // a stretch begins with a picture
		}
		if err := r.tell(); err != nil {
			return err
		}
	}
	if t.Kind == media.Video || !pictures {
		r.end = t.DTS
	}
	return r.write(t.Sample)
}

// tell says that a stretch begins, or that its tracks change.
func (r *filmReader) tell() error {
	var tracks []media.Track
	if r.tracks[1] == nil {
		r.tracks[1] = r.soundTrack()
	}
	for _, t := range r.tracks {
		if t != nil {
			tracks = append(tracks, *t)
		}
	}
	date := r.date
	r.told, r.date = true, time.Time{}
	return r.begin(date, tracks)
}

// soundTrack is the track of sound that is known although nothing of it has come yet.
func (r *filmReader) soundTrack() *media.Track {
	if r.audio != nil {
		return r.audio.sound
	}
	return r.video.sound
}

func (r *filmReader) flush() error { return r.merge.flush(r.pass) }
