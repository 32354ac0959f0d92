package transcode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/transcode/nut"
)

// film is one track as a publisher sends it.
type film struct {
	track   media.Track
	samples []media.Sample
}

// filmStart is where the clock of a film begins: anywhere, as publishers' clocks do.
const filmStart media.Ticks = 1<<33 - 5*media.TicksPerSecond

var codecs = map[string]media.Codec{nut.TagH264: media.H264, nut.TagHEVC: media.HEVC, nut.TagAV1: media.AV1, nut.TagVP8: media.VP8, nut.TagOpus: media.Opus}

// readFilm has ffmpeg make a film of one track; args follow the input, as in "-f lavfi -i testsrc2 -c:v libx264".
func readFilm(t testing.TB, args string) film {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("ffmpeg", append(append([]string{"-nostdin", "-v", "error"}, strings.Fields(args)...), "-f", "nut", "pipe:1")...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg %s: %v: %s", args, err, stderr.String())
	}
	d, err := nut.NewReader(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	s := d.Streams()[0]
	f := film{track: media.Track{Codec: codecs[s.Tag], Width: s.Width, Height: s.Height, Channels: s.Channels}}
	if f.track.Codec != media.VP8 {
		f.track.Width, f.track.Height = 0, 0
	}
	f.parameters(t, s.Extra)
	for {
		frame, err := d.Next()
		if errors.Is(err, io.EOF) {
			return f
		}
		if err != nil {
			t.Fatal(err)
		}
		at := filmStart + media.Rescale(media.Ticks(frame.PTS), int64(s.Num)*90_000, int64(s.Den))
		f.samples = append(f.samples, f.sample(t, at, frame))
	}
}

func (f *film) parameters(t testing.TB, extra []byte) {
	t.Helper()
	switch f.track.Codec {
	case media.H264, media.HEVC:
		var sets h264.AnnexB
		if err := sets.Unmarshal(extra); err != nil {
			t.Fatal(err)
		}
		for _, nal := range sets {
			if f.track.Codec == media.H264 {
				*map[byte]*[]byte{7: &f.track.SPS, 8: &f.track.PPS, 6: new([]byte)}[nal[0]&0x1F] = nal
			} else {
				*map[byte]*[]byte{32: &f.track.VPS, 33: &f.track.SPS, 34: &f.track.PPS, 39: new([]byte)}[nal[0]>>1&0x3F] = nal
			}
		}
	}
}

func (f *film) sample(t testing.TB, at media.Ticks, frame nut.Frame) media.Sample {
	t.Helper()
	s := media.Sample{Kind: f.track.Kind(), PTS: at, DTS: at, Key: frame.Key, Payload: frame.Data}
	if f.track.Codec == media.AV1 {
		var unit av1.Bitstream
		if err := unit.Unmarshal(frame.Data); err != nil {
			t.Fatal(err)
		}
		unit = slices.DeleteFunc(unit, func(obu []byte) bool { return av1.OBUType(obu[0]>>3) == av1.OBUTypeTemporalDelimiter })
		if f.track.SequenceHeader == nil {
			f.track.SequenceHeader = unit[0]
		}
		s.Payload, _ = unit.Marshal()
	}
	if f.track.Codec == media.H264 || f.track.Codec == media.HEVC {
		var unit h264.AnnexB
		if err := unit.Unmarshal(frame.Data); err != nil {
			t.Fatal(err)
		}
		s.Payload = nil
		for _, nal := range unit {
			s.Payload = append(binary.BigEndian.AppendUint32(s.Payload, uint32(len(nal))), nal...)
		}
	}
	return s
}

func newTranscoder(t testing.TB, cfg Config) *Transcoder {
	t.Helper()
	if cfg.Encoder == "" {
		cfg.Encoder = x264
	}
	tr, err := New(cfg, slog.New(slog.DiscardHandler), NewMetrics(nil))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// gathered is a LadderSink that keeps everything.
type gathered struct {
	mu      sync.Mutex
	changed *sync.Cond
	tracks  map[int][]media.Track
	samples map[int][]media.Sample
	downs   []string
	drained int
}

func newGathered() *gathered {
	g := &gathered{tracks: map[int][]media.Track{}, samples: map[int][]media.Sample{}}
	g.changed = sync.NewCond(&g.mu)
	return g
}

func (g *gathered) Tracks(r int, t media.Track) {
	g.change(func() { g.tracks[r] = append(g.tracks[r], t) })
}

func (g *gathered) Sample(r int, s media.Sample) {
	g.change(func() { g.samples[r] = append(g.samples[r], s) })
}
func (g *gathered) Down(reason string) { g.change(func() { g.downs = append(g.downs, reason) }) }
func (g *gathered) Drained()           { g.change(func() { g.drained++ }) }

func (g *gathered) change(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
	g.changed.Broadcast()
}

// wait waits until what was gathered is enough.
func (g *gathered) wait(enough func() bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for !enough() {
		g.changed.Wait()
	}
}
