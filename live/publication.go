package live

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

const (
	// audioAlone is how much sound without any picture track makes a show of sound alone: encoders announce their
	// tracks one after the other.
	audioAlone = media.TicksPerSecond
	// clockSlip is by how much the publisher's clock may disagree with the wall clock after it jumped, before its
	// samples belong to a new epoch.
	clockSlip = media.TicksPerSecond
	// dateSlip is how far the dates of a pulled show may leave those of its epoch where its origin begins a new one.
	dateSlip = 50 * time.Millisecond
	// inBandRate and inBandBurst bound what one publisher writes onto the timeline by itself.
	inBandRate  = 5
	inBandBurst = 20
	// publishTimeout bounds what one change of the show may wait for its store.
	publishTimeout = 10 * time.Second
)

// publication is one publish of a session's show. Its fields belong to the publisher's goroutine, but for those that
// say otherwise.
type publication struct {
	session *session
	req     media.PublishRequest
	since   time.Time
	tracks  []media.Track
	inBand  *rate.Limiter
	meter   meter // safe for concurrent use

	firstPTS media.Ticks
	seen     bool

	// Guarded by session.mu.
	started bool        // its first picture has begun an epoch
	offset  media.Ticks // show time minus publisher time
	kicked  bool
	err     error
	watch   watch

	done chan struct{}
}

func newPublication(s *session, req media.PublishRequest) *publication {
	return &publication{session: s, req: req, since: s.rooms.Now(), inBand: rate.NewLimiter(inBandRate, inBandBurst), done: make(chan struct{})}
}

// Done implements media.Publication.
func (p *publication) Done() <-chan struct{} { return p.done }

// Err implements media.Publication.
func (p *publication) Err() error {
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	return p.err
}

// kick tells the protocol to let the publisher go because of err.
func (p *publication) kick(err error) {
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	p.failLocked(err)
}

func (p *publication) failLocked(err error) {
	if p.kicked {
		return
	}
	p.kicked, p.err = true, err
	close(p.done)
}

// SetTracks implements media.Publication.
func (p *publication) SetTracks(tracks []media.Track) error {
	s := p.session
	if !samePictures(p.tracks, tracks) {
		s.turn.Lock()
		defer s.turn.Unlock()
		if p.onAir() {
			s.prepareLadder(tracks)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.tracks = slices.Clone(tracks)
	if !p.started || s.pub != p {
		return p.err
	}
	return s.path.packager.SetTracks(p.tracks)
}

// onAir reports whether the publish has begun an epoch and is still the session's.
func (p *publication) onAir() bool {
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	return p.started && p.session.pub == p
}

// samePictures reports whether the pictures of both sets of tracks have the same parameters.
func samePictures(a, b []media.Track) bool {
	video := func(tracks []media.Track) *media.Track {
		for i := range tracks {
			if tracks[i].Kind() == media.Video {
				return &tracks[i]
			}
		}
		return &media.Track{}
	}
	return video(a).SameParameters(video(b))
}

// Write implements media.Publication.
func (p *publication) Write(sample media.Sample) error {
	if err, written := p.write(sample); written || err != nil {
		return err
	}
	if !p.opens(sample) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), publishTimeout)
	defer cancel()
	if err := p.session.begin(ctx, p, sample); err != nil {
		return err
	}
	err, _ := p.write(sample)
	return err
}

// write packages the sample if the publish has begun; written is false when it has not.
func (p *publication) write(sample media.Sample) (err error, written bool) { //nolint:revive // the error ends the publish, written is the common answer
	s := p.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.err != nil {
		return p.err, false
	}
	if !p.started || s.pub != p {
		return nil, false
	}
	sample.PTS += p.offset
	sample.DTS += p.offset
	if sample.Rebased && (p.slippedLocked(sample) || p.redatedLocked(sample)) {
		p.started = false
		return nil, false
	}
	s.clock.Observe(sample.PTS, sample.Arrival)
	if s.ladder.run != nil && sample.Kind == media.Video {
		s.ladder.run.Write(sample)
	}
	return s.path.packager.Write(sample), true
}

// slippedLocked reports whether the publisher's clock, after a jump, has left the wall clock of its epoch: it was silent
// for a while, or held back. Its next picture then begins a new epoch, so that dates stay true.
func (p *publication) slippedLocked(sample media.Sample) bool {
	want, ok := p.session.clock.ShowTimeAt(sample.Arrival)
	if !ok {
		return false
	}
	slip := want - sample.PTS
	return slip > clockSlip || slip < -clockSlip
}

// opens reports whether an epoch may begin with this sample: at an IDR, or at a sound when there is no picture.
func (p *publication) opens(sample media.Sample) bool {
	if !p.seen {
		p.seen, p.firstPTS = true, sample.PTS
	}
	for i := range p.tracks {
		if p.tracks[i].Kind() == media.Video {
			return sample.Kind == media.Video && sample.Key
		}
	}
	return len(p.tracks) > 0 && sample.PTS-p.firstPTS >= audioAlone
}

// wallOf is the wall instant that the first sample of an epoch stands for: its arrival, or, of a show that is pulled from
// elsewhere, the date that it has there, so that both show the same dates. No lock is held.
func (p *publication) wallOf(first media.Sample) time.Time {
	if wall, ok := p.originDate(first); ok {
		return wall
	}
	return first.Arrival
}

// originDate is the date that a sample of a pulled show has at its origin; ok is false where there is none. Such a
// publisher answers without locks, so that one may be held here.
func (p *publication) originDate(sample media.Sample) (wall time.Time, ok bool) {
	if p.req.Protocol != "hls" || p.req.CapturedAt == nil {
		return time.Time{}, false
	}
	at, ok := p.req.CapturedAt(sample.Arrival)
	return sample.Arrival.Add((sample.PTS - at).Duration()), ok
}

// redatedLocked reports whether the origin of a pulled show dates a sample, in show time, otherwise than its epoch does.
func (p *publication) redatedLocked(sample media.Sample) bool {
	epoch := p.session.show.Epochs
	if len(epoch) == 0 {
		return false
	}
	want := epoch[len(epoch)-1].WallAt(sample.PTS)
	sample.PTS -= p.offset
	wall, ok := p.originDate(sample)
	return ok && wall.Sub(want).Abs() > dateSlip
}

// WriteData implements media.Publication: a pin that the publisher carries in band stands at its own timestamp.
func (p *publication) WriteData(t media.Ticks, payload []byte) error {
	const op = "live.WriteData"
	s := p.session
	if !p.inBand.Allow() {
		return errs.New(errs.Exhausted, op, "more than %d timed messages a second", inBandRate)
	}
	var msg inBandMessage
	if err := json.Unmarshal(payload, &msg); err != nil {
		return errs.As(errs.Invalid, op, err, "a timed message must be one JSON object")
	}
	s.mu.Lock()
	started, at := p.started && s.pub == p, t+p.offset
	s.mu.Unlock()
	if !started {
		return errs.New(errs.Conflict, op, "a timed message came before the first picture")
	}
	ctx, cancel := context.WithTimeout(context.Background(), publishTimeout)
	defer cancel()
	return s.inBand(ctx, max(at, 0), msg)
}

// Close implements media.Publication.
func (p *publication) Close(reason media.CloseReason) {
	ctx, cancel := context.WithTimeout(context.Background(), publishTimeout)
	defer cancel()
	s := p.session
	s.mu.Lock()
	current := s.pub == p
	s.mu.Unlock()
	switch {
	case !current:
	case reason == media.Unpublished && s.showID() != "":
		s.end(ctx, "unpublished")
	case s.rooms.cfg.ReconnectWindow < 0 && s.showID() != "":
		s.end(ctx, "connection_lost")
	default:
		s.interrupt(ctx, p)
	}
}
