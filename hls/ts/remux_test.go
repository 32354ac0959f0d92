package ts

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/asticode/go-astits"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"
	tscodecs "github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts/codecs"
	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/media"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const wrap33 = 1<<33 - 1

// demuxed is what a reader of MPEG-TS finds.
type demuxed struct {
	video, audio []unit
	tracks       []*mpegts.Track
}

func demux(t *testing.T, b []byte) demuxed {
	t.Helper()
	r := &mpegts.Reader{R: bytes.NewReader(b)}
	if err := r.Initialize(); err != nil {
		t.Fatal(err)
	}
	r.OnDecodeError(func(err error) { t.Errorf("decode error: %v", err) })
	d := demuxed{tracks: r.Tracks()}
	for _, track := range d.tracks {
		switch c := track.Codec.(type) {
		case *tscodecs.H264:
			r.OnDataH264(track, func(pts, dts int64, au [][]byte) error {
				d.video = append(d.video, unit{pts: media.Ticks(pts), dts: media.Ticks(dts), nals: au})
				return nil
			})
		case *tscodecs.MPEG4Audio:
			r.OnDataMPEG4Audio(track, func(pts int64, aus [][]byte) error {
				for i, au := range aus {
					at := media.Ticks(pts) + media.Rescale(media.Ticks(i*1024), 90_000, int64(c.SampleRate))
					d.audio = append(d.audio, unit{pts: at, dts: at, aac: au})
				}
				return nil
			})
		}
	}
	for {
		if err := r.Read(); errors.Is(err, io.EOF) {
			return d
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// want is a test stream as it should come out of MPEG-TS.
func want(us []unit, sps, pps []byte) (out []unit) {
	for _, u := range us {
		u.pts, u.dts = (u.pts+timeOffset)&wrap33, (u.dts+timeOffset)&wrap33
		if len(u.nals) > 0 {
			var nals [][]byte // without the delimiter, which mediacommon takes off again
			if u.key() && u.nals[0][0]&0x1F != nalSPS {
				nals = append(nals, sps, pps)
			}
			u.nals = append(nals, u.nals...)
		}
		out = append(out, u)
	}
	return out
}

func checkUnits(t *testing.T, kind string, got, want []unit) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d %s units, want %d", len(got), kind, len(want))
	}
	for i := range got {
		g, w := &got[i], &want[i]
		// Only the first frame of a PES packet has a timestamp, the others' are counted: off by a rounding.
		if d := g.pts - w.pts; d < -1 || d > 1 || (kind == "video" && d != 0) {
			t.Fatalf("%s unit %d: PTS %d, want %d", kind, i, g.pts, w.pts)
		}
		if kind == "video" && g.dts != w.dts {
			t.Fatalf("video unit %d: DTS %d, want %d", i, g.dts, w.dts)
		}
		if !slices.EqualFunc(w.nals, g.nals, bytes.Equal) {
			t.Fatalf("video unit %d: %d NAL units, want %d, or they differ", i, len(g.nals), len(w.nals))
		}
		if !bytes.Equal(g.aac, w.aac) {
			t.Fatalf("audio unit %d differs", i)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for name, c := range map[string]struct {
		start   media.Ticks
		video   []unit
		audio   []unit
		reorder media.Ticks
	}{
		"video and audio": {video: fakeVideo(0, 60, 10_000, 0), audio: fakeAudio(0, 94, 341)},
		"B-frames":        {video: fakeVideo(0, 61, 3_000, 6000), audio: fakeAudio(0, 94, 341), reorder: 6000},
		"video only":      {video: fakeVideo(900_000, 30, 70_000, 0)},
		"audio only":      {audio: fakeAudio(1000, 94, 200)},
		"tiny":            {video: fakeVideo(0, 3, 2, 0), audio: fakeAudio(0, 2, 1)},
		"long AAC frames": {audio: fakeAudio(0, 20, 5_000)},
		"33-bit wrap": {
			video: fakeVideo(wrap33+1-timeOffset-45_000, 60, 500, 0),
			audio: fakeAudio(4_581_000_000/1000, 5, 100),
		},
	} {
		t.Run(name, func(t *testing.T) {
			init := makeInit(t, len(c.video) > 0, len(c.audio) > 0, testSPS, testPPS, testAAC)
			var seg []byte
			if len(c.video) > 10 { // several parts
				v, a := len(c.video)/2, len(c.audio)/2
				seg = makePart(t, c.video[:v], c.audio[:a], c.reorder, testRate)
				seg = append(seg, makePart(t, c.video[v:], c.audio[a:], c.reorder, testRate)...)
			} else {
				seg = makePart(t, c.video, c.audio, c.reorder, testRate)
			}
			out, err := Remux(init, seg, c.reorder)
			if err != nil {
				t.Fatal(err)
			}
			checkPackets(t, out, len(c.video) > 0)
			d := demux(t, out)
			checkUnits(t, "video", d.video, want(c.video, testSPS, testPPS))
			checkUnits(t, "audio", d.audio, want(c.audio, nil, nil))
		})
	}
}

// checkPackets checks the rules of the transport layer that a demuxer does not insist on.
func checkPackets(t *testing.T, b []byte, hasVideo bool) {
	t.Helper()
	if len(b)%packetSize != 0 {
		t.Fatalf("%d bytes are no whole packets", len(b))
	}
	clockPID := uint16(pidAudio)
	if hasVideo {
		clockPID = pidVideo
	}
	dmx := astits.NewDemuxer(t.Context(), bytes.NewReader(b))
	counters, lastPCR := map[uint16]uint8{}, int64(-1)
	for i := 0; ; i++ {
		p, err := dmx.NextPacket()
		if errors.Is(err, astits.ErrNoMorePackets) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		h, a := p.Header, p.AdaptationField
		if i == 0 && h.PID != pidPAT || i == 1 && h.PID != pidPMT {
			t.Errorf("packet %d has PID %#x", i, h.PID)
		}
		last, seen := counters[h.PID]
		discontinuity := a != nil && a.DiscontinuityIndicator
		if discontinuity == seen {
			t.Errorf("packet %d of PID %#x: discontinuity_indicator %v, seen before %v", i, h.PID, discontinuity, seen)
		}
		switch {
		case !seen:
		case h.HasPayload && h.ContinuityCounter != (last+1)&0x0F:
			t.Errorf("packet %d of PID %#x: counter %d after %d", i, h.PID, h.ContinuityCounter, last)
		case !h.HasPayload && h.ContinuityCounter != last:
			t.Errorf("packet %d of PID %#x: counter %d moved without payload", i, h.PID, h.ContinuityCounter)
		}
		counters[h.PID] = h.ContinuityCounter
		if h.PID == pidVideo && h.PayloadUnitStartIndicator {
			if head := 9 + int(p.Payload[8]); !bytes.HasPrefix(p.Payload[head:], accessUnitDelimiter) {
				t.Errorf("packet %d: access unit starts with % x", i, p.Payload[head:head+6])
			}
		}
		if a == nil || !a.HasPCR {
			continue
		}
		if h.PID != clockPID {
			t.Errorf("PCR on PID %#x", h.PID)
		}
		if step := (a.PCR.Base - lastPCR) & wrap33; lastPCR >= 0 && (step <= 0 || step > 9000) {
			t.Errorf("packet %d: PCR step of %d ticks", i, step)
		}
		lastPCR = a.PCR.Base
	}
}

func TestOwnParameterSetsAreNotDoubled(t *testing.T) {
	v := fakeVideo(0, 2, 100, 0)
	otherPPS := []byte{0x68, 0xee, 0x3c, 0x80}
	v[0].nals = [][]byte{{nalAUD, 0x10}, testSPS, otherPPS, {}, v[0].nals[0]}
	out, err := Remux(makeInit(t, true, false, testSPS, testPPS, testAAC), makePart(t, v, nil, 0, testRate), 0)
	if err != nil {
		t.Fatal(err)
	}
	got := demux(t, out).video[0].nals
	if diff := cmp.Diff([][]byte{testSPS, otherPPS, v[0].nals[4]}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRandomAccessIndicatorMarksIDR(t *testing.T) {
	v := fakeVideo(0, 5, 400, 0)
	v[3].nals[0][0] = 0x65
	out, err := Remux(makeInit(t, true, false, testSPS, testPPS, testAAC), makePart(t, v, nil, 0, testRate), 0)
	if err != nil {
		t.Fatal(err)
	}
	dmx := astits.NewDemuxer(t.Context(), bytes.NewReader(out))
	var starts []bool
	for {
		p, err := dmx.NextPacket()
		if err != nil {
			break
		}
		if p.Header.PID == pidVideo && p.Header.PayloadUnitStartIndicator {
			starts = append(starts, p.AdaptationField.RandomAccessIndicator)
		}
	}
	if diff := cmp.Diff([]bool{true, false, false, true, false}, starts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A slide show still needs a PCR every 100 ms.
func TestClockRunsWithoutPictures(t *testing.T) {
	v := fakeVideo(0, 3, 400, 0)
	for i := range v {
		v[i].pts, v[i].dts = media.Ticks(i)*90_000, media.Ticks(i)*90_000
	}
	out, err := Remux(makeInit(t, true, true, testSPS, testPPS, testAAC), makePart(t, v, fakeAudio(0, 90, 300), 0, testRate), 0)
	if err != nil {
		t.Fatal(err)
	}
	checkPackets(t, out, true)
}

func TestAudioIsInterleavedByTime(t *testing.T) {
	out, err := Remux(makeInit(t, true, true, testSPS, testPPS, testAAC),
		makePart(t, fakeVideo(0, 60, 2000, 0), fakeAudio(0, 94, 300), 0, testRate), 0)
	if err != nil {
		t.Fatal(err)
	}
	dmx := astits.NewDemuxer(t.Context(), bytes.NewReader(out))
	var video int64
	var groups int
	for {
		d, err := dmx.NextData()
		if err != nil {
			break
		}
		switch {
		case d.PES == nil:
		case d.PID == pidVideo:
			video = d.PES.Header.OptionalHeader.PTS.Base
		default:
			groups++
			// The demuxer hands a picture out when the next one begins.
			if lag := d.PES.Header.OptionalHeader.PTS.Base - video; video > 0 && (lag < -9000 || lag > 9000) {
				t.Errorf("sound of %d beside the picture of %d", video+lag, video)
			}
		}
	}
	if groups < 19 || groups > 25 {
		t.Errorf("%d PES packets for 2 s of sound", groups)
	}
}

func TestGolden(t *testing.T) {
	out, err := Remux(makeInit(t, true, true, testSPS, testPPS, testAAC),
		makePart(t, fakeVideo(90_000, 4, 150, 6000), fakeAudio(47, 3, 40), 6000, testRate), 6000)
	if err != nil {
		t.Fatal(err)
	}
	got := []byte(hex.Dump(out))
	path := filepath.Join("testdata", "golden.hex")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	wanted, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(wanted), string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBandwidthIsNeverBelow(t *testing.T) {
	for _, size := range []int{2, 30, 150, 200, 1000, 10_000} {
		init := makeInit(t, true, true, testSPS, testPPS, testAAC)
		var seg []byte
		v, a := fakeVideo(0, 120, size, 0), fakeAudio(0, 94, 171)
		for i := range v {
			v[i].pts, v[i].dts = media.Ticks(i)*1500, media.Ticks(i)*1500
		}
		for i := range 4 {
			seg = append(seg, makePart(t, v[30*i:30*i+30], a[23*i:23*i+23], 0, testRate)...)
		}
		out, err := Remux(init, seg, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, limit := len(out)*8/2, Bandwidth(len(seg)*8/2); got > limit {
			t.Errorf("pictures of %d bytes: %d bit/s, said %d", size, got, limit)
		}
	}
}

func TestMalformed(t *testing.T) {
	init := makeInit(t, true, true, testSPS, testPPS, testAAC)
	good := makePart(t, fakeVideo(0, 4, 100, 0), fakeAudio(0, 3, 40), 0, testRate)
	if _, err := Remux(init, good, 0); err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if _, err := Remux(init, good[:n], 0); err == nil {
			t.Fatalf("no error for a segment cut at byte %d of %d", n, len(good))
		}
	}
	bad := func(name string, init, seg []byte) {
		if out, err := Remux(init, seg, 0); err == nil {
			t.Errorf("%s: no error, %d bytes", name, len(out))
		}
	}
	bad("no initialization segment", nil, good)
	bad("no track", makeInit(t, false, false, nil, nil, testAAC), good)
	bad("no segment", init, nil)
	long := bytes.Clone(good)
	i := bytes.Index(long, []byte("mdat")) + 4
	long[i] = 0xFF // NAL unit length
	bad("NAL unit beyond its sample", init, long)
	many := bytes.Clone(good)
	i = bytes.Index(many, []byte("trun")) + 8
	many[i] = 0xFF // sample_count
	bad("too many samples", init, many)
	if _, err := New(init, -1); err == nil {
		t.Error("a negative reorder is taken")
	}
}
