package ts

import (
	"encoding/binary"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"github.com/vitrine-live/vitrine/media"
)

// Parameter sets of a 1280x720 High profile stream.
var (
	testSPS = []byte{
		0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x6c, 0x80, 0x00, 0x00, 0x03,
		0x00, 0x80, 0x00, 0x00, 0x1e, 0x07, 0x8c, 0x18, 0xcb,
	}
	testPPS = []byte{0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0}
)

const testRate = 48_000

var testAAC = mpeg4audio.AudioSpecificConfig{
	Type: mpeg4audio.ObjectTypeAACLC, SampleRate: testRate, ChannelConfig: 2, ChannelCount: 2, //nolint:staticcheck // read by the marshaller
}

// unit is one access unit of a test stream, in the publisher's words: show time, PTS >= DTS.
type unit struct {
	pts, dts media.Ticks
	nals     [][]byte // video
	aac      []byte   // audio
}

func (u *unit) key() bool { return len(u.nals) > 0 && u.nals[len(u.nals)-1][0]&0x1F == nalIDR }

func (u *unit) avcc() (b []byte) {
	for _, n := range u.nals {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(n))), n...)
	}
	return b
}

// makeInit makes an initialization segment as the packager does: video is track 1, audio track 2.
func makeInit(tb testing.TB, video, audio bool, sps, pps []byte, aac mpeg4audio.AudioSpecificConfig) []byte {
	tb.Helper()
	var in fmp4.Init
	if video {
		in.Tracks = append(in.Tracks, &fmp4.InitTrack{ID: 1, TimeScale: 90_000, Codec: &codecs.H264{SPS: sps, PPS: pps}})
	}
	if audio {
		in.Tracks = append(in.Tracks, &fmp4.InitTrack{
			ID: 2, TimeScale: uint32(aac.SampleRate), Codec: &codecs.MPEG4Audio{Config: aac},
		})
	}
	var buf seekablebuffer.Buffer
	if err := in.Marshal(&buf); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

// makePart makes one moof and mdat as the packager does: decode times later by reorder, offsets signed.
func makePart(tb testing.TB, video, audio []unit, reorder media.Ticks, rate int) []byte {
	tb.Helper()
	var p fmp4.Part
	if len(video) > 0 {
		t := &fmp4.PartTrack{ID: 1, BaseTime: uint64(video[0].dts + reorder)}
		for i := range video {
			u, duration := &video[i], media.Ticks(3000)
			if i+1 < len(video) {
				duration = video[i+1].dts - u.dts
			}
			t.Samples = append(t.Samples, &fmp4.Sample{
				Duration:        uint32(duration),
				PTSOffset:       int32(u.pts - u.dts - reorder),
				IsNonSyncSample: !u.key(),
				Payload:         u.avcc(),
			})
		}
		p.Tracks = append(p.Tracks, t)
	}
	if len(audio) > 0 {
		t := &fmp4.PartTrack{ID: 2, BaseTime: uint64(media.Rescale(audio[0].pts, int64(rate), 90_000))}
		for i := range audio {
			t.Samples = append(t.Samples, &fmp4.Sample{Duration: 1024, Payload: audio[i].aac})
		}
		p.Tracks = append(p.Tracks, t)
	}
	var buf seekablebuffer.Buffer
	if err := p.Marshal(&buf); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

// fakeVideo makes n access units from show time start on, one IDR first, with pictures of the given size in the
// decode order I P B B P B B ... when reorder is two frames.
func fakeVideo(start media.Ticks, n, size int, reorder media.Ticks) []unit {
	const frame = 3000
	var us []unit
	for i := range n {
		nal := make([]byte, size)
		for j := range nal {
			nal[j] = byte(i*7 + j*13 | 1)
		}
		nal[0] = 0x41
		if i == 0 {
			nal[0] = 0x65
		}
		dts := start + media.Ticks(i)*frame - reorder
		pts := start + media.Ticks(i)*frame
		if reorder > 0 && i > 0 { // each P is shown after the two Bs that follow it
			switch (i - 1) % 3 {
			case 0:
				pts += 2 * frame
			default:
				pts -= frame
			}
		}
		us = append(us, unit{pts: pts, dts: dts, nals: [][]byte{nal}})
	}
	return us
}

// fakeAudio makes n AAC frames; first counts frames of 1,024 samples since show time 0.
func fakeAudio(first, n, size int) []unit {
	var us []unit
	for i := range n {
		b := make([]byte, size)
		for j := range b {
			b[j] = byte((first+i)*3 + j*5)
		}
		t := media.Rescale(media.Ticks((first+i)*1024), 90_000, testRate)
		us = append(us, unit{pts: t, dts: t, aac: b})
	}
	return us
}
