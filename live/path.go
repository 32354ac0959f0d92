package live

import (
	"log/slog"

	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/replay"
)

// mediaPath is what the samples of one show run through: the packager, and the two that take the packaged bytes. The
// group delivers them together with the renditions that are made of the same samples.
type mediaPath struct {
	packager *hls.Packager
	group    *hls.Group
	recorder *replay.Recorder // nil when recording is off
}

// layPath makes the media path of a show. A show that has a recording already is continued from it.
func (r *Rooms) layPath(showID string) (mediaPath, error) {
	if r.cfg.NoRecording {
		return r.unrecordedPath(), nil
	}
	rec, state, err := r.Archive.Record(showID)
	if err != nil {
		return mediaPath{}, err
	}
	resume := hls.Resume(state)
	stream := hls.NewStream(r.cfg.HLS, resume, rec, r.Log, r.HLS)
	return mediaPath{
		packager: hls.NewPackager(r.cfg.HLS, resume, both{stream, rec}, r.Log, r.HLS),
		group:    hls.NewGroup(stream, r.Log, r.HLS), recorder: rec,
	}, nil
}

// unrecordedPath is the media path of a show that nothing keeps.
func (r *Rooms) unrecordedPath() mediaPath {
	stream := hls.NewStream(r.cfg.HLS, hls.Resume{}, nil, r.Log, r.HLS)
	return mediaPath{packager: hls.NewPackager(r.cfg.HLS, hls.Resume{}, stream, r.Log, r.HLS), group: hls.NewGroup(stream, r.Log, r.HLS)}
}

func (p mediaPath) close(log *slog.Logger) {
	if p.group != nil {
		p.group.Close()
	}
	if p.recorder != nil {
		if err := p.recorder.Close(); err != nil {
			log.Error("could not close the recording", "error", err)
		}
	}
}

// both hands the packager's output to the viewers first, then to the recording.
type both struct{ viewers, recording hls.Sink }

func (b both) OnInit(init playlist.Init, data []byte) {
	b.viewers.OnInit(init, data)
	b.recording.OnInit(init, data)
}

func (b both) OnPart(seg playlist.Segment, part playlist.Part, data []byte) {
	b.viewers.OnPart(seg, part, data)
	b.recording.OnPart(seg, part, data)
}

func (b both) OnSegment(seg playlist.Segment) {
	b.viewers.OnSegment(seg)
	b.recording.OnSegment(seg)
}
