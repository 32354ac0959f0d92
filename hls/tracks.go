package hls

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// brands is the ftyp box of every initialization segment: ISO base media with signed composition offsets (iso6).
var brands = []byte("\x00\x00\x00\x1cftypiso6\x00\x00\x00\x01iso6mp42hlsf")

// trackSet is the tracks that hold from one sample on, and what their initialization segment says.
type trackSet struct {
	video *media.Track
	audio *audioTrack

	info playlist.Init // without Number and Reorder
	data []byte
}

// newTrackSet checks the tracks and makes their initialization segment. The audio track of an older set goes on when
// its parameters are the same.
func newTrackSet(tracks []media.Track, older ...*trackSet) (*trackSet, error) {
	const op = "hls.SetTracks"
	s := &trackSet{}
	for i := range tracks {
		t := new(media.Track)
		*t = tracks[i] // the slice may be used again
		switch {
		case t.Codec == media.H264 && s.video == nil:
			s.video = t
		case t.Codec == media.AAC && s.audio == nil:
			if t.Audio == nil || t.Audio.SampleRate <= 0 {
				return nil, errs.New(errs.Invalid, op, "the AAC track has no configuration")
			}
			s.audio = newAudioTrack(t)
		default:
			return nil, errs.New(errs.Invalid, op, "a show has one H264 and one AAC track, got another track of %v", t.Codec)
		}
	}
	if s.video == nil && s.audio == nil {
		return nil, errs.New(errs.Invalid, op, "no tracks")
	}
	if err := s.describe(); err != nil {
		return nil, errs.As(errs.Invalid, op, err, "the parameters of a track cannot be used: %v", err)
	}
	for _, old := range older {
		if old != nil && s.sameAudio(old) {
			s.audio = old.audio
			break
		}
	}
	return s, nil
}

func (s *trackSet) sameVideo(o *trackSet) bool {
	return s.video == o.video || (s.video != nil && o.video != nil && s.video.SameParameters(o.video))
}

func (s *trackSet) sameAudio(o *trackSet) bool {
	return s.audio == o.audio || (s.audio != nil && o.audio != nil && s.audio.track.SameParameters(o.audio.track))
}

func (s *trackSet) same(o *trackSet) bool { return s.sameVideo(o) && s.sameAudio(o) }

// describe fills info and data from the parameters of the tracks.
func (s *trackSet) describe() error {
	var init fmp4.Init
	if s.video != nil {
		if err := s.describeVideo(); err != nil {
			return err
		}
		init.Tracks = append(init.Tracks, &fmp4.InitTrack{
			ID: videoTrackID, TimeScale: uint32(media.TicksPerSecond), Codec: &codecs.H264{SPS: s.video.SPS, PPS: s.video.PPS},
		})
	}
	if s.audio != nil {
		if s.info.Codecs != "" {
			s.info.Codecs += ","
		}
		s.info.Codecs += aacCodec(s.audio.track.Audio)
		init.Tracks = append(init.Tracks, &fmp4.InitTrack{
			ID: audioTrackID, TimeScale: uint32(s.audio.rate), Codec: &codecs.MPEG4Audio{Config: *s.audio.track.Audio},
		})
	}
	var buf seekablebuffer.Buffer
	if err := init.Marshal(&buf); err != nil {
		return err
	}
	ftyp := binary.BigEndian.Uint32(buf.Bytes())
	s.data = bytes.Join([][]byte{brands, buf.Bytes()[ftyp:]}, nil)
	return nil
}

// describeVideo takes what the SPS says. CODECS come from it too, as what a publisher announces may differ.
func (s *trackSet) describeVideo() error {
	var sps h264.SPS
	if len(s.video.SPS) < 4 || len(s.video.PPS) == 0 {
		return fmt.Errorf("H264 parameter sets are missing")
	}
	if err := sps.Unmarshal(s.video.SPS); err != nil {
		return fmt.Errorf("H264 SPS: %w", err)
	}
	s.info.Width, s.info.Height = sps.Width(), sps.Height()
	if s.info.Width <= 0 || s.info.Height <= 0 || s.info.Width > math.MaxUint16 || s.info.Height > math.MaxUint16 {
		return fmt.Errorf("H264 SPS: a picture of %d x %d", s.info.Width, s.info.Height)
	}
	if fps := sps.FPS(); fps >= 1 && fps <= 240 {
		s.info.FrameRate = fps
	}
	s.info.Codecs = fmt.Sprintf("avc1.%02x%02x%02x", s.video.SPS[1], s.video.SPS[2], s.video.SPS[3])
	return nil
}

// aacCodec is the RFC 6381 name of an AAC track, by its highest object type.
func aacCodec(c *mpeg4audio.AudioSpecificConfig) string {
	t := c.Type
	if c.ExtensionType != 0 {
		t = c.ExtensionType
	}
	return fmt.Sprintf("mp4a.40.%d", t)
}
