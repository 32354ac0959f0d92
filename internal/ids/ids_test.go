package ids

import (
	"strings"
	"testing"
	"time"
)

func TestNewIsValidAndUnique(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := New("room")
		if !Valid("room", id) || seen[id] {
			t.Fatal(id)
		}
		seen[id] = true
	}
	if s := Secret("live"); len(s) != len("live_")+32 || !strings.HasPrefix(s, "live_") {
		t.Errorf("secret %q", s)
	}
}

// Identifiers of later seconds are greater, and those of one second differ.
func TestOrdered(t *testing.T) {
	at, seen, last := time.Unix(1_800_000_000, 0), map[string]bool{}, ""
	for n := range 1000 {
		id := Ordered("ord", at.Add(time.Duration(n)*time.Second))
		if !Valid("ord", id) || id <= last {
			t.Fatalf("%q after %q", id, last)
		}
		last = id
		same := Ordered("ord", at)
		if seen[same] || same[:10] != Ordered("ord", at)[:10] {
			t.Fatalf("%q", same)
		}
		seen[same] = true
	}
}

func TestOf(t *testing.T) {
	a, b := Of("clm", "win_1"), Of("clm", "win_2")
	if a != Of("clm", "win_1") || a == b || !Valid("clm", a) || !Valid("clm", b) {
		t.Errorf("%q, %q", a, b)
	}
}

func TestValidGuardsPaths(t *testing.T) {
	good := New("show")
	for _, bad := range []string{"", "show_", "show_../../etc/passwd", "room" + strings.TrimPrefix(good, "show"), good + "x", good[:len(good)-1], strings.ToUpper(good), "show_0123456789abcde/", "show_0123456789abcdeu"} {
		if Valid("show", bad) {
			t.Errorf("%q passed", bad)
		}
	}
}
