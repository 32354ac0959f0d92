package whip

import (
	"log/slog"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// stage is a publisher with its two streams, driven by hand.
type stage struct {
	t            *testing.T
	p            *publisher
	rec          *recording
	video, audio *device
	now          time.Duration
}

func newStage(t *testing.T, hold time.Duration, picture, sound bool) *stage {
	t.Helper()
	rec := &recording{done: make(chan struct{}), closed: make(chan media.CloseReason, 8), changed: make(chan struct{}, 1)}
	o := &offer{}
	if picture {
		o.video = &section{codec: media.H264}
	}
	if sound {
		o.audio = &section{codec: media.Opus}
	}
	return &stage{
		t: t, rec: rec, p: newPublisher(rec, o, hold, slog.New(slog.DiscardHandler), newTestMetrics()),
		video: newDevice(90_000, 0, 1000, 0), audio: newDevice(48_000, 0, 2000, 0),
	}
}

// shoot sends a picture of the given size; 0 is no keyframe.
func (s *stage) shoot(width, height int) {
	s.t.Helper()
	now := ringStart.Add(s.now)
	s.p.settle.media(now)
	s.p.videoSeen = true
	s.video.send(ringStart, s.now, 0)
	s.p.follow(&s.video.clock, now)
	pic := picture{stamp: s.video.stamp(s.now), payload: []byte{0, 0, 0, 1, 0x41}, arrival: now}
	if width > 0 {
		pic.key = true
		pic.track = &media.Track{Codec: media.H264, SPS: testSPS(width, height), PPS: testPPS}
	}
	if err := s.p.picture(pic, width, height, now); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) say() {
	s.t.Helper()
	now := ringStart.Add(s.now)
	s.p.settle.media(now)
	at := s.audio.send(ringStart, s.now, 0)
	if err := s.p.packet(&s.audio.clock, at, []byte{0xFC}, now, now); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) report() {
	s.video.report(ringStart, s.now, 0)
	s.audio.report(ringStart, s.now, 0)
	s.p.align(ringStart.Add(s.now))
}

// run films until the given instant, a picture each 40 ms and sound each 20 ms. key makes a keyframe of a picture.
func (s *stage) run(until time.Duration, key func(n int) (width, height int)) {
	s.t.Helper()
	for n := 0; s.now < until; n++ {
		w, h := key(n)
		s.shoot(w, h)
		for range 2 {
			if s.p.wantAudio {
				s.say()
			}
			s.now += 20 * time.Millisecond
		}
	}
}

func TestHoldUntilThePictureHasSettled(t *testing.T) {
	climb := func(sizes map[int][2]int) func(int) (int, int) {
		return func(n int) (int, int) { return sizes[n][0], sizes[n][1] }
	}
	for _, c := range []struct {
		name  string
		hold  time.Duration
		sizes map[int][2]int // by number of picture
		want  int            // number of the first picture published
		by    time.Duration  // when the publish has begun
	}{
		{"large at once", 3 * time.Second, map[int][2]int{0: {1280, 720}}, 0, 100 * time.Millisecond},
		{"portrait", 3 * time.Second, map[int][2]int{0: {720, 1280}}, 0, 100 * time.Millisecond},
		{"small and steady", 3 * time.Second, map[int][2]int{0: {640, 480}}, 0, 1100 * time.Millisecond},
		{"a climb", 3 * time.Second, map[int][2]int{0: {320, 176}, 20: {480, 272}, 40: {640, 352}}, 40, 2700 * time.Millisecond},
		{"a climb to the top", 3 * time.Second, map[int][2]int{0: {320, 176}, 20: {1280, 720}}, 20, time.Second},
		{"a climb without end", 3 * time.Second, map[int][2]int{0: {320, 176}, 20: {480, 272}, 40: {640, 352}, 60: {960, 544}}, 60, 3100 * time.Millisecond},
		{"a keyframe of the same size", 3 * time.Second, map[int][2]int{0: {640, 480}, 10: {640, 480}}, 0, 1100 * time.Millisecond},
		{"late keyframe", 3 * time.Second, map[int][2]int{10: {1280, 720}}, 10, 600 * time.Millisecond},
		{"no hold", -1, map[int][2]int{0: {320, 176}}, 0, 50 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, c.hold, true, true)
			s.shoot(c.sizes[0][0], c.sizes[0][1])
			s.say()
			s.report()
			s.now += time.Millisecond
			first := true
			s.run(c.by, func(n int) (int, int) {
				if n == 0 && first {
					first = false
					return 0, 0
				}
				return climb(c.sizes)(n)
			})
			video := s.rec.of(media.Video)
			if len(video) == 0 {
				t.Fatalf("nothing is published after %v", s.now)
			}
			want := s.video.clock.peek(s.video.stamp(0))
			if c.want > 0 {
				want = s.video.clock.peek(s.video.stamp(time.Millisecond + time.Duration(c.want)*40*time.Millisecond))
			}
			if !video[0].Key || video[0].PTS != want {
				t.Errorf("the first picture is at %d, key %v; want %d", video[0].PTS, video[0].Key, want)
			}
			if last := s.rec.tracks[len(s.rec.tracks)-1]; len(s.rec.tracks) != 2 || len(last) != 2 { // once the sound alone, to be ready
				t.Errorf("tracks were named %d times: %+v", len(s.rec.tracks), s.rec.tracks)
			}
		})
	}
}

func TestHoldUntilTheClocksAreKnown(t *testing.T) {
	s := newStage(t, 3*time.Second, true, true)
	s.audio.path = 100 * time.Millisecond // arrivals alone would put the sound too late
	key := func(n int) (int, int) {
		if n == 0 {
			return 1280, 720
		}
		return 0, 0
	}
	s.run(2*time.Second, key)
	if n := len(s.rec.samples); n != 0 {
		t.Fatalf("%d samples before the reports", n)
	}
	s.report()
	s.run(7*time.Second, func(int) (int, int) { return 0, 0 })
	video, audio := s.rec.of(media.Video), s.rec.of(media.Audio)
	if len(video) < 170 || len(audio) < 340 || (video[0].PTS-audio[0].PTS).Duration().Abs() > time.Millisecond {
		t.Fatalf("%d pictures from %d, %d sounds from %d", len(video), video[0].PTS, len(audio), audio[0].PTS)
	}
}

func TestWithoutReportsThePublishBeginsAllTheSame(t *testing.T) {
	s := newStage(t, 3*time.Second, true, true)
	s.run(3100*time.Millisecond, func(n int) (int, int) {
		if n == 0 {
			return 1280, 720
		}
		return 0, 0
	})
	if video := s.rec.of(media.Video); len(video) < 1 || len(video) > 20 || !video[0].Key { // the rest follows at its pace
		t.Fatalf("%d pictures", len(video))
	}
	s.run(10*time.Second, func(int) (int, int) { return 0, 0 })
	if video := s.rec.of(media.Video); len(video) < 240 {
		t.Errorf("%d pictures after it has caught up", len(video))
	}
}

func TestSoundAloneAndThePictureThatJoins(t *testing.T) {
	s := newStage(t, 3*time.Second, true, true)
	for ; s.now < 4*time.Second; s.now += 20 * time.Millisecond {
		s.say()
	}
	if len(s.rec.samples) < 40 || len(s.rec.tracks[0]) != 1 {
		t.Fatalf("%d samples, tracks %+v", len(s.rec.samples), s.rec.tracks)
	}
	s.run(5*time.Second, func(n int) (int, int) {
		if n == 0 {
			return 1280, 720
		}
		return 0, 0
	})
	video, audio := s.rec.of(media.Video), s.rec.of(media.Audio)
	if len(s.rec.tracks) != 2 || len(s.rec.tracks[1]) != 2 || len(video) < 20 {
		t.Fatalf("%d pictures, tracks %+v", len(video), s.rec.tracks)
	}
	if d := video[len(video)-1].PTS - audio[len(audio)-1].PTS; d.Duration().Abs() > 25*time.Millisecond {
		t.Errorf("the picture is %v from the sound", d.Duration())
	}
	for i := 1; i < len(audio); i++ {
		if d := audio[i].PTS - audio[i-1].PTS; d < 1790 || d > 1810 {
			t.Fatalf("sound %d steps by %d", i, d)
		}
	}
}

// Another layer of a simulcast, with a clock of its own, goes on where the first one was.
func TestAnotherLayerContinuesTheClock(t *testing.T) {
	s := newStage(t, -1, true, false)
	key := func(n int) (int, int) {
		if n == 0 {
			return 320, 176
		}
		return 0, 0
	}
	s.run(time.Second, key)
	s.video.report(ringStart, s.now, 0)
	other := newDevice(90_000, 0, 3_000_000_000, 80*time.Millisecond)
	other.send(ringStart, s.now, 0)
	other.report(ringStart, s.now, 0)
	s.video = other
	s.run(2*time.Second, func(n int) (int, int) {
		if n == 0 {
			return 1280, 720
		}
		return 0, 0
	})
	video := s.rec.of(media.Video)
	for i := 1; i < len(video); i++ {
		if d := video[i].PTS - video[i-1].PTS; d < 3598 || d > 3602 {
			t.Errorf("picture %d steps by %d", i, d)
		}
	}
	if len(s.rec.tracks) != 2 {
		t.Errorf("tracks were named %d times", len(s.rec.tracks))
	}
}

// B-pictures, as OBS on a Mac sends them: decoding times are found, presentation times stay.
func TestBPictures(t *testing.T) {
	s := newStage(t, 3*time.Second, true, false)
	order := []int{0}
	for n := 1; n < 60; n += 3 {
		order = append(order, n+2, n, n+1)
	}
	for i, n := range order {
		s.now = time.Duration(n) * 40 * time.Millisecond
		w := 0
		if i == 0 {
			w = 640
		}
		s.shoot(w, 480)
	}
	s.p.finish(ringStart.Add(3 * time.Second))
	video := s.rec.of(media.Video)
	if len(video) != len(order) {
		t.Fatalf("%d pictures of %d", len(video), len(order))
	}
	for i, v := range video {
		if want := s.video.clock.peek(s.video.stamp(time.Duration(order[i]) * 40 * time.Millisecond)); v.PTS != want || v.DTS > v.PTS {
			t.Errorf("picture %d: PTS %d, DTS %d; want PTS %d", i, v.PTS, v.DTS, want)
		}
		if i > 0 && v.DTS <= video[i-1].DTS {
			t.Errorf("picture %d decodes at %d, after %d", i, v.DTS, video[i-1].DTS)
		}
	}
}

// The publisher's clock leaps: picture and sound go on together, told as rebased.
func TestClockLeap(t *testing.T) {
	s := newStage(t, -1, true, true)
	key := func(n int) (int, int) {
		if n == 0 {
			return 1280, 720
		}
		return 0, 0
	}
	s.run(time.Second, key)
	s.report()
	s.run(2*time.Second, func(int) (int, int) { return 0, 0 })
	before := len(s.rec.samples)
	s.video.first += 3600 * 90_000
	s.audio.first += 3600 * 48_000
	s.report()
	s.run(3*time.Second, func(int) (int, int) { return 0, 0 })
	rebased := 0
	for i, x := range s.rec.samples[before:] {
		if x.Rebased {
			rebased++
		}
		if d := x.PTS - s.rec.samples[before+max(i-1, 0)].PTS; d.Duration().Abs() > 500*time.Millisecond {
			t.Fatalf("%s sample %d steps by %v", x.Kind, i, d.Duration())
		}
	}
	if rebased != 2 {
		t.Errorf("%d samples are rebased", rebased)
	}
}
