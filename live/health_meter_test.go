package live

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// feed plays an encoder into a meter: pictures and sound on its own clock, arriving when the network lets them.
type feed struct {
	m     meter
	start time.Time
	at    time.Time // of the newest arrival
	next  int       // picture
}

const frame = media.TicksPerSecond / 25

func newFeed() *feed {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return &feed{start: start, at: start}
}

// shot is one picture: how many bytes, when it is shown after it is decoded, and how late it comes.
type shot struct {
	bytes   int
	key     bool
	cts     media.Ticks
	late    time.Duration
	skipped bool // the encoder left it out
	rebased bool
}

// run sends n pictures, each as f says, with sound of 100 bytes beside each.
func (f *feed) run(n int, say func(i int) shot) {
	for range n {
		s := say(f.next)
		dts := media.Ticks(f.next) * frame
		f.at = f.start.Add(dts.Duration() + s.late)
		if !s.skipped {
			f.m.observe(media.Sample{Kind: media.Video, DTS: dts, PTS: dts + s.cts, Key: s.key, Payload: make([]byte, s.bytes), Arrival: f.at, Rebased: s.rebased})
		}
		f.m.observe(media.Sample{Kind: media.Audio, DTS: dts, PTS: dts, Payload: make([]byte, 100), Arrival: f.at})
		f.next++
	}
}

func (f *feed) status() *PublisherStatus {
	st := &PublisherStatus{Protocol: "rtmp", Loss: -1, Repaired: -1}
	f.m.fill(st, f.at)
	return st
}

// plain is a picture of 10,000 bytes, a keyframe every 2 s.
func plain(i int) shot { return shot{bytes: 10_000, key: i%50 == 0} }

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestMeterOfASoundStream(t *testing.T) {
	f := newFeed()
	f.run(25*20, plain)
	st := f.status()
	if st.State != PublisherSending || st.BFrames || st.MissingFrames != 0 || st.Lag != 0 || st.Jitter != 0 {
		t.Errorf("%+v", st)
	}
	near(t, "fps", st.FPS, 25, 0)
	near(t, "picture", float64(st.VideoBitrateBPS), 2_000_000, 0)
	near(t, "sound", float64(st.AudioBitrateBPS), 20_000, 0)
	near(t, "both", float64(st.BitrateBPS), 2_020_000, 0)
	if st.KeyInterval != 2*time.Second || st.KeyIntervalMin != 2*time.Second || st.KeyIntervalMax != 2*time.Second || st.keys != keySpans {
		t.Errorf("keyframes %v %v %v, %d", st.KeyInterval, st.KeyIntervalMin, st.KeyIntervalMax, st.keys)
	}
	if st.meanPacket != 100 || st.sinceKey != 1960*time.Millisecond {
		t.Errorf("%+v", st)
	}
}

func TestMeterBeforeItHasASecond(t *testing.T) {
	f := newFeed()
	if st := f.status(); st.State != PublisherWaiting || st.BitrateBPS != 0 || st.FPS != 0 {
		t.Errorf("before the first sample: %+v", st)
	}
	f.run(14, plain)
	st := f.status()
	near(t, "fps", st.FPS, 25, 0)
	near(t, "picture", float64(st.VideoBitrateBPS), 2_000_000, 200_000) // of half a second
}

func TestMeterSeesWhatTheEncoderDoes(t *testing.T) {
	f := newFeed()
	f.run(25*20, func(i int) shot { // keyframes 4 s apart with one at a cut, B-frames, every tenth picture left out
		s := shot{bytes: 1000, key: i%100 == 0 || i == 450, cts: 2 * frame, skipped: i%10 == 5}
		if i%3 == 1 && !s.key {
			s.cts = 0
		}
		return s
	})
	st := f.status()
	if !st.BFrames || st.KeyIntervalMin != 2*time.Second || st.KeyIntervalMax != 4*time.Second {
		t.Errorf("%+v", st)
	}
	near(t, "missing", st.MissingFrames, 0.1, 0.005)
	near(t, "fps", st.FPS, 22.5, 0.2)
}

func TestMeterSeesWhatTheNetworkDoes(t *testing.T) {
	f := newFeed()
	f.run(25*10, plain)
	f.run(25*8, func(i int) shot { // the line carries four fifths
		s := plain(i)
		s.late = (media.Ticks(i-250) * frame).Duration() / 4
		return s
	})
	st := f.status()
	near(t, "lag", st.Lag.Seconds(), 1.7, 0.2)
	near(t, "carried", float64(st.VideoBitrateBPS), 1_600_000, 100_000)
	near(t, "fps", st.FPS, 25, 0) // the encoder is not to blame

	g := newFeed()
	g.run(25*10, func(i int) shot {
		s := plain(i)
		if i%2 == 1 {
			s.late = 100 * time.Millisecond
		}
		return s
	})
	st = g.status()
	near(t, "jitter", st.Jitter.Seconds(), 0.1, 0.002)
	near(t, "lag", st.Lag.Seconds(), 0, 0)
}

func TestMeterForgivesASlowClock(t *testing.T) {
	f := newFeed()
	f.run(25*3600, func(i int) shot { // 100 ms in an hour
		s := plain(i)
		s.late = (media.Ticks(i) * frame).Duration() / 36_000
		return s
	})
	if lag := f.status().Lag; lag > time.Millisecond {
		t.Errorf("the clock's drift counts as lag: %v", lag)
	}
}

func TestMeterAfterALeapOfTheClock(t *testing.T) {
	f := newFeed()
	f.run(250, plain)
	f.next += 25 * 60 // the retimer let a minute go by, the wall did not
	f.start = f.start.Add(-time.Minute)
	f.run(250, func(i int) shot { return shot{bytes: 10_000, key: i%50 == 0, rebased: i == 250+25*60} })
	if st := f.status(); st.Lag != 0 || st.MissingFrames != 0 || st.KeyIntervalMax != 2*time.Second {
		t.Errorf("%+v", st)
	}
}

func TestMeterGoesStillWithItsPublisher(t *testing.T) {
	f := newFeed()
	f.run(25*10, plain)
	f.at = f.at.Add(2900 * time.Millisecond)
	if st := f.status(); st.State != PublisherSending {
		t.Errorf("%v after %v", st.State, st.Quiet)
	}
	f.at = f.at.Add(5 * time.Second)
	st := f.status()
	if st.State != PublisherStalled || st.Quiet != 7900*time.Millisecond || st.BitrateBPS != 0 || st.FPS != 0 {
		t.Errorf("%+v", st)
	}
	st = &PublisherStatus{Protocol: "hls"}
	if f.m.fill(st, f.at); st.State != PublisherSending {
		t.Errorf("what is pulled may pause: %v", st.State)
	}
	f.at = f.at.Add(24 * time.Hour)
	if st := f.status(); st.BitrateBPS != 0 || st.Lag != 0 {
		t.Errorf("%+v", st)
	}
}

func TestMeterPeaks(t *testing.T) {
	f := newFeed()
	f.run(25*19, plain)
	if st := f.status(); st.meanBPS != 0 {
		t.Errorf("19 s are not 20: %+v", st)
	}
	f.run(25*2, plain)
	f.run(25*4, func(int) shot { return shot{bytes: 40_000} })
	f.run(25*2, plain)
	st := f.status()
	near(t, "mean", float64(st.meanBPS), 3_200_000, 50_000)
	if st.peakBPS < 5_000_000 || st.peakBPS > 8_000_000 {
		t.Errorf("peak %d", st.peakBPS)
	}
}

func TestMeterCountsTrouble(t *testing.T) {
	f := newFeed()
	f.m.reportAnomaly(f.at) // before anything has come
	f.run(25*3, plain)
	f.m.reportAnomaly(f.at)
	st := f.status()
	f.m.fillLink(st, media.Link{RTT: time.Millisecond, Jitter: 3 * time.Millisecond, Loss: 0.5, Repaired: 0.25, Discarded: 7}, f.at)
	if st.RTT != time.Millisecond || st.Jitter != 3*time.Millisecond || st.Loss != 0.5 || st.Repaired != 0.25 || st.Discarded != 7 {
		t.Errorf("%+v", st)
	}
	f.run(25*2, plain)
	st = f.status()
	f.m.fillLink(st, media.Link{Loss: -1, Repaired: -1, Discarded: 7}, f.at) // no more than before
	if st.Anomalies != 2 || st.recentAnomalies != 1 || st.recentDiscarded != 7 {
		t.Errorf("%+v", st)
	}
	f.run(25*40, plain)
	if st = f.status(); st.Anomalies != 2 || st.recentAnomalies != 0 || st.recentDiscarded != 0 {
		t.Errorf("half a minute later: %+v", st)
	}
}

func TestMeterTakesTheEncodersName(t *testing.T) {
	f := newFeed()
	st := &PublisherStatus{Encoder: "FMLE/3.0"}
	f.m.fill(st, f.at)
	if st.Encoder != "FMLE/3.0" {
		t.Errorf("%q", st.Encoder)
	}
	f.m.reportEncoder("obs-output module")
	if f.m.fill(st, f.at); st.Encoder != "obs-output module" {
		t.Errorf("%q", st.Encoder)
	}
}

func TestMeterIsSafeForReadersBesideItsWriter(_ *testing.T) {
	f := newFeed()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 200 {
				st := &PublisherStatus{}
				f.m.fill(st, f.start.Add(time.Duration(i)*50*time.Millisecond))
				f.m.fillLink(st, media.Link{Discarded: int64(i)}, f.start)
				f.m.reportAnomaly(f.start)
			}
		})
	}
	f.run(250, plain)
	wg.Wait()
}

// A clock of the machine that goes back, or leaps by years, breaks nothing.
func TestMeterWithAWildWallClock(_ *testing.T) {
	f := newFeed()
	for _, d := range []time.Duration{0, time.Hour, -time.Hour, 100 * 365 * 24 * time.Hour, time.Second} {
		f.start = f.start.Add(d)
		f.run(30, plain)
		f.status()
	}
}

func BenchmarkMeter(b *testing.B) {
	f := newFeed()
	s := media.Sample{Kind: media.Video, Payload: make([]byte, 1000), Arrival: f.start}
	b.ReportAllocs()
	for b.Loop() {
		s.DTS += frame
		s.PTS = s.DTS
		s.Arrival = s.Arrival.Add(40 * time.Millisecond)
		f.m.observe(s)
	}
}

func BenchmarkMeterStatus(b *testing.B) {
	f := newFeed()
	f.run(25*60, plain)
	b.ReportAllocs()
	for b.Loop() {
		f.status()
	}
}
