// Package mediatest makes of what an encoder wrote the samples that a publisher would send: for tests of the media path.
package mediatest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"
	tscodecs "github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts/codecs"

	"github.com/vitrine-live/vitrine/media"
)

// ReadTS reads the tracks and samples of an MPEG-TS file with H264 or HEVC and AAC: the first IDR has PTS 0, and the samples
// are in the order of decoding.
func ReadTS(t testing.TB, stream []byte) (tracks []media.Track, samples []media.Sample) {
	t.Helper()
	r := &mpegts.Reader{R: bytes.NewReader(stream)}
	if err := r.Initialize(); err != nil {
		t.Fatal(err)
	}
	video := media.Track{}
	picture := func(codec media.Codec) func(pts, dts int64, au [][]byte) error {
		video.Codec = codec
		return func(pts, dts int64, au [][]byte) error {
			samples = append(samples, accessUnit(&video, pts, dts, au))
			return nil
		}
	}
	for _, track := range r.Tracks() {
		switch c := track.Codec.(type) {
		case *tscodecs.H264:
			r.OnDataH264(track, picture(media.H264))
		case *tscodecs.H265:
			r.OnDataH265(track, picture(media.HEVC))
		case *tscodecs.MPEG4Audio:
			tracks = append(tracks, media.Track{Codec: media.AAC, Audio: &c.Config})
			r.OnDataMPEG4Audio(track, func(pts int64, aus [][]byte) error {
				for i, au := range aus {
					at := media.Ticks(pts + int64(i)*1024*int64(media.TicksPerSecond)/int64(c.Config.SampleRate))
					samples = append(samples, media.Sample{Kind: media.Audio, PTS: at, DTS: at, Key: true, Payload: au})
				}
				return nil
			})
		}
	}
	for {
		if err := r.Read(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	Rebase(samples)
	return append(tracks, video), samples
}

// The NAL units that matter: H264 (ISO 14496-10, table 7-1) and HEVC (ISO 23008-2, table 7-1).
const (
	h264IDR, h264SPS, h264PPS                              = 5, 7, 8
	hevcFirstIRAP, hevcLastIRAP, hevcVPS, hevcSPS, hevcPPS = 16, 21, 32, 33, 34
)

// accessUnit makes a sample of NAL units, and notes the parameter sets among them.
func accessUnit(track *media.Track, pts, dts int64, au [][]byte) media.Sample {
	s := media.Sample{Kind: media.Video, PTS: media.Ticks(pts), DTS: media.Ticks(dts)}
	for _, nal := range au {
		set, key := look(track, nal)
		s.Key = s.Key || key
		if set != nil {
			*set = nal
			continue
		}
		s.Payload = append(binary.BigEndian.AppendUint32(s.Payload, uint32(len(nal))), nal...)
	}
	return s
}

// look tells where a parameter set is kept, nil for what is none, and whether a NAL unit can be decoded by itself.
func look(track *media.Track, nal []byte) (set *[]byte, key bool) {
	if track.Codec == media.HEVC {
		switch kind := nal[0] >> 1 & 0x3F; kind {
		case hevcVPS:
			return &track.VPS, false
		case hevcSPS:
			return &track.SPS, false
		case hevcPPS:
			return &track.PPS, false
		default:
			return nil, kind >= hevcFirstIRAP && kind <= hevcLastIRAP
		}
	}
	switch nal[0] & 0x1F {
	case h264SPS:
		return &track.SPS, false
	case h264PPS:
		return &track.PPS, false
	case h264IDR:
		return nil, true
	}
	return nil, false
}

// Rebase makes the PTS of the first IDR 0 and puts the samples in the order of decoding.
func Rebase(samples []media.Sample) {
	first := slices.IndexFunc(samples, func(s media.Sample) bool { return s.Kind == media.Video && s.Key })
	if first < 0 {
		return
	}
	origin := samples[first].PTS
	for i := range samples {
		samples[i].PTS -= origin
		samples[i].DTS -= origin
	}
	slices.SortStableFunc(samples, func(a, b media.Sample) int { return int(a.DTS - b.DTS) })
}
