package transcode

import (
	"bytes"
	"encoding/binary"
	"math"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/transcode/nut"
)

// published is a media.Publication that keeps everything.
type published struct {
	mu      sync.Mutex
	changed *sync.Cond
	calling bool
	tracks  [][]media.Track
	samples []media.Sample
	data    []media.Ticks
	closed  []media.CloseReason
	fail    error
	done    chan struct{}
}

func newPublished() *published {
	p := &published{done: make(chan struct{})}
	p.changed = sync.NewCond(&p.mu)
	return p
}

// call is one call of a method; two at a time are a fault.
func (p *published) call(f func()) error {
	p.mu.Lock()
	if p.calling {
		panic("two callers at a time")
	}
	p.calling = true
	p.mu.Unlock()
	runtime.Gosched() // for another caller to be caught
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	p.calling = false
	p.changed.Broadcast()
	return p.fail
}

func (p *published) SetTracks(tracks []media.Track) error {
	return p.call(func() { p.tracks = append(p.tracks, tracks) })
}

func (p *published) Write(s media.Sample) error {
	return p.call(func() { p.samples = append(p.samples, s) })
}

func (p *published) WriteData(t media.Ticks, _ []byte) error {
	return p.call(func() { p.data = append(p.data, t) })
}

func (p *published) Close(reason media.CloseReason) {
	_ = p.call(func() { p.closed = append(p.closed, reason) })
}
func (p *published) Done() <-chan struct{} { return p.done }
func (p *published) Err() error            { return p.fail }

// wait waits until the newest sample of a kind is at most behind t.
func (p *published) wait(kind media.Kind, t media.Ticks) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for i := len(p.samples) - 1; i >= 0; i-- {
			if p.samples[i].Kind == kind && p.samples[i].PTS >= t {
				return
			}
		}
		p.changed.Wait()
	}
}

// of returns the samples of a kind.
func (p *published) of(kind media.Kind) (out []media.Sample) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.samples {
		if s.Kind == kind {
			out = append(out, s)
		}
	}
	return out
}

// clicks is a film of Opus with a short tone at every whole second but the first, timed as RTP is: by the samples that
// went into the encoder.
func clicks(t testing.TB, seconds, channels string) film {
	t.Helper()
	f := readFilm(t, "-f lavfi -i aevalsrc=if(gte(t\\,1)*lt(mod(t\\,1)\\,0.02)\\,0.8*sin(6283*t)):s=48000:d="+seconds+" -ac "+channels+" -c:a libopus -b:a 96k -frame_duration 20")
	for i := range f.samples {
		f.samples[i].PTS = filmStart + media.Ticks(i)*1800
		f.samples[i].DTS = f.samples[i].PTS
		f.samples[i].Arrival = time.Unix(1_700_000_000, 0).Add(f.samples[i].PTS.Duration())
	}
	return f
}

// convert sends a film through Convert, no faster than it comes out.
func convert(t testing.TB, f film) *published {
	t.Helper()
	p := newPublished()
	c := newTranscoder(t, Config{}).Convert(p)
	if err := c.SetTracks([]media.Track{f.track}); err != nil {
		t.Fatal(err)
	}
	for i, s := range f.samples {
		if err := c.Write(s); err != nil {
			t.Fatal(err)
		}
		if i >= window {
			p.wait(f.track.Kind(), f.samples[i-window].PTS)
		}
	}
	c.Close(media.Unpublished)
	return p
}

// heard returns when the tones of AAC samples begin.
func heard(t testing.TB, samples []media.Sample, channels int) (at []media.Ticks) {
	t.Helper()
	config, err := soundTrack(channels).Audio.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	w, _ := nut.NewWriter(&stream, nut.Stream{Class: nut.Audio, Tag: nut.TagAAC, Num: 1, Den: 90_000, Extra: config, SampleRate: opusRate, Channels: channels})
	var least, most media.Ticks // how far timestamps leave the count of samples
	for i, s := range samples {
		off := s.PTS - samples[0].PTS - media.Ticks(i)*1920
		least, most = min(least, off), max(most, off)
		_ = w.Write(nut.Frame{PTS: int64(s.PTS), Key: true, Data: s.Payload})
	}
	if least < -20*media.TicksPerMillisecond || most > 20*media.TicksPerMillisecond {
		t.Errorf("timestamps leave the count of samples by %v to %v", least.Duration(), most.Duration())
	}
	cmd := exec.Command("ffmpeg", "-v", "error", "-f", "nut", "-i", "pipe:0", "-ac", "1", "-f", "f32le", "pipe:1")
	cmd.Stdin = &stream
	pcm, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	quiet := opusRate
	for i := range len(pcm) / 4 {
		v := math.Float32frombits(binary.LittleEndian.Uint32(pcm[4*i:]))
		if quiet++; math.Abs(float64(v)) < 0.2 {
			continue
		}
		if quiet > opusRate/4 {
			at = append(at, samples[0].PTS+media.Ticks(i)*90_000/opusRate)
		}
		quiet = 0
	}
	return at
}

func checkClicks(t *testing.T, got []media.Ticks, rate float64, count int, tolerance time.Duration) {
	t.Helper()
	if len(got) != count {
		t.Fatalf("%d tones, want %d", len(got), count)
	}
	worst := time.Duration(0)
	for i, at := range got {
		want := filmStart + media.Ticks(float64(i+1)*rate*float64(media.TicksPerSecond))
		off := (at - want).Duration()
		if off.Abs() > worst.Abs() {
			worst = off
		}
		if off.Abs() > tolerance {
			t.Errorf("tone %d is %v off", i+1, off)
		}
	}
	t.Logf("worst tone %v off", worst)
}

func TestSoundIsWhereItWas(t *testing.T) {
	for channels, arg := range map[int]string{1: "1", 2: "2"} {
		p := convert(t, clicks(t, "6", arg))
		if len(p.tracks) != 1 || len(p.tracks[0]) != 1 || p.tracks[0][0].Codec != media.AAC || p.tracks[0][0].Audio.ChannelConfig != uint8(channels) {
			t.Fatalf("tracks %+v", p.tracks)
		}
		checkClicks(t, heard(t, p.of(media.Audio), channels), 1, 5, 2*time.Millisecond)
	}
}

// Half a minute of clocks that differ by 2000 ppm is what ten minutes of 100 ppm are.
func TestSoundFollowsTheClock(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps real time")
	}
	made := clicks(t, "30", "2")
	for name, rate := range map[string]float64{"fast": 1.002, "slow": 0.998} {
		t.Run(name, func(t *testing.T) {
			f := film{made.track, slices.Clone(made.samples)}
			for i := range f.samples {
				f.samples[i].PTS = filmStart + media.Ticks(math.Round(float64(f.samples[i].PTS-filmStart)*rate))
			}
			p := convert(t, f)
			checkClicks(t, heard(t, p.of(media.Audio), 2), rate, 29, 15*time.Millisecond)
		})
	}
}

// Lost packets leave a silence, and move nothing that follows.
func TestSoundWithHoles(t *testing.T) {
	f := clicks(t, "8", "2")
	for _, hole := range []int{75, 125, 126, 127, 175} {
		f.samples = slices.DeleteFunc(f.samples, func(s media.Sample) bool { return s.PTS == filmStart+media.Ticks(hole)*1800 })
	}
	checkClicks(t, heard(t, convert(t, f).of(media.Audio), 2), 1, 7, 10*time.Millisecond)
}
