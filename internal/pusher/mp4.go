package pusher

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/pmp4"
)

var errNotMP4 = errors.New("pusher: not an MP4 file with H264, HEVC or AV1 and AAC")

// ReadMP4 reads a film that FLV has no tags for: HEVC and AV1 become tags of Enhanced RTMP. H264 does too, so that the
// whole clothing can be tried with what every decoder takes. The decoder configurations are those of the file.
func ReadMP4(b []byte) (*Film, error) {
	var p pmp4.Presentation
	if err := p.Unmarshal(bytes.NewReader(b)); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotMP4, err)
	}
	f := &Film{}
	for _, t := range p.Tracks {
		if err := f.addTrack(t, b); err != nil {
			return nil, err
		}
	}
	if len(f.start) == 0 || len(f.tags) < 2 {
		return nil, errNotMP4
	}
	slices.SortStableFunc(f.tags, func(x, y tag) int { return int(x.at - y.at) })
	if early := f.tags[0].at; early < 0 { // B-frames: the first picture is decoded before it is shown
		for i := range f.tags {
			f.tags[i].at -= early
		}
	}
	f.measure()
	return f, nil
}

// clothing is how the samples of a track are dressed as tags.
type clothing struct {
	typeID  byte
	config  []byte               // the whole tag
	key     []byte               // the header of the others
	inter   []byte               // likewise
	reorder func(cts int) []byte // follows the header; nil for none
}

func (f *Film) addTrack(t *pmp4.Track, file []byte) error {
	c, err := dress(t, file)
	if err != nil {
		return err
	}
	f.start = append(f.start, tag{typeID: c.typeID, body: c.config})
	scale := func(v int64) time.Duration { return time.Duration(v) * time.Second / time.Duration(t.TimeScale) }
	dts := int64(t.TimeOffset)
	for _, s := range t.Samples {
		payload, err := s.GetPayload()
		if err != nil {
			return err
		}
		body := slices.Clone(c.key)
		if s.IsNonSyncSample {
			body = slices.Clone(c.inter)
		}
		if c.reorder != nil {
			body = append(body, c.reorder(int(scale(int64(s.PTSOffset)).Milliseconds()))...)
		}
		f.tags = append(f.tags, tag{typeID: c.typeID, at: scale(dts), body: append(body, payload...)})
		dts += int64(s.Duration)
	}
	return nil
}

func dress(t *pmp4.Track, file []byte) (clothing, error) {
	const audio, video = 8, 9
	var fourCC, record string
	reorder := offset
	switch codec := t.Codec.(type) {
	case *codecs.MPEG4Audio:
		config, err := codec.Config.Marshal()
		if err != nil {
			return clothing{}, err
		}
		header := []byte{0xAF, 1}
		return clothing{typeID: audio, config: append([]byte{0xAF, 0}, config...), key: header, inter: header}, nil
	case *codecs.H264:
		fourCC, record = "avc1", "avcC"
	case *codecs.H265:
		fourCC, record = "hvc1", "hvcC"
	case *codecs.AV1:
		fourCC, record, reorder = "av01", "av1C", nil
	default:
		return clothing{}, fmt.Errorf("%w: %T", errNotMP4, t.Codec)
	}
	configuration, err := box(file, record)
	if err != nil {
		return clothing{}, err
	}
	const sequenceStart, codedFrames, key, inter = 0x80, 0x81, 0x10, 0x20
	return clothing{
		typeID: video, config: slices.Concat([]byte{sequenceStart | key}, []byte(fourCC), configuration),
		key: append([]byte{codedFrames | key}, fourCC...), inter: append([]byte{codedFrames | inter}, fourCC...), reorder: reorder,
	}, nil
}

// offset is a composition offset in milliseconds.
func offset(cts int) []byte { return []byte{byte(cts >> 16), byte(cts >> 8), byte(cts)} }

// box returns what the first box of a type holds, wherever it stands.
func box(file []byte, boxType string) ([]byte, error) {
	const header = 8
	at := bytes.Index(file, []byte(boxType)) - 4
	if at < 0 {
		return nil, fmt.Errorf("%w: no %s", errNotMP4, boxType)
	}
	size := int(binary.BigEndian.Uint32(file[at:]))
	if size < header || size > len(file)-at {
		return nil, fmt.Errorf("%w: %s is cut short", errNotMP4, boxType)
	}
	return file[at+header : at+size], nil
}
