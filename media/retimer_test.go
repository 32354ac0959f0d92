package media

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// stamp is one sample as received and, in milliseconds plus ticks, where it should stand.
type stamp struct {
	kind    Kind
	dts     uint32
	cts     int32
	want    int64 // milliseconds of publisher time
	ticks   Ticks // beyond want
	anomaly Anomaly
	rebased bool
}

func v(dts uint32, want int64) stamp { return stamp{kind: Video, dts: dts, want: want} }
func a(dts uint32, want int64) stamp { return stamp{kind: Audio, dts: dts, want: want} }

func (s stamp) because(a Anomaly) stamp { s.anomaly = a; return s }
func (s stamp) moved(a Anomaly) stamp   { s.anomaly, s.rebased = a, true; return s }
func (s stamp) plus(t Ticks) stamp      { s.ticks = t; return s }
func (s stamp) composed(ms int32) stamp { s.cts = ms; return s }

const hour = 3_600_000

var retimerCases = []struct {
	name   string
	stamps []stamp
}{
	{"sound stream", []stamp{v(0, 0), a(66, 66), v(33, 33), a(87, 87), v(67, 67)}},
	{"late start is no anomaly", []stamp{v(5*hour, 5*hour), a(5*hour+10, 5*hour+10), v(5*hour+33, 5*hour+33)}},
	{"24-bit border", []stamp{v(0xFFFFFE, 0xFFFFFE), a(0xFFFFFF, 0xFFFFFF), v(0x1000000, 0x1000000), a(0x1000014, 0x1000014)}},
	{"32-bit wrap", []stamp{
		v(math.MaxUint32-10, math.MaxUint32-10),
		a(math.MaxUint32, math.MaxUint32),
		v(22, math.MaxUint32+23).because(AnomalyUnwrap),
		a(20, math.MaxUint32+21).because(AnomalyUnwrap),
		v(55, math.MaxUint32+56),
	}},
	{"the second track begins after the wrap", []stamp{v(math.MaxUint32, math.MaxUint32), a(9, math.MaxUint32+10).because(AnomalyUnwrap)}},
	{"just before zero", []stamp{v(5, 5), v(math.MaxUint32, 5).plus(1).because(AnomalyDTSNotRising), v(40, 40).because(AnomalyUnwrap)}},
	{"composition offsets", []stamp{v(0, 0).composed(66), v(33, 33).composed(-33), v(66, 66).composed(10_000)}},
	{"composition offsets out of range", []stamp{
		v(0, 0).composed(10_001).because(AnomalyCTSRange),
		v(33, 33).composed(math.MinInt32).because(AnomalyCTSRange),
		v(66, 66).composed(math.MaxInt32).because(AnomalyCTSRange),
	}},
	{"equal and backward DTS", []stamp{
		v(100, 100), v(100, 100).plus(1).because(AnomalyDTSNotRising), v(90, 100).plus(2).because(AnomalyDTSNotRising), v(133, 133),
	}},
	{"back by exactly 1 s is nudged", []stamp{v(5000, 5000), v(4000, 5000).plus(1).because(AnomalyDTSNotRising)}},
	{"back by more than 1 s is a jump", []stamp{v(5000, 5000), v(5040, 5040), v(4039, 5080).moved(AnomalyJumpBack), v(4079, 5120)}},
	{"forward by exactly 3 s is a gap", []stamp{v(5000, 5000), v(8000, 8000), v(8040, 8040)}},
	{"forward by more than 3 s is a jump", []stamp{v(0, 0), v(40, 40), v(3041, 80).moved(AnomalyJumpForward), v(3081, 120)}},
	{"jump before a step is known", []stamp{v(9000, 9000), v(0, 9020).moved(AnomalyJumpBack), v(40, 9060)}},
	{"hours forward, both tracks", []stamp{
		v(0, 0), a(5, 5), v(40, 40), a(26, 26),
		v(4*hour, 80).moved(AnomalyJumpForward), a(4*hour-20, 60).moved(AnomalyJumpForward), v(4*hour+40, 120), a(4*hour+1, 81),
	}},
	{"hours back, sound first", []stamp{
		v(9*hour, 9*hour), a(9*hour, 9*hour), v(9*hour+40, 9*hour+40), a(9*hour+21, 9*hour+21),
		a(0, 9*hour+42).moved(AnomalyJumpBack), v(30, 9*hour+72).moved(AnomalyJumpBack), a(21, 9*hour+63), v(70, 9*hour+112),
	}},
	{"the second track jumps by something else", []stamp{
		v(0, 0), a(0, 0), v(40, 40), a(20, 20),
		v(60_000, 80).moved(AnomalyJumpForward), a(90_000, 40).moved(AnomalyJumpForward), v(60_040, 120), a(90_020, 60),
	}},
	{"a glitch of one sample leaves no offset", []stamp{
		v(0, 0), a(0, 0), v(40, 40), a(20, 20),
		v(500_000, 80).moved(AnomalyJumpForward), v(120, 120).moved(AnomalyJumpBack), v(160, 160), a(40, 40),
	}},
	{"a glitch of a lone track leaves no offset", []stamp{
		v(0, 0), v(40, 40), v(500_000, 80).moved(AnomalyJumpForward), v(120, 120).moved(AnomalyJumpBack), v(160, 160),
	}},
	{"one track pauses while the other goes on", []stamp{
		v(0, 0), a(0, 0), v(2500, 2500), v(5000, 5000), v(7500, 7500), a(7490, 7490), a(7511, 7511), v(7540, 7540),
	}},
	{"both tracks pause: the gap is closed", []stamp{
		v(0, 0), a(0, 0), v(40, 40), a(20, 20),
		v(20_040, 80).moved(AnomalyJumpForward), a(20_020, 60).moved(AnomalyJumpForward), v(20_080, 120), a(20_040, 80),
	}},
	{"tracks with different origins", []stamp{
		v(5*hour, 5*hour), v(5*hour+40, 5*hour+40), a(0, 5*hour+40).moved(AnomalyTrackOffset), v(5*hour+80, 5*hour+80), a(21, 5*hour+61),
	}},
	{"a track that begins 9 s late", []stamp{v(0, 0), a(9000, 9000), v(40, 40), a(9021, 9021)}},
	{"the late track shares the correction", []stamp{v(9000, 9000), v(0, 9020).moved(AnomalyJumpBack), a(10, 9030), v(40, 9060)}},
}

func TestRetimer(t *testing.T) {
	for _, c := range retimerCases {
		t.Run(c.name, func(t *testing.T) {
			r := NewRetimer()
			for i, s := range c.stamps {
				dts := FromMilliseconds(s.want) + s.ticks
				cts := min(max(FromMilliseconds(int64(s.cts)), -10*TicksPerSecond), 10*TicksPerSecond)
				want := Timing{DTS: dts, PTS: dts + cts, Rebased: s.rebased, Anomaly: s.anomaly}
				if diff := cmp.Diff(want, r.Next(s.kind, s.dts, s.cts)); diff != "" {
					t.Fatalf("sample %d (%s at %d): (-want +got)\n%s", i, s.kind, s.dts, diff)
				}
			}
		})
	}
}

func TestRetimerAt(t *testing.T) {
	r := NewRetimer()
	if got := r.At(1234); got != FromMilliseconds(1234) {
		t.Errorf("before the first sample: %d", got)
	}
	r.Next(Video, 9*hour, 0)
	r.Next(Video, 100, 0) // rebased to 9 h + 20 ms
	for _, c := range []struct {
		millis uint32
		want   int64
	}{
		{100, 9*hour + 20},
		{60, 9*hour - 20},
		{3100, 9*hour + 3020},
		{3101, 9*hour + 20},
		{8 * hour, 9*hour + 20},
	} {
		if got := r.At(c.millis); got != FromMilliseconds(c.want) {
			t.Errorf("At(%d) = %d ms, want %d", c.millis, got.Milliseconds(), c.want)
		}
	}
	if got := r.Next(Video, 140, 0); got.DTS != FromMilliseconds(9*hour+60) || got.Anomaly != "" {
		t.Errorf("At changed the clock: %+v", got)
	}
}

// Whatever arrives, DTS rises strictly per track and PTS stays within 10 s of it.
func TestRetimerAlwaysRises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := NewRetimer()
		last := map[Kind]Ticks{}
		for range rapid.IntRange(1, 200).Draw(t, "samples") {
			kind := rapid.SampledFrom([]Kind{Video, Audio}).Draw(t, "kind")
			millis := rapid.OneOf(rapid.Uint32(), rapid.Uint32Range(0, 5000), rapid.Uint32Range(math.MaxUint32-5000, math.MaxUint32)).Draw(t, "dts")
			got := r.Next(kind, millis, rapid.Int32().Draw(t, "cts"))
			if before, ok := last[kind]; ok && got.DTS <= before {
				t.Fatalf("%s DTS %d after %d", kind, got.DTS, before)
			}
			if d := got.PTS - got.DTS; d > compositionLimit || d < -compositionLimit {
				t.Fatalf("PTS - DTS = %d", d)
			}
			last[kind] = got.DTS
		}
	})
}

// A publisher whose clock runs evenly is never touched, wherever it starts.
func TestRetimerKeepsSoundStreams(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := NewRetimer()
		start := rapid.Uint32().Draw(t, "start")
		video, audio := uint32(0), rapid.Uint32Range(0, 900).Draw(t, "audio start")
		for range 500 {
			kind, at := Video, &video
			if audio < video {
				kind, at = Audio, &audio
			}
			got := r.Next(kind, start+*at, 0)
			want := FromMilliseconds(int64(start) + int64(*at))
			if got.DTS != want || got.Rebased || got.Anomaly != "" && got.Anomaly != AnomalyUnwrap {
				t.Fatalf("%s at %d + %d: %+v, want DTS %d", kind, start, *at, got, want)
			}
			*at += rapid.Uint32Range(1, 500).Draw(t, "step")
		}
	})
}

func FuzzRetimer(f *testing.F) {
	f.Add(uint32(0), uint32(math.MaxUint32), uint32(5*hour), int32(-1))
	f.Add(uint32(0xFFFFFF), uint32(0x1000000), uint32(1), int32(math.MinInt32))
	f.Fuzz(func(t *testing.T, x, y, z uint32, cts int32) {
		r := NewRetimer()
		last := Ticks(math.MinInt64)
		for _, millis := range []uint32{x, y, z, y, x, x} {
			r.Next(Audio, millis, cts)
			got := r.Next(Video, millis, cts)
			if got.DTS <= last {
				t.Fatalf("DTS %d after %d", got.DTS, last)
			}
			last = got.DTS
		}
	})
}

func BenchmarkRetimer(b *testing.B) {
	r := NewRetimer()
	b.ReportAllocs()
	for i := range b.N {
		r.Next(Video, uint32(i*33), 66)
	}
}
