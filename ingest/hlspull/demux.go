package hlspull

import (
	"bytes"
	"errors"
	"io"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"
	tscodecs "github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts/codecs"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// demuxer takes the segments of one run apart. Times are the run's, on the media clock.
type demuxer struct {
	picture *picture     // nil: no pictures
	sound   *media.Track // nil: no sound
	end     media.Ticks  // decoding time of the newest sample; negative before the first

	tracks   map[int]*fmp4.InitTrack // of fMP4, by number
	defaults map[uint32]sampleDefaults
	ts       *tsReader // of MPEG-TS
	out      []timed
}

func (d *demuxer) hasVideo() bool { return d.picture != nil }

// demux returns the samples of a segment, each track in decoding order.
func (d *demuxer) demux(segment []byte) (out []timed, err error) {
	d.out = nil
	if d.ts != nil {
		err = d.demuxTS(segment)
	} else {
		err = d.demuxFMP4(segment)
	}
	out, d.out = d.out, nil
	return out, err
}

func broken(err error) error {
	return errs.As(errs.Invalid, "hlspull.demux", err, "a segment cannot be read: %v", err)
}

// newFMP4Demuxer makes the demuxer of the segments that belong to an initialization segment.
func newFMP4Demuxer(init []byte) (*demuxer, error) {
	parsed, err := readInit(init)
	if err != nil {
		return nil, err
	}
	d := &demuxer{tracks: map[int]*fmp4.InitTrack{}, defaults: defaultsOf(init), end: -1}
	for _, t := range parsed.Tracks {
		d.tracks[t.ID] = t
		switch c := t.Codec.(type) {
		case *codecs.H264:
			d.picture = &picture{codec: media.H264, sets: [3][]byte{c.SPS, c.PPS}}
		case *codecs.H265:
			d.picture = &picture{codec: media.HEVC, sets: [3][]byte{c.VPS, c.SPS, c.PPS}}
		case *codecs.AV1:
			d.picture = &picture{codec: media.AV1, sets: [3][]byte{c.SequenceHeader}}
		case *codecs.MPEG4Audio:
			if c.Config.SampleRate > 0 {
				d.sound = &media.Track{Codec: media.AAC, Audio: &c.Config}
			}
		case *codecs.Opus:
			d.sound = &media.Track{Codec: media.Opus, Channels: c.ChannelCount}
		}
	}
	return d, nil
}

func (d *demuxer) demuxFMP4(segment []byte) error {
	var parts fmp4.Parts
	if err := parts.Unmarshal(spellOut(segment, d.defaults)); err != nil {
		return broken(err)
	}
	for _, p := range parts {
		for _, f := range p.Tracks {
			if t := d.tracks[f.ID]; t != nil {
				if err := d.fragment(t, f); err != nil {
					return broken(err)
				}
			}
		}
	}
	return nil
}

// fragment takes the samples of one track of a movie fragment.
func (d *demuxer) fragment(t *fmp4.InitTrack, f *fmp4.PartTrack) error {
	at := int64(f.BaseTime)
	for _, s := range f.Samples {
		dts, pts := ticksOf(at, t.TimeScale), ticksOf(at+int64(s.PTSOffset), t.TimeScale)
		at += int64(s.Duration)
		if !t.Codec.IsVideo() {
			d.putSound(pts, s.Payload)
			continue
		}
		units, err := unitsOf(t.Codec, s.Payload)
		if err != nil {
			return err
		}
		d.putPicture(pts, dts, units)
	}
	return nil
}

func ticksOf(v int64, timescale uint32) media.Ticks {
	return media.Rescale(media.Ticks(v), int64(media.TicksPerSecond), int64(timescale))
}

// unitsOf divides an access unit into NAL units or OBUs.
func unitsOf(c codecs.Codec, payload []byte) ([][]byte, error) {
	if _, ok := c.(*codecs.AV1); ok {
		var tu av1.Bitstream
		err := tu.Unmarshal(payload)
		return tu, err
	}
	var au h264.AVCC
	err := au.Unmarshal(payload)
	return au, err
}

func (d *demuxer) putPicture(pts, dts media.Ticks, units [][]byte) {
	u, ok := d.picture.take(units)
	if !ok {
		return
	}
	s := timed{Sample: media.Sample{Kind: media.Video, PTS: pts, DTS: dts, Key: u.key, Payload: u.payload}}
	if track, ok := d.picture.track(); ok && u.key {
		s.track = &track
	}
	d.end = max(d.end, dts)
	d.out = append(d.out, s)
}

func (d *demuxer) putSound(pts media.Ticks, packet []byte) {
	if d.sound == nil || len(packet) == 0 {
		return
	}
	if d.picture == nil {
		d.end = max(d.end, pts)
	}
	d.out = append(d.out, timed{track: d.sound, Sample: media.Sample{Kind: media.Audio, PTS: pts, DTS: pts, Key: true, Payload: packet}})
}

// tsReader is the library's reader, which goes on from segment to segment, and the clock of a run.
type tsReader struct {
	*mpegts.Reader
	from io.Reader // the segment that is being read
	last int64     // the newest timestamp, unwrapped
	any  bool
}

// Read implements io.Reader.
func (r *tsReader) Read(p []byte) (int, error) { return r.from.Read(p) }

// newTSDemuxer makes the demuxer of a run of MPEG-TS segments; which tracks there are its first segment says.
func newTSDemuxer() *demuxer { return &demuxer{ts: &tsReader{}, end: -1} }

func (d *demuxer) demuxTS(segment []byte) error {
	d.ts.from = bytes.NewReader(segment)
	if d.ts.Reader == nil {
		if err := d.openTS(); err != nil {
			return err
		}
	}
	for {
		switch err := d.ts.Reader.Read(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return broken(err)
		}
	}
}

// openTS finds the tracks in the first segment.
func (d *demuxer) openTS() error {
	r := &mpegts.Reader{R: d.ts}
	if err := r.Initialize(); err != nil {
		return broken(err)
	}
	for _, t := range r.Tracks() {
		switch c := t.Codec.(type) {
		case *tscodecs.H264:
			if d.picture == nil {
				d.picture = &picture{codec: media.H264}
				r.OnDataH264(t, d.tsPicture)
			}
		case *tscodecs.H265:
			if d.picture == nil {
				d.picture = &picture{codec: media.HEVC}
				r.OnDataH265(t, d.tsPicture)
			}
		case *tscodecs.MPEG4Audio:
			if d.sound == nil && c.Config.SampleRate > 0 {
				d.sound = &media.Track{Codec: media.AAC, Audio: &c.Config}
				r.OnDataMPEG4Audio(t, d.tsSound)
			}
		}
	}
	if d.picture == nil && d.sound == nil {
		return errs.New(errs.Invalid, "hlspull.demux", "the stream has no track that can be read: H264 or HEVC with AAC")
	}
	d.ts.Reader = r
	return nil
}

func (d *demuxer) tsPicture(pts, dts int64, units [][]byte) error {
	at := d.ts.unwrap(dts)
	d.putPicture(at+media.Ticks(signed33(pts-dts)), at, units)
	return nil
}

func (d *demuxer) tsSound(pts int64, units [][]byte) error {
	at := d.ts.unwrap(pts)
	for _, u := range units {
		d.putSound(at, u)
		at += soundLength(d.sound, u)
	}
	return nil
}

// unwrap extends a 33-bit timestamp to the value nearest to the newest one.
func (r *tsReader) unwrap(raw int64) media.Ticks {
	if !r.any {
		r.any, r.last = true, raw
	} else {
		r.last += signed33(raw - r.last)
	}
	return media.Ticks(r.last)
}

// signed33 reads a difference of 33-bit timestamps as the nearest.
func signed33(d int64) int64 { return d << 31 >> 31 }
