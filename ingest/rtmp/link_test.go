package rtmp

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

func TestLinkOfAConnection(t *testing.T) {
	h := serve(t, Config{})
	c, pub := h.publisher()
	c.video(0, avcFrame(0, filled(idr, 50_000)))
	c.audio(0, aacFrame)
	pub.waitSamples(t, 2)
	got := h.gate.request(0).Link()
	if runtime.GOOS != "linux" {
		if got.RTT != 0 || got.Loss >= 0 || got.Repaired >= 0 {
			t.Errorf("%+v", got)
		}
		return
	}
	if got.RTT <= 0 || got.RTT > time.Second || got.Loss != 0 || got.Repaired < 0 || got.Repaired > 0.5 {
		t.Errorf("%+v", got)
	}
	c.Close()
	h.stop()
	if after := h.gate.request(0).Link(); after.RTT != got.RTT { // the last that was known
		t.Errorf("after the end: %+v", after)
	}
}

func TestLinkWindow(t *testing.T) {
	start := time.Now()
	var script pathState
	known := true
	l := &link{state: func() (pathState, bool) { return script, known }}
	at := func(seconds float64, s pathState) float64 {
		script = s
		newest, oldest, ok := l.look(start.Add(time.Duration(seconds * float64(time.Second))))
		if !ok {
			t.Fatal("nothing known")
		}
		return repaired(oldest, newest)
	}
	rtt := 100 * time.Millisecond
	if got := at(0, pathState{rtt: rtt, segments: 1<<32 - 100}); got != 0 {
		t.Errorf("at first: %v", got)
	}
	// 1000 segments in 10 s are 10 in a round trip: 100 segments behind holes are 10 losses. The counter wraps.
	if got := at(10, pathState{rtt: rtt, segments: 900, outOfOrder: 100}); got != 0.01 {
		t.Errorf("after ten seconds: %v, want 0.01", got)
	}
	if got := at(10.5, pathState{rtt: rtt, segments: 5000, outOfOrder: 5000}); got != 0.01 { // asked again too soon
		t.Errorf("half a second later: %v, want 0.01", got)
	}
	known = false // the connection is gone
	if got := at(12, pathState{}); got != 0.01 {
		t.Errorf("at the end: %v, want 0.01", got)
	}
	known = true
	if got := at(40, pathState{rtt: rtt, segments: 9000, outOfOrder: 5000}); got != 0 {
		t.Errorf("after a pause: %v, want 0: nothing within the window to compare with", got)
	}
	for i := range 3 * linkPlaces {
		at(41+float64(i), pathState{rtt: rtt, segments: uint32(10_000 + 100*i), outOfOrder: 5000})
	}
	if l.n != linkPlaces {
		t.Errorf("%d states kept", l.n)
	}
}

func TestLinkIsSafe(*testing.T) {
	l := &link{state: func() (pathState, bool) { return pathState{}, true }}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 100 {
				_ = l.read()
			}
		})
	}
	for range 100 {
		l.jitter.Add(1)
	}
	readers.Wait()
}

func TestJitter(t *testing.T) {
	var j jitter
	start := time.Now()
	for i := range 200 { // every second picture is 8 ms late
		late := time.Duration(i%2) * 8 * time.Millisecond
		j.observe(media.FromMilliseconds(int64(i)*40), start.Add(time.Duration(i)*40*time.Millisecond+late))
	}
	if got := time.Duration(j.mean); got < 7*time.Millisecond || got > 9*time.Millisecond {
		t.Errorf("jitter %v, want 8ms", got)
	}
	before := j.mean
	j.forget()
	if j.observe(media.FromMilliseconds(1<<40), start); j.mean != before {
		t.Error("a leap counts as jitter")
	}
}

// reporting is a publication that listens to what the protocol learns beside the samples.
type reporting struct {
	*recording
	encoders  []string
	reported  []media.Anomaly
	reporting sync.Mutex
}

func (r *reporting) ReportEncoder(name string) {
	r.reporting.Lock()
	defer r.reporting.Unlock()
	r.encoders = append(r.encoders, name)
}

func (r *reporting) ReportAnomaly(a media.Anomaly) {
	r.reporting.Lock()
	defer r.reporting.Unlock()
	r.reported = append(r.reported, a)
}

func TestReports(t *testing.T) {
	pub := &reporting{recording: &recording{changed: make(chan struct{}, 1)}}
	p := newPublisher(pub, &link{}, time.Minute, testTime, testLog(t), newTestMetrics())
	say := func(typeID byte, at uint32, body []byte) {
		t.Helper()
		m := message{typeID: typeID, timestamp: at, body: body}
		if typeID == typeDataAMF0 {
			if err := p.data(m); err != nil {
				t.Fatal(err)
			}
			return
		}
		if err := p.media(m, testTime); err != nil {
			t.Fatal(err)
		}
	}
	metadata := values("@setDataFrame", "onMetaData", amfObject{{"encoder", "obs-output module"}})
	say(typeDataAMF0, 0, metadata)
	say(typeDataAMF0, 0, metadata) // some repeat it every second
	say(typeVideo, 0, avcConfig(testSPS, testPPS))
	say(typeVideo, 9000, avcFrame(0, idr))
	say(typeVideo, 100, avcFrame(0, slice))
	if len(pub.encoders) != 1 || pub.encoders[0] != "obs-output module" {
		t.Errorf("encoders %q", pub.encoders)
	}
	if len(pub.reported) != 1 || pub.reported[0] != media.AnomalyJumpBack {
		t.Errorf("anomalies %q", pub.reported)
	}
}
