package media

import (
	"testing"

	"pgregory.net/rapid"
)

func TestNextTicksKeepsASoundClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := NewRetimer()
		at := Ticks(rapid.Int64Range(0, 1<<32).Draw(t, "start"))
		for range 200 {
			at += Ticks(rapid.Int64Range(1, int64(2*TicksPerSecond)).Draw(t, "step"))
			pts := at + Ticks(rapid.Int64Range(0, 9000).Draw(t, "cts"))
			if got := r.NextTicks(Video, at, pts); got != (Timing{DTS: at, PTS: pts}) {
				t.Fatalf("%d, %d became %+v", at, pts, got)
			}
			if got := r.NextTicks(Audio, at-100, at-100); got.PTS != at-100 || got.Rebased {
				t.Fatalf("sound at %d became %+v", at-100, got)
			}
		}
	})
}

func TestNextTicksClosesALeap(t *testing.T) {
	r := NewRetimer()
	const step, hour = 3000, 3600 * TicksPerSecond
	r.NextTicks(Video, 0, 0)
	r.NextTicks(Video, step, step)
	got := r.NextTicks(Video, hour, hour)
	if want := (Timing{DTS: 2 * step, PTS: 2 * step, Rebased: true, Anomaly: AnomalyJumpForward}); got != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
	if got := r.AtTicks(Video, hour+5); got != 2*step+5 {
		t.Errorf("an instant after the leap is at %d", got)
	}
}

func TestNextTicksShowsANudgedPictureInTime(t *testing.T) {
	r := NewRetimer()
	r.NextTicks(Video, 9000, 9000)
	got := r.NextTicks(Video, 6000, 12_000) // reordering began: the decoding time falls behind
	if want := (Timing{DTS: 9001, PTS: 12_000, Anomaly: AnomalyDTSNotRising}); got != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
}
