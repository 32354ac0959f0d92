package live

import (
	"context"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
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

// Status is what a room is doing right now.
type Status struct {
	State     RoomState
	Show      *Show            // the current one; nil when idle
	Publisher *PublisherStatus // nil when nobody publishes
	Recording *replay.Status   // nil when nothing is recorded
}

// PublisherStatus describes who publishes and what comes in.
type PublisherStatus struct {
	Protocol    string
	Remote      string
	Encoder     string
	ConnectedAt time.Time
	Video       string // codec and size, "" without picture
	Width       int
	Height      int
	Audio       string // codec, "" without sound
	SampleRate  int    // Hz
	Channels    int
	BitrateBPS  int64         // over the last seconds
	FPS         float64       // over the last seconds
	KeyInterval time.Duration // between the last two IDR pictures; 0 when unknown
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

func (s *session) status() Status {
	st := Status{State: RoomIdle}
	if s.showID() != "" {
		show := s.snapshotShow()
		switch show.State {
		case Live:
			st.State, st.Show = RoomLive, &show
		case Interrupted:
			st.State, st.Show = RoomInterrupted, &show
		case Scheduled, Ended:
		}
		if s.path.recorder != nil && st.Show != nil {
			rec := s.path.recorder.Status()
			st.Recording = &rec
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pub != nil {
		st.Publisher = s.pub.statusLocked(s.stats.read(s.rooms.Now()))
	}
	return st
}

func (p *publication) statusLocked(rates rates) *PublisherStatus {
	st := &PublisherStatus{
		Protocol: p.req.Protocol, Remote: p.req.Remote.String(), Encoder: p.req.Encoder, ConnectedAt: p.since.UTC(),
		BitrateBPS: rates.bitrate, FPS: rates.fps, KeyInterval: rates.keyInterval,
	}
	for i := range p.tracks {
		t := &p.tracks[i]
		if t.Kind() == media.Audio {
			st.Audio = t.Codec.String()
			if t.Audio != nil {
				st.SampleRate, st.Channels = t.Audio.SampleRate, int(t.Audio.ChannelConfig)
			}
			continue
		}
		st.Video = t.Codec.String()
		var sps h264.SPS
		if sps.Unmarshal(t.SPS) == nil {
			st.Width, st.Height = sps.Width(), sps.Height()
		}
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
