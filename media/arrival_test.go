package media

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestArrivalClockFollowsTheLeastDelay(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	rng := rand.New(rand.NewPCG(1, 2))
	var c ArrivalClock
	if _, ok := c.ShowTimeAt(start); ok {
		t.Fatal("a clock without samples told a time")
	}
	const path = 30 * time.Millisecond
	for i := range 600 { // 20 s of 30 fps
		at := time.Duration(i) * time.Second / 30
		queue := time.Duration(rng.IntN(80)) * time.Millisecond
		if i%10 == 0 {
			queue = 0
		}
		c.Observe(FromDuration(at), start.Add(at+path+queue))
	}
	got, _ := c.ShowTimeAt(start.Add(25*time.Second + path))
	if want := FromDuration(25 * time.Second); got < want-1 || got > want+1 {
		t.Fatalf("show time %v ms, want %v ms", got.Milliseconds(), want.Milliseconds())
	}
}

func TestArrivalClockForgetsAnOldPath(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var c ArrivalClock
	for i := range 40 {
		path := 20 * time.Millisecond
		if i >= 10 {
			path = 120 * time.Millisecond // the phone moved to another network
		}
		at := time.Duration(i) * time.Second
		c.Observe(FromDuration(at), start.Add(at+path))
	}
	got, _ := c.ShowTimeAt(start.Add(41*time.Second + 120*time.Millisecond))
	if want := FromDuration(41 * time.Second); got != want {
		t.Fatalf("show time %v ms, want %v ms", got.Milliseconds(), want.Milliseconds())
	}
}

func TestArrivalClockTakesTheNewestPictureOfAReorderedGroup(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var c ArrivalClock
	// Decode order I P B B: the P picture is captured last and sent right away, the B pictures follow it late.
	for _, s := range []struct{ pts, arrival int64 }{{0, 10}, {100, 110}, {33, 112}, {67, 114}, {200, 210}, {133, 212}} {
		c.Observe(FromMilliseconds(s.pts), start.Add(time.Duration(s.arrival)*time.Millisecond))
	}
	got, _ := c.ShowTimeAt(start.Add(310 * time.Millisecond))
	if want := FromMilliseconds(300); got != want {
		t.Fatalf("show time %v ms, want 300 ms", got.Milliseconds())
	}
}
