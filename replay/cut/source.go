package cut

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/mp4"
)

// sample is an access unit of the recording, or one that took the place of some of it.
type sample struct {
	at, pts media.Ticks // decode and presentation time; of sound both are its place, rounded down
	units   int64       // of sound: its place in units of its rate, exactly
	length  int64       // in units of its track
	rate    int64       // units a second
	sync    bool
	entry   int // index into the track's sample entries

	segment int // index into source.segments
	run     int // samples of one run follow each other without a hole
	offset  int64
	size    int64
	data    []byte // its bytes, when they are not those of the recording
	prefix  []byte // stands before them in the file
}

// source reads the samples of some segments of a recording.
type source struct {
	op       string
	rec      *replay.Recording
	segments []playlist.Segment
	inits    map[int]*initialization

	entries [2][][]byte // sample entries met, of pictures and of sound
	codecs  [2][]media.Codec
}

// initialization is what an initialization segment says, with the sample entries as indices into source.entries.
type initialization struct {
	tracks  []mp4.InitTrack
	entries []int
}

// The tracks of a file.
const (
	pictures = 0
	sound    = 1
)

// has reports whether there is a track of pictures or sound.
func (in *initialization) has(track int) bool {
	return slices.ContainsFunc(in.tracks, func(t mp4.InitTrack) bool { return trackOf(t.Codec) == track })
}

func trackOf(c media.Codec) int {
	if c.Kind() == media.Audio {
		return sound
	}
	return pictures
}

// stretch is the samples of segments that follow each other.
type stretch struct {
	video, audio []sample
}

// read returns the samples of segment i.
func (s *source) read(ctx context.Context, i int) (stretch, error) {
	if err := ctx.Err(); err != nil {
		return stretch{}, context.Cause(ctx)
	}
	seg := &s.segments[i]
	if seg.Gap {
		return stretch{}, nil
	}
	in, err := s.init(seg.Init)
	if err != nil {
		return stretch{}, err
	}
	f, size, err := s.rec.OpenSegment(seg.MSN)
	if err != nil {
		return stretch{}, errs.Wrap(s.op, err)
	}
	defer f.Close()
	at, ok := f.(io.ReaderAt)
	if !ok {
		return stretch{}, errs.New(errs.Internal, s.op, "segment %d cannot be read at an offset", seg.MSN)
	}
	samples, err := mp4.ReadSamples(at, size)
	if err != nil {
		return stretch{}, errs.As(errs.Internal, s.op, fmt.Errorf("segment %d of %s: %w", seg.MSN, s.rec.Show(), err),
			"the recording is damaged at %s; vitrine archive verify tells more", clock(seg.Start))
	}
	return in.sort(samples, i), nil
}

// sort divides the samples of segment i among the tracks.
func (in *initialization) sort(samples []mp4.Sample, i int) (s stretch) {
	for j := range samples {
		m := &samples[j]
		for k := range in.tracks {
			t := &in.tracks[k]
			if t.ID != m.Track {
				continue
			}
			x := sample{
				length: m.Duration, rate: int64(t.Timescale), sync: m.Sync, entry: in.entries[k],
				segment: i, offset: m.Offset, size: m.Size,
			}
			if trackOf(t.Codec) == sound {
				x.units, x.at = m.DTS, media.Ticks(m.DTS*int64(media.TicksPerSecond)/x.rate)
				x.pts, x.sync = x.at, true
				s.audio = append(s.audio, x)
			} else {
				x.at, x.pts = media.Ticks(m.DTS), media.Ticks(m.PTS())
				s.video = append(s.video, x)
			}
		}
	}
	return s
}

// init reads an initialization segment once.
func (s *source) init(n int) (*initialization, error) {
	if in := s.inits[n]; in != nil {
		return in, nil
	}
	b, err := s.rec.InitData(n)
	if err != nil {
		return nil, errs.Wrap(s.op, err)
	}
	tracks, err := mp4.ReadInit(b)
	if err != nil {
		return nil, errs.As(errs.Internal, s.op, fmt.Errorf("initialization segment %d of %s: %w", n, s.rec.Show(), err), "the recording is damaged")
	}
	in := &initialization{tracks: tracks}
	for _, t := range tracks {
		if trackOf(t.Codec) == pictures && t.Timescale != uint32(media.TicksPerSecond) {
			return nil, errs.New(errs.Internal, s.op, "pictures of %s count %d units a second", s.rec.Show(), t.Timescale)
		}
		in.entries = append(in.entries, s.entry(t))
	}
	s.inits[n] = in
	return in, nil
}

// entry returns the index of a track's sample entry, which is new or was met before.
func (s *source) entry(t mp4.InitTrack) int {
	k := trackOf(t.Codec)
	for i, e := range s.entries[k] {
		if string(e) == string(t.Entry) && s.codecs[k][i] == t.Codec {
			return i
		}
	}
	s.entries[k] = append(s.entries[k], t.Entry)
	s.codecs[k] = append(s.codecs[k], t.Codec)
	return len(s.entries[k]) - 1
}

// clock writes show time for people.
func clock(t media.Ticks) string {
	d := t.Duration().Round(time.Millisecond)
	return fmt.Sprintf("%d:%02d:%06.3f", int(d.Hours()), int(d.Minutes())%60, (d % time.Minute).Seconds())
}
