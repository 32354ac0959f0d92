package hls

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// rig is a packager with its collector and counters, for publishers that do one odd thing.
type rig struct {
	*Packager
	c      *collector
	m      *Metrics
	t      *testing.T
	number uint32
}

func newRig(t *testing.T, tracks ...media.Track) *rig {
	r := &rig{c: newCollector(t), m: NewMetrics(nil), t: t}
	r.Packager = NewPackager(Config{}, Resume{}, r.c, nil, r.m)
	r.StartEpoch(media.Epoch{Wall: wallStart})
	r.tracks(tracks...)
	return r
}

func (r *rig) tracks(tracks ...media.Track) {
	r.t.Helper()
	if err := r.SetTracks(tracks); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) write(kind media.Kind, at media.Ticks, key bool) {
	r.t.Helper()
	r.number++
	if err := r.Write(media.Sample{Kind: kind, PTS: at, DTS: at, Key: key, Payload: payload(r.number, 20)}); err != nil {
		r.t.Fatal(err)
	}
}

// picture and sound write what a publisher sends at a millisecond.
func (r *rig) picture(ms int64, key bool) { r.write(media.Video, media.FromMilliseconds(ms), key) }
func (r *rig) sound(ms int64)             { r.write(media.Audio, media.FromMilliseconds(ms), true) }

// run publishes from one millisecond to another at 25 pictures a second, an IDR every 2 s, and sound of 48 kHz.
func (r *rig) run(from, to int64, pictures, sounds bool) {
	r.t.Helper()
	for ms := from; ms < to; ms++ {
		if pictures && ms%40 == 0 {
			r.picture(ms, ms%2000 == 0)
		}
		if sounds && ms*48%1024 < 48 {
			r.sound(ms)
		}
	}
}

func (r *rig) published() (end media.Ticks) { return r.Position() }

// contiguous reports the first hole in a track of the file.
func (r *rig) contiguous(track int) {
	r.t.Helper()
	var end int64
	init := 0
	for _, s := range r.c.samples() {
		if s.track != track {
			continue
		}
		if n := r.c.segments[s.msn].Init; n != init {
			init = n
		} else if s.dts != end {
			r.t.Errorf("track %d in segment %d: at %d, want %d", track, s.msn, s.dts, end)
		}
		end = s.dts + s.duration
	}
}

// count reads a counter.
func count(c prometheus.Counter) float64 {
	var m dto.Metric
	_ = c.Write(&m)
	return m.GetCounter().GetValue()
}

func within(t *testing.T, what string, got, want, room media.Ticks) {
	t.Helper()
	if got < want-room || got > want+room {
		t.Errorf("%s: %v, want %v", what, got.Duration(), want.Duration())
	}
}

func TestSoundFallsSilent(t *testing.T) {
	r := newRig(t, videoTrack(), audioTrackOf(48_000))
	r.run(0, 5000, true, true)
	r.run(5000, 15_000, true, false)
	// One part waited for the sound; after it nobody waits any more.
	within(t, "published without sound", r.published(), media.FromMilliseconds(14_500), media.FromMilliseconds(500))
	r.run(15_000, 20_000, true, true)
	r.EndEpoch()
	r.contiguous(audioTrackID)
	if n := count(r.m.silence); n < 460 || n > 475 { // 10 s of frames of 1024 samples
		t.Errorf("%v silent frames", n)
	}
	last := int64(0)
	for _, s := range r.c.samples() {
		if s.track == audioTrackID && s.number > 0 {
			last = s.pts
		}
	}
	within(t, "last sound", media.Ticks(last*15/8), media.FromMilliseconds(19_990), media.FromMilliseconds(40))
}

func TestSoundNeverComes(t *testing.T) {
	r := newRig(t, videoTrack(), audioTrackOf(48_000))
	r.run(0, 1000, true, false)
	if r.published() == 0 {
		t.Error("nothing was published in the first second")
	}
	r.run(1000, 6000, true, false)
	r.EndEpoch()
	r.contiguous(audioTrackID)
	if s := r.c.samples(); s[len(s)-1].track != audioTrackID {
		t.Error("no silence in the last part")
	}
}

// Sound that always comes half a second late costs the first part its sound, no more.
func TestSoundLagsSteadily(t *testing.T) {
	r := newRig(t, videoTrack(), audioTrackOf(48_000))
	for ms := int64(0); ms < 20_000; ms++ {
		if ms%40 == 0 {
			r.picture(ms, ms%2000 == 0)
		}
		if at := ms - 500; at >= 0 && at*48%1024 < 48 {
			r.sound(at)
		}
	}
	r.EndEpoch()
	r.contiguous(audioTrackID)
	if n := count(r.m.dropped.WithLabelValues("audio", "overlap")); n > 60 {
		t.Errorf("%v frames of sound were dropped", n)
	}
}

func TestPicturesStandStill(t *testing.T) {
	r := newRig(t, videoTrack(), audioTrackOf(48_000))
	r.run(0, 4000, true, true)
	r.run(4000, 12_000, false, true)
	within(t, "published without pictures", r.published(), media.FromMilliseconds(11_500), media.FromMilliseconds(500))
	r.run(12_000, 16_000, true, true)
	r.EndEpoch()
	r.contiguous(audioTrackID)
	for _, s := range r.c.segments {
		if len(s.Parts) == 0 || s.Duration > 2500*media.TicksPerMillisecond {
			t.Errorf("%+v", s)
		}
	}
	if n := count(r.m.forcedCuts); n < 3 {
		t.Errorf("%v forced cuts", n)
	}
}

// A film of one picture a second: parts end in the middle of pictures, and are empty where none begins.
func TestRarePictures(t *testing.T) {
	r := newRig(t, videoTrack())
	for ms := int64(0); ms < 10_000; ms += 1000 {
		r.picture(ms, ms%2000 == 0)
	}
	if end := r.EndEpoch(); end != 10*media.TicksPerSecond {
		t.Errorf("ended at %v", end.Duration())
	}
	r.contiguous(videoTrackID)
	for _, s := range r.c.segments {
		if len(s.Parts) != 4 || s.Duration != 2*media.TicksPerSecond {
			t.Errorf("%+v", s)
		}
	}
	if n := len(r.c.samples()); n != 10 {
		t.Errorf("%d pictures", n)
	}
}

// Keyframes 8.3 s apart after a first segment of 2 s: the stretch between two is divided into equal segments, and
// segments begin with IDRs again wherever one comes.
func TestKeyframesFarApart(t *testing.T) {
	r := newRig(t, videoTrack())
	for ms := int64(0); ms < 40_000; ms += 40 {
		r.picture(ms, ms == 0 || ms >= 2000 && (ms-2000)%8320 == 0)
	}
	r.EndEpoch()
	independent := 0
	for i, s := range r.c.segments {
		if s.Independent {
			independent++
		}
		if i > 5 && i < len(r.c.segments)-1 && (s.Duration < 2000*media.TicksPerMillisecond || s.Duration > 2200*media.TicksPerMillisecond) {
			t.Errorf("segment %d lasts %v", i, s.Duration.Duration())
		}
	}
	if independent != 6 { // 0, 2, 10.32, 18.64, 26.96, 35.28 s
		t.Errorf("%d segments begin with an IDR", independent)
	}
}

func TestFirstKeyframesFarApart(t *testing.T) {
	r := newRig(t, videoTrack())
	for ms := int64(0); ms < 50_000; ms += 40 {
		r.picture(ms, ms%8320 == 0)
	}
	r.EndEpoch()
	for i, s := range r.c.segments {
		if s.TargetDuration != 9 || !s.Independent || i < 5 && s.Duration != media.FromMilliseconds(8320) {
			t.Errorf("%+v", s)
		}
	}
	r = newRig(t, videoTrack())
	for ms := int64(0); ms < 40_000; ms += 40 {
		r.picture(ms, ms == 0)
	}
	r.EndEpoch()
	if s := r.c.segments[0]; s.TargetDuration != maxTargetDuration || s.Duration > 12*media.TicksPerSecond {
		t.Errorf("%+v", s)
	}
}

func TestTracksChange(t *testing.T) {
	for _, ca := range []struct {
		name          string
		before, after []media.Track
		segment       int // that begins with the new tracks
		inits         int
	}{
		{"the same again", []media.Track{videoTrack(), audioTrackOf(48_000)}, []media.Track{videoTrack(), audioTrackOf(48_000)}, 0, 1},
		{"pictures", []media.Track{videoTrack(), audioTrackOf(48_000)}, []media.Track{otherVideoTrack(), audioTrackOf(48_000)}, 2, 2},
		{"sound rate", []media.Track{videoTrack(), audioTrackOf(48_000)}, []media.Track{videoTrack(), audioTrackOf(44_100)}, 2, 2},
		{"sound comes", []media.Track{videoTrack()}, []media.Track{videoTrack(), audioTrackOf(48_000)}, 2, 2},
		{"sound goes", []media.Track{videoTrack(), audioTrackOf(48_000)}, []media.Track{videoTrack()}, 2, 2},
		{"pictures come", []media.Track{audioTrackOf(48_000)}, []media.Track{videoTrack(), audioTrackOf(48_000)}, 2, 2},
		{"pictures go", []media.Track{videoTrack(), audioTrackOf(48_000)}, []media.Track{audioTrackOf(48_000)}, 2, 2},
		{"radio changes its rate", []media.Track{audioTrackOf(48_000)}, []media.Track{audioTrackOf(44_100)}, 2, 2},
	} {
		t.Run(ca.name, func(t *testing.T) {
			has := func(tracks []media.Track, k media.Kind) bool {
				for i := range tracks {
					if tracks[i].Kind() == k {
						return true
					}
				}
				return false
			}
			r := newRig(t, ca.before...)
			r.run(0, 4000, has(ca.before, media.Video), has(ca.before, media.Audio))
			r.tracks(ca.after...)
			r.run(4000, 10_000, has(ca.after, media.Video), has(ca.after, media.Audio))
			end := r.EndEpoch()
			within(t, "end", end, 10*media.TicksPerSecond, media.FromMilliseconds(40))
			if len(r.c.inits) != ca.inits {
				t.Fatalf("%d inits", len(r.c.inits))
			}
			var at media.Ticks
			discontinuities := 0
			for _, s := range r.c.segments {
				if s.Start != at {
					t.Errorf("segment %d starts at %v, the one before ended at %v", s.MSN, s.Start.Duration(), at.Duration())
				}
				at = s.End()
				if s.Discontinuity {
					discontinuities++
					within(t, "discontinuity", s.Start, 4*media.TicksPerSecond, media.FromMilliseconds(60))
				}
			}
			if at != end || discontinuities != ca.inits-1 {
				t.Errorf("segments end at %d, want %d; %d discontinuities", at, end, discontinuities)
			}
			r.contiguous(videoTrackID)
			r.contiguous(audioTrackID)
			if got := r.c.inits[len(r.c.inits)-1].Width > 0; got != has(ca.after, media.Video) {
				t.Error("wrong tracks at the end")
			}
		})
	}
}

func TestSoundTimeline(t *testing.T) {
	frame := func(i int64) media.Ticks { return media.Ticks(i * 1920) }
	ms := media.FromMilliseconds
	for _, ca := range []struct {
		name                       string
		times                      func(i int64) media.Ticks
		resyncs, dropped, silences float64
	}{
		{"exact", frame, 0, 0, 0},
		{"whole milliseconds", func(i int64) media.Ticks { return roundMillis(frame(i)) }, 0, 0, 0},
		{"jitter of 25 ms", func(i int64) media.Ticks { return frame(i) + ms(25*(i%2)) }, 0, 0, 0},
		{"gap of 50 ms", func(i int64) media.Ticks { return frame(i) + ms(map[bool]int64{true: 50}[i >= 100]) }, 1, 0, 0},
		{"gap of 200 ms", func(i int64) media.Ticks { return frame(i) + ms(map[bool]int64{true: 200}[i >= 100]) }, 1, 0, 9},
		{"back by 50 ms", func(i int64) media.Ticks { return frame(i) - ms(map[bool]int64{true: 50}[i >= 100]) }, 1, 1, 0},
	} {
		t.Run(ca.name, func(t *testing.T) {
			r := newRig(t, audioTrackOf(48_000))
			for i := range int64(300) {
				r.write(media.Audio, ca.times(i), true)
			}
			r.EndEpoch()
			r.contiguous(audioTrackID)
			if got := count(r.m.audioResyncs); got != ca.resyncs {
				t.Errorf("%v resyncs", got)
			}
			if got := count(r.m.dropped.WithLabelValues("audio", "overlap")); got != ca.dropped {
				t.Errorf("%v dropped", got)
			}
			if got := count(r.m.silence); got != ca.silences {
				t.Errorf("%v silent frames", got)
			}
			for _, s := range r.c.samples() {
				if s.number == 0 {
					continue
				}
				within(t, "sound", media.Ticks(s.pts*15/8), ca.times(int64(s.number)-1), audioTolerance)
			}
		})
	}
}

func TestFrameLengths(t *testing.T) {
	short := audioTrackOf(48_000)
	short.Audio.FrameLengthFlag = true
	he := audioTrackOf(22_050)
	he.Audio.ExtensionType, he.Audio.ExtensionSampleRate = 5, 44_100
	for _, ca := range []struct {
		track  media.Track
		frame  int64
		codecs string
	}{
		{audioTrackOf(48_000), 1024, "mp4a.40.2"}, {short, 960, "mp4a.40.2"}, {he, 1024, "mp4a.40.5"},
	} {
		r := newRig(t, ca.track)
		rate := int64(ca.track.Audio.SampleRate)
		for i := range int64(200) {
			r.write(media.Audio, media.Ticks(i*ca.frame*90_000/rate), true)
		}
		r.EndEpoch()
		if got := r.c.inits[0].Codecs; got != ca.codecs {
			t.Errorf("CODECS %s, want %s", got, ca.codecs)
		}
		for _, s := range r.c.samples() {
			if s.duration != ca.frame {
				t.Fatalf("%+v", s)
			}
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	p := NewPackager(Config{}, Resume{}, discard{}, nil, nil)
	if err := p.Write(media.Sample{Kind: media.Video, Payload: []byte{1}}); errs.KindOf(err) != errs.Conflict {
		t.Error(err)
	}
	if err := p.SetTracks([]media.Track{videoTrack()}); errs.KindOf(err) != errs.Conflict {
		t.Error(err)
	}
	p.StartEpoch(media.Epoch{})
	unknownLayout := audioTrackOf(48_000)
	unknownLayout.Audio.ChannelConfig, unknownLayout.Audio.ChannelCount = 0, 0 //nolint:staticcheck // the old field still counts
	for name, tracks := range map[string][]media.Track{
		"none":         nil,
		"two of video": {videoTrack(), videoTrack()},
		"no SPS":       {{Codec: media.H264, PPS: pps}},
		"no PPS":       {{Codec: media.H264, SPS: sps720}},
		"broken SPS":   {{Codec: media.H264, SPS: sps720[:8], PPS: pps}},
		"no ASC":       {{Codec: media.AAC}},
		"no layout":    {unknownLayout},
		"other codec":  {{Codec: 99}},
	} {
		err := p.SetTracks(tracks)
		if errs.KindOf(err) != errs.Invalid || errs.MessageOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if end := p.EndEpoch(); end != 0 {
		t.Errorf("nothing was packaged, but the epoch ended at %d", end)
	}
}

func TestConfigValidate(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	for field, c := range map[string]Config{
		"part_target":    {PartTarget: time.Millisecond},
		"segment_target": {SegmentTarget: time.Minute},
		"window":         {Window: 2},
		"max_waiters":    {MaxWaiters: -1},
	} {
		err := c.Validate()
		var e *errs.Error
		if !errors.As(err, &e) || e.Field != field || e.Kind != errs.Invalid {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := (Config{PartTarget: 2 * time.Second, SegmentTarget: 3 * time.Second}).Validate(); errs.FieldOf(err) != "segment_target" {
		t.Error(err)
	}
}
