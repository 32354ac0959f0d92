package rtmp

import (
	"net/netip"
	"testing"
	"time"
)

func TestBucket(t *testing.T) {
	b := newBucket(10, 20, testTime)
	for _, step := range []struct {
		at   time.Duration
		n    int
		wait time.Duration
	}{
		{0, 20, 0},
		{0, 5, 500 * time.Millisecond},
		{0, 5, 500 * time.Millisecond}, // the clock stands behind: no wait is counted twice
		{time.Second, 1, 100 * time.Millisecond},
		{2 * time.Second, 9, 0},
		{time.Hour, 20, 0},
		{time.Hour, 1, 100 * time.Millisecond},
	} {
		if got := b.take(testTime.Add(step.at), step.n); got != step.wait {
			t.Errorf("%d at %s: wait %s, want %s", step.n, step.at, got, step.wait)
		}
	}
}

func TestDoorkeeperForgets(t *testing.T) {
	d := newDoorkeeper(Config{MaxWrongKeys: 2}.withDefaults())
	a := netip.MustParseAddr("192.0.2.1")
	if why := d.enter(a, testTime); why != "" {
		t.Fatal(why)
	}
	d.leave(a, true)
	if len(d.addresses) != 0 {
		t.Error("an address with nothing to remember is remembered")
	}

	_ = d.enter(a, testTime)
	d.wrongKey(a, testTime)
	d.wrongKey(a, testTime)
	d.leave(a, true)
	if d.mayTry(a, testTime.Add(29*time.Second)) {
		t.Error("forgiven too early")
	}
	if !d.mayTry(a, testTime.Add(30*time.Second)) {
		t.Error("one key each 30 s is due")
	}
	d.sweep(testTime.Add(time.Minute))
	if len(d.addresses) != 0 || d.open != 0 || d.strangers != 0 {
		t.Errorf("left: %+v", d)
	}
}

// However many addresses come, their records are bounded, and connections are counted all the same.
func TestDoorkeeperIsBounded(t *testing.T) {
	d := newDoorkeeper(Config{}.withDefaults())
	from := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range maxAddresses + 10 {
		d.wrongKey(from(i), testTime)
	}
	if len(d.addresses) != maxAddresses {
		t.Errorf("%d records", len(d.addresses))
	}
	last := from(maxAddresses + 9)
	if why := d.enter(last, testTime); why != "" || !d.mayTry(last, testTime) {
		t.Error("an address that is not remembered is locked out")
	}
	d.leave(last, true)
	if d.open != 0 || d.strangers != 0 {
		t.Errorf("%d open, %d strangers", d.open, d.strangers)
	}
}
