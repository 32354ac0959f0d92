package whip

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
	"pgregory.net/rapid"
)

var ringStart = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func packetOf(seq uint16, at time.Time) *packet {
	p := newPacket()
	p.Packet = rtp.Packet{Header: rtp.Header{SequenceNumber: seq}}
	p.arrival = at
	return p
}

// popAll takes what is ready; -1 stands for a gap.
func popAll(r *ring, now time.Time) (out []int) {
	for p := r.pop(now); p != nil; p = r.pop(now) {
		if p.gap {
			out = append(out, -1)
		}
		out = append(out, int(p.SequenceNumber))
	}
	return out
}

func TestRing(t *testing.T) {
	type step struct {
		after time.Duration
		push  []int
		want  []int
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"in order", []step{{0, []int{5, 6, 7}, []int{5, 6, 7}}}},
		{"swapped", []step{{0, []int{5, 7}, []int{5}}, {0, []int{6}, []int{6, 7}}}},
		{"duplicates", []step{{0, []int{5, 5, 6, 6, 5}, []int{5, 6}}}},
		{"a held duplicate", []step{{0, []int{5, 7, 7}, []int{5}}, {0, []int{6, 7}, []int{6, 7}}}},
		{"given up", []step{{0, []int{5, 7}, []int{5}}, {249 * time.Millisecond, nil, nil}, {time.Millisecond, nil, []int{-1, 7}}, {0, []int{6}, nil}}},
		{"two gaps, each with its own time", []step{
			{0, []int{5, 7}, []int{5}}, {100 * time.Millisecond, []int{9}, nil}, {150 * time.Millisecond, nil, []int{-1, 7}}, {100 * time.Millisecond, nil, []int{-1, 9}},
		}},
		{"the counter wraps", []step{{0, []int{65534, 65535, 1}, []int{65534, 65535}}, {0, []int{0}, []int{0, 1}}}},
		{"before the first", []step{{0, []int{5}, []int{5}}, {0, []int{4}, nil}}},
		{"a stray", []step{{0, []int{5, 30_000, 6}, []int{5, 6}}}},
		{"began anew", []step{{0, []int{5, 30_000, 30_001, 30_002}, []int{5, -1, 30_001, 30_002}}}},
		{"began anew, backwards", []step{{0, []int{60_000, 40, 41}, nil}, {0, []int{30_000, 30_001}, []int{-1, 30_001}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, now := ring{patience: 250 * time.Millisecond}, ringStart
			for i, s := range c.steps {
				now = now.Add(s.after)
				var got []int
				for _, seq := range s.push {
					r.push(packetOf(uint16(seq), now))
					got = append(got, popAll(&r, now)...)
				}
				got = append(got, popAll(&r, now)...)
				if s.want != nil && !slices.Equal(got, s.want) || s.want == nil && c.name != "began anew, backwards" && len(got) > 0 {
					t.Fatalf("step %d: %v, want %v", i, got, s.want)
				}
			}
		})
	}
}

func TestRingAsksAgain(t *testing.T) {
	r, now := ring{patience: 250 * time.Millisecond}, ringStart
	ask := func(after time.Duration) []uint16 {
		now = now.Add(after)
		return r.nacks(now, 80*time.Millisecond, nil)
	}
	r.push(packetOf(10, now))
	r.push(packetOf(13, now))
	if got := ask(5 * time.Millisecond); len(got) != 0 {
		t.Errorf("asked for %v at once", got)
	}
	if got := ask(5 * time.Millisecond); !slices.Equal(got, []uint16{11, 12}) {
		t.Errorf("asked for %v", got)
	}
	if at, ok := r.due(80 * time.Millisecond); !ok || at.Sub(now) != 100*time.Millisecond {
		t.Errorf("due in %v, %v", at.Sub(now), ok)
	}
	r.push(packetOf(11, now))
	if got := ask(99 * time.Millisecond); len(got) != 0 {
		t.Errorf("asked for %v within a round trip", got)
	}
	if got := ask(time.Millisecond); !slices.Equal(got, []uint16{12}) {
		t.Errorf("asked for %v", got)
	}
	if r.repaired != 1 {
		t.Errorf("%d repaired", r.repaired)
	}
	now = now.Add(time.Second)
	popAll(&r, now)
	if _, ok := r.due(0); ok || r.lost != 1 {
		t.Errorf("given up: due %v, lost %d", ok, r.lost)
	}
}

// Whatever the network does, packets come out in order, once, and all of those that came in time.
func TestRingKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		loss := rapid.Float64Range(0, 0.5).Draw(t, "loss")
		spread := rapid.IntRange(1, 60).Draw(t, "spread")
		first := rapid.Uint16().Draw(t, "first")
		type event struct{ at, n int }
		var events []event
		for n := range 2000 {
			for range 1 + rng.IntN(2) {
				if n == 0 || rng.Float64() >= loss {
					events = append(events, event{n + rng.IntN(spread)*min(n, 1), n})
				}
			}
		}
		slices.SortStableFunc(events, func(a, b event) int { return a.at - b.at })
		r, last := ring{patience: 250 * time.Millisecond}, -1
		for _, e := range events {
			now := ringStart.Add(time.Duration(e.at) * time.Millisecond)
			r.push(packetOf(first+uint16(e.n), now))
			for p := r.pop(now); p != nil; p = r.pop(now) {
				n := int(p.SequenceNumber - first)
				if n <= last || p.gap != (n != last+1) {
					t.Fatalf("%d after %d, gap %v", n, last, p.gap)
				}
				last = n
			}
		}
	})
}

func FuzzRing(f *testing.F) {
	f.Add([]byte{0, 1, 0, 2, 0, 4, 0, 3})
	f.Add([]byte{255, 255, 0, 0, 128, 0, 128, 1, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, now, last := ring{patience: 250 * time.Millisecond}, ringStart, int64(-1)
		for ; len(b) >= 2; b = b[2:] {
			now = now.Add(time.Duration(b[1]) * time.Millisecond)
			r.push(packetOf(uint16(b[0])<<8|uint16(b[1]), now))
			for p := r.pop(now); p != nil; p = r.pop(now) {
				if p.seq <= last && r.restarts == 0 {
					t.Fatalf("%d after %d", p.seq, last)
				}
				last = p.seq
			}
			r.nacks(now, 0, nil)
			if len(r.waits) > ringSize {
				t.Fatalf("%d packets are waited for", len(r.waits))
			}
		}
	})
}

func BenchmarkRing(b *testing.B) {
	r, now := ring{patience: 250 * time.Millisecond}, ringStart
	b.ReportAllocs()
	for i := range b.N {
		r.push(packetOf(uint16(i), now))
		r.pop(now).recycle()
	}
}
