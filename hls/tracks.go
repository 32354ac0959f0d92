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
		case s.video == nil && (t.Codec == media.H264 || t.Codec == media.HEVC || t.Codec == media.AV1):
			s.video = t
		case t.Codec == media.AAC && s.audio == nil:
			if t.Audio == nil || t.Audio.SampleRate <= 0 {
				return nil, errs.New(errs.Invalid, op, "the AAC track has no configuration")
			}
			s.audio = newAudioTrack(t)
		default:
			return nil, errs.New(errs.Invalid, op, "a show has one H264, HEVC or AV1 track and one AAC track, got another of %v", t.Codec)
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
		codec, err := s.describeVideo()
		if err != nil {
			return err
		}
		init.Tracks = append(init.Tracks, &fmp4.InitTrack{ID: videoTrackID, TimeScale: uint32(media.TicksPerSecond), Codec: codec})
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
	if s.video != nil && s.video.Codec == media.HEVC {
		completeHvcC(s.data, s.video)
	}
	return nil
}

// describeVideo takes what the parameter sets say. CODECS come from them too, as what a publisher announces may differ.
func (s *trackSet) describeVideo() (codecs.Codec, error) {
	v := s.video
	switch v.Codec {
	case media.HEVC:
		return &codecs.H265{VPS: v.VPS, SPS: v.SPS, PPS: v.PPS}, s.describeHEVC()
	case media.AV1:
		return &codecs.AV1{SequenceHeader: v.SequenceHeader}, s.describeAV1()
	}
	return &codecs.H264{SPS: v.SPS, PPS: v.PPS}, s.describeH264()
}

func (s *trackSet) describeH264() error {
	var sps h264.SPS
	if len(s.video.SPS) < 4 || len(s.video.PPS) == 0 {
		return fmt.Errorf("H264 parameter sets are missing")
	}
	if err := sps.Unmarshal(s.video.SPS); err != nil {
		return fmt.Errorf("H264 SPS: %w", err)
	}
	s.info.Codecs = fmt.Sprintf("avc1.%02x%02x%02x", s.video.SPS[1], s.video.SPS[2], s.video.SPS[3])
	return s.describePicture("H264", sps.Width(), sps.Height(), sps.FPS())
}

// describePicture keeps the size after cropping, and the frame rate if it can be one.
func (s *trackSet) describePicture(codec string, width, height int, fps float64) error {
	if width <= 0 || height <= 0 || width > math.MaxUint16 || height > math.MaxUint16 {
		return fmt.Errorf("%s parameters: a picture of %d x %d", codec, width, height)
	}
	s.info.Width, s.info.Height = width, height
	if fps >= 1 && fps <= 240 {
		s.info.FrameRate = fps
	}
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
