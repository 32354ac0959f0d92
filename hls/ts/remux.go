// Package ts makes MPEG-TS segments (ISO 13818-1) from CMAF segments, so that one packaged show also serves players
// that know no fragmented MP4. It is pure: bytes in, bytes out.
//
// The reader of segments (internal/bmff) and the writer of packets are our own. go-astits, and mediacommon's writer on
// top of it, can set discontinuity_indicator on elementary streams but not on the PAT and PMT, which here start anew in
// every segment as well; and they build each packet bit field by bit field, at a fifth of the rate, where every segment
// of every show may be asked for as MPEG-TS. Parsing the run boxes by reflection alone costs half of what Remux does.
// The initialization segment, parsed once, is left to mediacommon.
package ts

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"github.com/vitrine-live/vitrine/media"
)

const (
	// timeOffset is added to show time, so that DTS and PCR, which run ahead of PTS, never fall below zero.
	timeOffset = 10 * media.TicksPerSecond
	// pcrLead is how long before its decode time the first byte of an access unit arrives, by the program clock.
	pcrLead = media.TicksPerSecond / 2
)

// Remux makes one MPEG-TS segment from one CMAF segment. init is the initialization segment with at most one H264 and
// one AAC track, segment the moof and mdat boxes, reorder what playlist.Init says: by how much the file's video decode
// times are later than the publisher's.
//
// A PTS is the show time of the file plus 10 s, modulo 2^33. The segment starts with PAT and PMT, and the first packet
// of each PID sets discontinuity_indicator, so that segments stand alone and may follow each other in any order.
// It returns an error when the boxes are malformed or the codecs are others. Safe for concurrent use.
func Remux(init, segment []byte, reorder media.Ticks) ([]byte, error) {
	r, err := New(init, reorder)
	if err != nil {
		return nil, err
	}
	return r.Remux(segment)
}

// Remuxer is Remux with the initialization segment parsed once. It is immutable and safe for concurrent use.
type Remuxer struct {
	video   *videoTrack
	audio   *audioTrack
	reorder media.Ticks
}

// videoTrack is the H264 track of an initialization segment.
type videoTrack struct {
	id        uint32
	timescale int64
	params    []byte // SPS and PPS in Annex B form
}

// audioTrack is the AAC track of an initialization segment.
type audioTrack struct {
	id        uint32
	timescale int64
	adts      [adtsSize]byte // header of an empty frame
}

// New parses an initialization segment. See Remux.
func New(init []byte, reorder media.Ticks) (*Remuxer, error) {
	var in fmp4.Init
	if err := in.Unmarshal(bytes.NewReader(init)); err != nil {
		return nil, fmt.Errorf("ts: initialization segment: %w", err)
	}
	if reorder < 0 || reorder > timeOffset-pcrLead {
		return nil, fmt.Errorf("ts: reorder of %d ticks", reorder)
	}
	r := &Remuxer{reorder: reorder}
	for _, t := range in.Tracks {
		if err := r.addTrack(t); err != nil {
			return nil, fmt.Errorf("ts: initialization segment: %w", err)
		}
	}
	if r.video == nil && r.audio == nil {
		return nil, errors.New("ts: initialization segment: no track")
	}
	return r, nil
}

func (r *Remuxer) addTrack(t *fmp4.InitTrack) error {
	switch c := t.Codec.(type) {
	case *codecs.H264:
		if r.video != nil {
			return errors.New("more than one video track")
		}
		params := appendNAL(appendNAL(nil, c.SPS), c.PPS)
		r.video = &videoTrack{id: uint32(t.ID), timescale: int64(t.TimeScale), params: params}
	case *codecs.MPEG4Audio:
		if r.audio != nil {
			return errors.New("more than one audio track")
		}
		adts, err := adtsTemplate(&c.Config)
		if err != nil {
			return err
		}
		r.audio = &audioTrack{id: uint32(t.ID), timescale: int64(t.TimeScale), adts: adts}
	default:
		return fmt.Errorf("codec %T has no place in MPEG-TS here", t.Codec)
	}
	return nil
}

// adtsTemplate makes the ADTS header of an empty frame.
func adtsTemplate(c *mpeg4audio.AudioSpecificConfig) (h [adtsSize]byte, err error) {
	if c.ChannelConfig == 0 && c.ChannelCount == 0 { //nolint:staticcheck // older configurations carry the count alone
		return h, errors.New("AAC channel layout by program config element")
	}
	b, err := mpeg4audio.ADTSPackets{{
		Type:          c.Type,
		SampleRate:    c.SampleRate,
		ChannelConfig: c.ChannelConfig,
		ChannelCount:  c.ChannelCount, //nolint:staticcheck // as above
	}}.Marshal()
	copy(h[:], b)
	return h, err
}

// Remux makes one MPEG-TS segment from one CMAF segment. See the function Remux.
func (r *Remuxer) Remux(segment []byte) ([]byte, error) {
	s, err := r.readSegment(segment)
	if err != nil {
		return nil, fmt.Errorf("ts: segment: %w", err)
	}
	w := newWriter(r, len(segment), len(s.video)+len(s.audio))
	for len(s.video) > 0 || len(s.audio) > 0 {
		if err := r.writeNext(w, s); err != nil {
			return nil, fmt.Errorf("ts: segment: %w", err)
		}
	}
	return w.out, nil
}

// writeNext writes the unit whose time comes next: a video access unit by its DTS, audio by its PTS.
func (r *Remuxer) writeNext(w *writer, s *segment) error {
	if len(s.video) > 0 && (len(s.audio) == 0 || s.video[0].dts <= s.audio[0].pts) {
		u := &s.video[0]
		s.video = s.video[1:]
		return w.writeVideo(u, r.video.params)
	}
	n := audioGroup(s.audio)
	group := s.audio[:n]
	s.audio = s.audio[n:]
	return w.writeAudio(group, r.audio.adts)
}
