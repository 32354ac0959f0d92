package media

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestRescaleRoundsToNearestWithoutOverflow(t *testing.T) {
	for _, c := range []struct {
		v        Ticks
		num, den int64
		want     Ticks
	}{
		{1, 1, 2, 1},
		{-1, 1, 2, -1},
		{1, 1, 3, 0},
		{90_000, 48_000, 90_000, 48_000},
		{12 * 3600 * 90_000, int64(time.Second), 90_000, Ticks(12 * time.Hour)},
		{-12 * 3600 * 90_000, int64(time.Second), 90_000, -Ticks(12 * time.Hour)},
	} {
		if got := Rescale(c.v, c.num, c.den); got != c.want {
			t.Errorf("Rescale(%d, %d, %d) = %d, want %d", c.v, c.num, c.den, got, c.want)
		}
	}
}

func TestMillisecondsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(-1<<40, 1<<40).Draw(t, "ms")
		if got := FromMilliseconds(ms).Milliseconds(); got != ms {
			t.Fatalf("%d ms came back as %d", ms, got)
		}
		d := time.Duration(rapid.Int64Range(-1<<50, 1<<50).Draw(t, "d"))
		if diff := FromDuration(d).Duration() - d; diff.Abs() > time.Second/90_000 {
			t.Fatalf("%v came back %v off", d, diff)
		}
	})
}

func TestEpochsMapBothWays(t *testing.T) {
	wall := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	es := Epochs{
		{ShowTime: 0, Wall: wall},
		{ShowTime: FromMilliseconds(10_000), Wall: wall.Add(15 * time.Second)}, // 5 s without a publisher
	}
	for _, c := range []struct {
		wall time.Duration
		show int64
	}{
		{-time.Second, 0},
		{0, 0},
		{9 * time.Second, 9000},
		{10 * time.Second, 10_000},
		{12 * time.Second, 10_000},
		{15 * time.Second, 10_000},
		{16 * time.Second, 11_000},
	} {
		if got := es.ShowTimeAt(wall.Add(c.wall)).Milliseconds(); got != c.show {
			t.Errorf("show time at +%v = %d, want %d", c.wall, got, c.show)
		}
	}
	for show, want := range map[int64]time.Duration{0: 0, 9999: 9999 * time.Millisecond, 10_000: 15 * time.Second, 12_000: 17 * time.Second} {
		if got := es.WallAt(FromMilliseconds(show)).Sub(wall); got != want {
			t.Errorf("wall at %d ms = +%v, want +%v", show, got, want)
		}
	}
	if !(Epochs{}).WallAt(0).IsZero() || (Epochs{}).ShowTimeAt(wall) != 0 {
		t.Error("no epochs must map to nothing")
	}
}
