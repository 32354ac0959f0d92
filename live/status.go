package live

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay"
)

// RoomState is what a room is doing.
type RoomState string

// The states of a room.
const (
	RoomIdle        RoomState = "idle"
	RoomLive        RoomState = "live"
	RoomInterrupted RoomState = "interrupted"
)

// PublisherState is what a publisher is doing.
type PublisherState string

// The states of a publisher.
const (
	PublisherWaiting PublisherState = "waiting" // connected, and nothing has come yet
	PublisherSending PublisherState = "sending"
	PublisherStalled PublisherState = "stalled" // connected, and nothing has come for a while
)

// RenditionState is what a rendition of a ladder is doing.
type RenditionState string

// The states of a rendition.
const (
	RenditionOn       RenditionState = "on"
	RenditionStarting RenditionState = "starting"
	RenditionDown     RenditionState = "down"    // it comes back by itself
	RenditionRefused  RenditionState = "refused" // this machine cannot carry it
)

// Status is what a room is doing right now.
type Status struct {
	State      RoomState
	Show       *Show            // the current one; nil when idle
	Publisher  *PublisherStatus // nil when nobody publishes
	Recording  *replay.Status   // nil when nothing is recorded
	Unrecorded bool             // the show should be recorded and is not: the recording could not be opened
	Renditions []RenditionStatus
	Warnings   []Warning // what the anchor should know, the gravest first
}

// RenditionStatus is one rendition beside the source.
type RenditionStatus struct {
	Name          string
	Width, Height int
	State         RenditionState
	Reason        string // why it is down or refused, for people
}

// PublisherStatus describes who publishes and what comes in. Rates are those of the last seconds.
type PublisherStatus struct {
	Protocol    string
	Remote      string
	Encoder     string
	ConnectedAt time.Time
	State       PublisherState
	Quiet       time.Duration // since the newest sample
	VideoQuiet  time.Duration // since the newest picture; 0 before the first
	AudioQuiet  time.Duration // since the newest sound; 0 before the first

	Format

	BitrateBPS      int64
	VideoBitrateBPS int64
	AudioBitrateBPS int64
	FPS             float64
	MissingFrames   float64       // share of pictures that the encoder left out, 0 to 1
	BFrames         bool          // pictures are shown in another order than they are sent
	KeyInterval     time.Duration // between the last two keyframes; 0 when not known
	KeyIntervalMin  time.Duration // among the last ones
	KeyIntervalMax  time.Duration

	Lag       time.Duration // by how much samples arrive later than at the best of times
	Jitter    time.Duration
	RTT       time.Duration // 0: not known
	Loss      float64       // share of packets, 0 to 1; negative: not known
	Repaired  float64       // share of packets sent again, 0 to 1; negative: not known
	Discarded int64         // pictures dropped since the start for want of a piece
	Anomalies int64         // timestamps mended since the start

	age             time.Duration // since it connected
	sinceKey        time.Duration // from the newest keyframe to the newest picture
	keys            int           // distances of keyframes that are known
	meanPacket      int           // of sound, bytes; 0: none came
	meanBPS         int64         // of the picture, over 20 s; 0 when not known
	peakBPS         int64         // likewise, of the busiest 4 s of them
	recentAnomalies int           // of the last half minute
	recentDiscarded int64         // likewise
}

// Status returns what the room is doing. NotFound for an unknown room.
func (r *Rooms) Status(ctx context.Context, roomID string) (Status, error) {
	if _, err := r.Store.Room(ctx, roomID); err != nil {
		return Status{}, errs.Wrap("live.Status", err)
	}
	return r.StatusOf(roomID), nil
}

// StatusOf is Status for a room that is known to exist.
func (r *Rooms) StatusOf(roomID string) Status {
	s := r.sessionOf(roomID)
	if s == nil {
		return Status{State: RoomIdle}
	}
	return s.status()
}

// status is what the session is doing, with the warnings as the last review left them.
func (s *session) status() Status {
	st := s.facts(s.rooms.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.pub != nil:
		st.Warnings = s.pub.watch.warnings()
	case st.State == RoomInterrupted:
		st.Warnings = []Warning{publisherGone(st.Show.InterruptedAt, s.rooms.cfg.ReconnectWindow)}
	}
	return st
}

// facts is what the session is doing, without any judgement.
func (s *session) facts(now time.Time) Status {
	st := Status{State: RoomIdle}
	if s.showID() != "" {
		s.showFacts(&st)
		st.Renditions = s.renditions()
	}
	s.mu.Lock()
	p := s.pub
	s.mu.Unlock()
	if p != nil {
		st.Publisher = p.status(now)
	}
	return st
}

func (s *session) showFacts(st *Status) {
	show := s.snapshotShow()
	switch show.State {
	case Live:
		st.State, st.Show = RoomLive, &show
	case Interrupted:
		st.State, st.Show = RoomInterrupted, &show
	case Scheduled, Ended:
		return
	}
	if s.path.recorder == nil {
		st.Unrecorded = !s.rooms.cfg.NoRecording
		return
	}
	rec := s.path.recorder.Status()
	st.Recording = &rec
}

func (p *publication) status(now time.Time) *PublisherStatus {
	st := &PublisherStatus{
		Protocol: p.req.Protocol, Remote: p.req.Remote.String(), Encoder: p.req.Encoder, ConnectedAt: p.since.UTC(),
		age: max(now.Sub(p.since), 0), Loss: -1, Repaired: -1,
	}
	p.meter.fill(st, now)
	if p.req.Link != nil {
		p.meter.fillLink(st, p.req.Link(), now)
	}
	return st
}

// OnAir returns the status of every room that has a publisher or an unfinished show, in no particular order.
func (r *Rooms) OnAir() []Status {
	sessions := r.sessions()
	out := make([]Status, 0, len(sessions))
	for _, s := range sessions {
		if st := s.status(); st.State != RoomIdle || st.Publisher != nil {
			out = append(out, st)
		}
	}
	return out
}
