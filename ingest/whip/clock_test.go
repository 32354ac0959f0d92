package whip

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/media"
)

// device is a camera or microphone of a publisher: its clock, and how long what it captures takes to arrive.
type device struct {
	rate    float64 // of the RTP clock, as it really runs
	nominal int64
	first   uint32
	path    time.Duration
	clock   streamClock
}

func newDevice(nominal int64, ppm float64, first uint32, path time.Duration) *device {
	return &device{rate: float64(nominal) * (1 + ppm/1e6), nominal: nominal, first: first, path: path, clock: streamClock{rate: nominal}}
}

// stamp is the RTP timestamp of what is captured at t since the start.
func (d *device) stamp(t time.Duration) uint32 { return d.first + uint32(int64(t.Seconds()*d.rate)) }

func (d *device) send(start time.Time, t, queue time.Duration) media.Ticks {
	at := d.clock.take(d.stamp(t))
	d.clock.arrivals.Observe(at, start.Add(t+d.path+queue))
	return at
}

func (d *device) report(start time.Time, t, noise time.Duration) {
	d.clock.hear(senderReport{ntp: start.Add(t - 7*time.Hour), stamp: d.stamp(t + noise), arrival: start.Add(t + d.path)})
}

// Ten minutes with crystals 300 ppm apart: what is captured at once is played at once, within 45 ms from the start and
// within 10 ms from the first reports on, and sound never steps by more than it lasts.
func TestSoundStaysWithThePictureWhileClocksDrift(t *testing.T) {
	for _, c := range []struct {
		name              string
		videoPPM, audioPP float64
		reports           bool
		bound             time.Duration // after the first ten seconds
	}{
		{"with reports", 120, -180, true, 10 * time.Millisecond},
		{"with reports, the other way", -150, 150, true, 10 * time.Millisecond},
		{"without reports", 120, -180, false, 45 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := ringStart
			rng := rand.New(rand.NewPCG(3, 4))
			video, audio := newDevice(90_000, c.videoPPM, 4_294_000_000, 60*time.Millisecond), newDevice(48_000, c.audioPP, 77, 45*time.Millisecond)
			var f follower
			var last media.Ticks
			for at := time.Duration(0); at < 10*time.Minute; at += 20 * time.Millisecond {
				video.send(start, at, time.Duration(rng.IntN(40))*time.Millisecond*time.Duration(rng.IntN(2)))
				ticks := audio.send(start, at, time.Duration(rng.IntN(30))*time.Millisecond*time.Duration(rng.IntN(2)))
				if second := at % time.Second; c.reports && at > 2*time.Second && second == 0 {
					video.report(start, at, time.Duration(rng.IntN(4)-2)*time.Millisecond)
					if at%(5*time.Second) == 0 {
						audio.report(start, at, time.Duration(rng.IntN(10)-5)*time.Millisecond)
					}
				}
				if at%time.Second == 0 {
					offset, exact, _ := audio.clock.offset(&video.clock, start.Add(at+video.path))
					f.aim(offset, exact)
				}
				got := f.place(ticks)
				want := video.clock.peek(video.stamp(at))
				bound := c.bound
				if at < 10*time.Second {
					bound = 45 * time.Millisecond
				}
				if off := (got - want).Duration(); off.Abs() > bound {
					t.Fatalf("after %v sound is %v from its picture", at, off)
				}
				if step := (got - last).Duration(); at > 10*time.Second && (step < 19*time.Millisecond || step > 21*time.Millisecond) {
					t.Fatalf("after %v sound steps by %v", at, step)
				}
				last = got
			}
		})
	}
}

func TestWildReportsAreNotBelieved(t *testing.T) {
	video, audio := newDevice(90_000, 0, 5, 50*time.Millisecond), newDevice(48_000, 0, 6, 50*time.Millisecond)
	for at := time.Duration(0); at < 3*time.Second; at += 20 * time.Millisecond {
		video.send(ringStart, at, 0)
		audio.send(ringStart, at, 0)
	}
	video.report(ringStart, time.Second, 0)
	audio.report(ringStart.Add(time.Hour), time.Second, 0) // its clock is an hour off
	offset, exact, wild := audio.clock.offset(&video.clock, ringStart.Add(3*time.Second))
	want := video.clock.peek(5) - audio.clock.peek(6)
	if exact || !wild || (offset-want).Duration().Abs() > time.Millisecond {
		t.Errorf("offset %v, exact %v, wild %v; want %v", offset, exact, wild, want)
	}
}

func TestFollowerSnapsOnceAndThenSlews(t *testing.T) {
	var f follower
	f.aim(1000, false)
	if got := f.place(90_000); got != 91_000 {
		t.Fatalf("begins at %d", got)
	}
	f.aim(4000, true) // the first exact target
	if got := f.place(90_100); got != 94_100 {
		t.Errorf("did not snap: %d", got)
	}
	f.aim(4900, true)
	if got := f.place(180_100); got != 180_100+4180 {
		t.Errorf("did not slew: %d", got-180_100)
	}
	f.aim(9, false) // exactness is not given up
	f.place(270_100)
	if f.target != 4900 {
		t.Errorf("aims at %d", f.target)
	}
	f.aim(100_000, true) // far: the microphone was changed
	if f.offset != 100_000 {
		t.Errorf("offset %d", f.offset)
	}
}

func TestStreamClockUnwraps(t *testing.T) {
	c := streamClock{rate: 48_000}
	for _, s := range []struct {
		stamp uint32
		want  int64 // in RTP units
	}{{4_294_967_200, 4_294_967_200}, {64, 4_294_967_360}, {4_294_967_290, 4_294_967_290}, {1024, 4_294_968_320}} {
		if got, want := c.take(s.stamp), media.Rescale(media.Ticks(s.want), 90_000, 48_000); got != want {
			t.Errorf("%d became %d, want %d", s.stamp, got, want)
		}
	}
}

func TestNTPTime(t *testing.T) {
	for _, c := range []struct {
		ntp  uint64
		want string
	}{
		{3_976_300_800<<32 | 1<<31, "2026-01-02T00:00:00.5Z"},
		{0, "2036-02-07T06:28:16Z"}, // the second era
		{1 << 32, "2036-02-07T06:28:17Z"},
	} {
		if got := ntpTime(c.ntp).Format(time.RFC3339Nano); got != c.want {
			t.Errorf("%x is %s, want %s", c.ntp, got, c.want)
		}
	}
}

func TestRemoteClocks(t *testing.T) {
	at := ringStart
	const up, down = 300 * time.Millisecond, 20 * time.Millisecond
	fill := func(page, ntp time.Duration) (r remoteClocks) {
		for i := range 20 {
			now := at.Add(time.Duration(i) * time.Second)
			queue := time.Duration(i%5) * 10 * time.Millisecond
			r.report(senderReport{ntp: now.Add(ntp), arrival: now.Add(up + queue)})
			r.pong(now.Add(page), now.Add(-down), now.Add(up+queue))
		}
		return r
	}
	same := fill(-time.Hour, -time.Hour)
	if d := same.pageAhead(); d != 0 {
		t.Errorf("one clock, told apart by %v", d)
	}
	if lag, ok := same.lag(0); !ok || (lag-time.Hour).Abs() > (up-down)/2 {
		t.Errorf("lag %v, %v", lag, ok)
	}
	if best, _ := same.best(); best.rtt != up+down {
		t.Errorf("round trip %v", best.rtt)
	}
	stepped := fill(time.Minute, 0)
	if d := stepped.pageAhead(); d != -time.Minute {
		t.Errorf("a page a minute ahead is %v from the reports", d)
	}
	var none remoteClocks
	if _, ok := none.lag(0); ok {
		t.Error("nothing known told a lag")
	}
	none.report(senderReport{ntp: at, arrival: at.Add(70 * time.Millisecond)})
	if lag, ok := none.lag(100 * time.Millisecond); !ok || lag != 20*time.Millisecond {
		t.Errorf("by reports alone: %v, %v", lag, ok)
	}
}

// Decoding times rise, are never after the presentation, and are the presentation times themselves without B-pictures.
func TestReorder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		depth := rapid.IntRange(0, 4).Draw(t, "depth")
		// Each group is one picture ahead of up to depth that are shown before it.
		shown := []media.Ticks{0} // a keyframe is shown before all that follow it
		for next := media.Ticks(9000); len(shown) < 200; {
			n := rapid.IntRange(0, depth).Draw(t, "group")
			group := []media.Ticks{next + media.Ticks(n)*3000}
			for i := range n {
				group = append(group, next+media.Ticks(i)*3000)
			}
			shown, next = append(shown, group...), next+media.Ticks(n+1)*3000
		}
		var r reorder
		for _, pts := range shown {
			r.tell(pts)
		}
		last := media.Ticks(-1 << 40)
		for i, pts := range shown {
			r.tell(pts)
			dts := r.next(pts)
			if dts <= last || dts > pts || r.depth == 0 && dts != pts {
				t.Fatalf("picture %d at %d decodes at %d, after %d (depth %d)", i, pts, dts, last, r.depth)
			}
			last = dts
		}
		if r.depth > 1 {
			t.Fatalf("depth %d of groups that need 1", r.depth)
		}
	})
}

func TestReorderPyramid(t *testing.T) {
	// I0 P4 B2 b1 b3: two pictures come before b1 that are shown after it.
	order := []media.Ticks{0, 4, 2, 1, 3, 8, 6, 5, 7}
	var r reorder
	for _, pts := range order {
		r.tell(pts * 3000)
	}
	if r.depth != 2 {
		t.Fatalf("depth %d", r.depth)
	}
	var got []media.Ticks
	for _, pts := range order {
		got = append(got, r.next(pts*3000))
	}
	if want := []media.Ticks{-1800, -900, 0, 3000, 6000, 9000, 12000, 15000, 18000}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestOpusDuration(t *testing.T) {
	for _, c := range []struct {
		packet []byte
		want   time.Duration
	}{
		{nil, 0},
		{[]byte{0xFC, 1}, 20 * time.Millisecond},   // CELT, stereo
		{[]byte{0x78, 1}, 20 * time.Millisecond},   // hybrid
		{[]byte{0x08, 1}, 20 * time.Millisecond},   // SILK
		{[]byte{0x18, 1}, 60 * time.Millisecond},   // SILK
		{[]byte{0x81, 1}, 5 * time.Millisecond},    // two frames of 2.5 ms
		{[]byte{0xF3, 3}, 30 * time.Millisecond},   // three of 10 ms
		{[]byte{0xFB, 63}, 120 * time.Millisecond}, // more than is allowed
		{[]byte{0xFB}, 0},
	} {
		if got := opusDuration(c.packet); got != c.want {
			t.Errorf("%x plays for %v, want %v", c.packet, got, c.want)
		}
	}
}

// A sender that reports when it sends a packet, not when it began to record it, is put right; one that reports truly is
// left alone.
func TestImpossibleAge(t *testing.T) {
	const plays, network = 20 * time.Millisecond, 70 * time.Millisecond
	for _, c := range []struct {
		name     string
		reported time.Duration // by which the reports are late
		encoding time.Duration
		want     time.Duration
	}{
		{"reports of recording", 0, 10 * time.Millisecond, 0},
		{"reports of sending", plays, 0, plays},
		{"reports of sending, after some encoding", plays + 10*time.Millisecond, 10 * time.Millisecond, plays},
	} {
		d := newDevice(48_000, 0, 9, plays+c.encoding+network)
		for at := time.Duration(0); at < 3*time.Second; at += plays {
			d.send(ringStart, at, 0)
		}
		d.clock.hear(senderReport{ntp: ringStart.Add(time.Second + c.reported), stamp: d.stamp(time.Second)})
		if got := impossibleAge(&d.clock, network, plays, ringStart.Add(3*time.Second)).Duration(); (got - c.want).Abs() > time.Millisecond {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
