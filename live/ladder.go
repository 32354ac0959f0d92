package live

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/transcode"
)

// soundBandwidth is what a rendition's BANDWIDTH counts for sound, and peakOfMean by how much the pictures of a segment
// may exceed their mean bit rate, in percent.
const (
	soundBandwidth = 192_000
	peakOfMean     = 150
)

// ladder is the renditions of a show beside its source. The show's first publish decides their names; each epoch, and
// each change of the source's parameters, has a run of the transcoder of its own.
type ladder struct {
	// names and followers belong together; written while both turn and mu are held.
	names     []string
	followers []*hls.Follower

	// Guarded by session.mu.
	run     *transcode.Ladder     // nil: nothing is made
	plan    []transcode.Rendition // what the newest run makes, or was refused to
	refused string                // why there is no run

	closing sync.WaitGroup // runs that are drained
}

// rungs hands the pictures of a run to the followers of its renditions.
type rungs struct {
	followers atomic.Pointer[[]*hls.Follower]
}

func (r *rungs) Tracks(i int, t media.Track)  { (*r.followers.Load())[i].SetTrack(t) }
func (r *rungs) Sample(i int, s media.Sample) { (*r.followers.Load())[i].Write(s) }
func (r *rungs) Down(string)                  { r.each((*hls.Follower).Down) }
func (r *rungs) Drained()                     { r.each((*hls.Follower).Drained) }
func (r *rungs) each(tell func(f *hls.Follower)) {
	if all := r.followers.Load(); all != nil {
		for _, f := range *all {
			tell(f)
		}
	}
}

// prepareLadder gets the transcoder ready for the pictures of tracks, before the first of them is packaged. A ladder
// that cannot be made keeps no anchor off the air. turn is held, mu is not.
func (s *session) prepareLadder(tracks []media.Track) {
	s.retireLadder()
	s.mu.Lock()
	wanted := s.room.Ladder
	s.mu.Unlock()
	video := slices.IndexFunc(tracks, func(t media.Track) bool { return t.Kind() == media.Video })
	if video < 0 || s.rooms.Transcoder == nil || len(wanted)+len(s.ladder.names) == 0 {
		return
	}
	format := formatOf(tracks)
	source := transcode.Source{Codec: tracks[video].Codec, Width: format.Width, Height: format.Height, FPS: frameRate(&tracks[video])}
	plan, err := transcode.Plan(wanted, source, s.ladder.names)
	if err == nil && len(plan) == 0 {
		return
	}
	var run *transcode.Ladder
	if err == nil {
		run, err = s.startLadder(tracks[video], source.FPS, plan)
	}
	s.mu.Lock()
	s.ladder.run, s.ladder.plan, s.ladder.refused = run, plan, errs.MessageOf(err)
	s.mu.Unlock()
	if err != nil {
		s.log.Warn("the ladder cannot be made; viewers get the source alone", "error", err)
		for _, f := range s.ladder.followers {
			f.Down()
		}
	}
}

// startLadder begins a run, and announces those of its renditions that the show did not have.
func (s *session) startLadder(source media.Track, fps float64, plan []transcode.Rendition) (*transcode.Ladder, error) {
	sink := &rungs{}
	run, err := s.rooms.Transcoder.StartLadder(source, fps, plan, sink, s.log)
	if err != nil {
		return nil, err
	}
	followers := make([]*hls.Follower, len(plan))
	for i, r := range plan {
		if followers[i], err = s.follower(r); err != nil {
			run.Close()
			return nil, err
		}
	}
	sink.followers.Store(&followers)
	return run, nil
}

// follower returns the packager of a rendition, which is announced when the show does not have it yet.
func (s *session) follower(r transcode.Rendition) (*hls.Follower, error) {
	if f := s.path.group.Follower(r.Name); f != nil {
		return f, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.path.group.Add(hls.Rendition{Name: r.Name, Bandwidth: r.Bitrate/100*peakOfMean + soundBandwidth})
	if err != nil {
		return nil, err
	}
	s.path.packager.Follow(f)
	s.ladder.names, s.ladder.followers = append(s.ladder.names, r.Name), append(s.ladder.followers, f)
	return f, nil
}

// retireLadder ends the run in force and waits, a moment, until the last of its pictures have come. mu is not held.
func (s *session) retireLadder() {
	s.mu.Lock()
	s.retireLadderLocked()
	s.mu.Unlock()
	s.ladder.closing.Wait()
}

// retireLadderLocked ends the run in force without waiting for it. mu is held.
func (s *session) retireLadderLocked() {
	if run := s.ladder.run; run != nil {
		s.ladder.run = nil
		s.ladder.closing.Go(run.Close)
	}
}

// renditions tells what the show's renditions are doing.
func (s *session) renditions() []RenditionStatus {
	s.mu.Lock()
	run, plan, refused := s.ladder.run, s.ladder.plan, s.ladder.refused
	s.mu.Unlock()
	out := make([]RenditionStatus, len(plan))
	for i, r := range plan {
		out[i] = RenditionStatus{Name: r.Name, Width: r.Width, Height: r.Height, State: RenditionRefused, Reason: refused}
		if run != nil {
			st := run.Status()
			out[i].State, out[i].Reason = RenditionState(st.State), st.Reason
		}
	}
	return out
}

// frameRate is what the parameters of the pictures say, per second; 0 when they do not.
func frameRate(t *media.Track) float64 {
	if t.Codec != media.H264 {
		return 0
	}
	var sps h264.SPS
	if sps.Unmarshal(t.SPS) != nil {
		return 0
	}
	return sps.FPS()
}
