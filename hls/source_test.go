package hls

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// Parameter sets of x264 for pictures of 1280 x 720 and 320 x 180.
var (
	sps720 = unhex("6764001facd9405005bb0110000003001000000303c0f1831960")
	sps180 = unhex("6764000dacd941419f9f0110000003001000000303c0f1429960")
	pps    = unhex("68ebe3cb22c0")
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func videoTrack() media.Track { return media.Track{Codec: media.H264, SPS: sps720, PPS: pps} }

func otherVideoTrack() media.Track { return media.Track{Codec: media.H264, SPS: sps180, PPS: pps} }

func audioTrackOf(rate int) media.Track {
	return media.Track{Codec: media.AAC, Audio: &mpeg4audio.AudioSpecificConfig{
		Type: mpeg4audio.ObjectTypeAACLC, SampleRate: rate, ChannelConfig: 2,
	}}
}

// payload is unique by its number, so that a sample can be found again.
func payload(n uint32, size int) []byte {
	b := make([]byte, max(size, 8))
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	binary.BigEndian.PutUint32(b[4:], n)
	return b
}

// payloadNumber is 0 for silence, which the packager put in.
func payloadNumber(b []byte) uint32 {
	if len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint32(b[4:])
}

// collector is a Sink that keeps everything and checks the order of calls and what they say of each other.
type collector struct {
	t        fataler
	inits    []playlist.Init
	initData map[int][]byte
	rates    map[int]int64 // of sound, by init
	segments []playlist.Segment
	bytes    map[int64][]byte
	open     *playlist.Segment

	follows bool // initialization segments are numbered by segments
}

// fataler is a testing.T or a rapid.T.
type fataler interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func newCollector(t fataler) *collector {
	return &collector{t: t, initData: map[int][]byte{}, rates: map[int]int64{}, bytes: map[int64][]byte{}}
}

func (c *collector) OnInit(init playlist.Init, data []byte) {
	if n := len(c.inits); n > 0 && init.Number != c.inits[n-1].Number+1 && (!c.follows || init.Number <= c.inits[n-1].Number) {
		c.t.Fatalf("init %d follows %d", init.Number, c.inits[n-1].Number)
	}
	c.inits = append(c.inits, init)
	c.initData[init.Number] = data
	c.rates[init.Number] = audioRate(c.t, data)
}

func (c *collector) OnPart(seg playlist.Segment, part playlist.Part, data []byte) {
	if c.initData[seg.Init] == nil && !part.Gap {
		c.t.Fatalf("part of segment %d before init %d", seg.MSN, seg.Init)
	}
	if part.Offset != int64(len(c.bytes[seg.MSN])) || part.Size != int64(len(data)) || part.Index != len(seg.Parts)-1 || seg.Parts[part.Index] != part {
		c.t.Fatalf("part %+v of segment %+v", part, seg)
	}
	if c.open != nil && (c.open.MSN != seg.MSN || len(c.open.Parts) != part.Index) {
		c.t.Fatalf("part %d of segment %d follows segment %d with %d parts", part.Index, seg.MSN, c.open.MSN, len(c.open.Parts))
	}
	c.bytes[seg.MSN] = append(c.bytes[seg.MSN], data...)
	c.open = &seg
}

func (c *collector) OnSegment(seg playlist.Segment) {
	if c.open == nil || c.open.MSN != seg.MSN || seg.Size != int64(len(c.bytes[seg.MSN])) {
		c.t.Fatalf("segment %+v after %+v", seg, c.open)
	}
	c.segments = append(c.segments, seg)
	c.open = nil
}

// packaged is a sample read back from segments.
type packaged struct {
	msn       int64
	track     int
	number    uint32
	dts, pts  int64 // in the timescale of the track
	duration  int64
	key       bool
	payload   []byte
	partIndex int
}

// samples reads all segments back.
func (c *collector) samples() (out []packaged) {
	for _, seg := range c.segments {
		var parts fmp4.Parts
		if err := parts.Unmarshal(c.bytes[seg.MSN]); err != nil {
			c.t.Fatalf("segment %d: %v", seg.MSN, err)
		}
		if n := present(seg.Parts); len(parts) != n {
			c.t.Fatalf("segment %d: %d fragments, %d parts", seg.MSN, len(parts), n)
		}
		for i, part := range parts {
			for _, tr := range part.Tracks {
				at := int64(tr.BaseTime)
				for _, s := range tr.Samples {
					out = append(out, packaged{
						msn: seg.MSN, track: tr.ID, number: payloadNumber(s.Payload), dts: at, pts: at + int64(s.PTSOffset),
						duration: int64(s.Duration), key: !s.IsNonSyncSample, payload: s.Payload, partIndex: i,
					})
					at += int64(s.Duration)
				}
			}
		}
	}
	return out
}

// present counts the parts that are no gaps.
func present(parts []playlist.Part) (n int) {
	for _, p := range parts {
		if !p.Gap {
			n++
		}
	}
	return n
}

// wallStart is when the shows of the tests begin.
var wallStart = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// gop writes pictures and sound of a plain publisher: fps pictures a second without B-frames, an IDR every gop
// pictures, sound of 48 kHz interleaved by time.
type plainSource struct {
	fps, gop      int
	audio         bool
	size, audSize int

	number  uint32
	frame   int
	samples int64
	origin  media.Ticks
}

func (s *plainSource) run(t testing.TB, p *Packager, frames int) {
	for range frames {
		at := s.origin + media.Ticks(s.frame)*media.TicksPerSecond/media.Ticks(s.fps)
		for s.audio {
			pts := s.origin + media.Ticks(s.samples)*media.TicksPerSecond/48_000
			if pts > at {
				break
			}
			s.write(t, p, media.Sample{Kind: media.Audio, PTS: pts, DTS: pts, Key: true, Payload: payload(s.next(), s.audSize)})
			s.samples += 1024
		}
		s.write(t, p, media.Sample{Kind: media.Video, PTS: at, DTS: at, Key: s.frame%s.gop == 0, Payload: payload(s.next(), s.size)})
		s.frame++
	}
}

func (s *plainSource) next() uint32 {
	s.number++
	return s.number
}

func (s *plainSource) write(t testing.TB, p *Packager, sample media.Sample) {
	if err := p.Write(sample); err != nil {
		t.Fatal(err)
	}
}

func TestPackagerPlain(t *testing.T) {
	c := newCollector(t)
	p := NewPackager(Config{}, Resume{}, c, nil, nil)
	p.StartEpoch(media.Epoch{Wall: wallStart})
	if err := p.SetTracks([]media.Track{videoTrack(), audioTrackOf(48_000)}); err != nil {
		t.Fatal(err)
	}
	src := plainSource{fps: 30, gop: 60, audio: true, size: 1000, audSize: 100}
	src.run(t, p, 300)
	if end := p.EndEpoch(); end < 10*media.TicksPerSecond || end > 10*media.TicksPerSecond+2000 {
		t.Errorf("ended at %d", end)
	}
	if len(c.segments) != 5 {
		t.Fatalf("%d segments", len(c.segments))
	}
	for i, s := range c.segments {
		if s.MSN != int64(i) || s.Duration != 180_000 && i < 4 || len(s.Parts) != 4 || !s.Independent || s.TargetDuration != 2 || s.Discontinuity {
			t.Errorf("%+v", s)
		}
	}
	// The sound that came before the first picture is left out; silence takes its place, and that of the sound of the
	// last picture.
	all := c.samples()
	kept := slices.DeleteFunc(slices.Clone(all), func(s packaged) bool { return s.number == 0 })
	if len(kept) != int(src.number)-1 || len(all) > len(kept)+3 {
		t.Errorf("%d samples and %d of silence, wrote %d", len(kept), len(all)-len(kept), src.number)
	}
}

// audioRate is the timescale of the sound.
func audioRate(t fataler, data []byte) int64 {
	var init fmp4.Init
	if err := init.Unmarshal(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	for _, tr := range init.Tracks {
		if tr.ID == audioTrackID {
			return int64(tr.TimeScale)
		}
	}
	return 0
}
