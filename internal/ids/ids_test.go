package ids

import (
	"strings"
	"testing"
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

func TestValidGuardsPaths(t *testing.T) {
	good := New("show")
	for _, bad := range []string{"", "show_", "show_../../etc/passwd", "room" + strings.TrimPrefix(good, "show"), good + "x", good[:len(good)-1], strings.ToUpper(good), "show_0123456789abcde/", "show_0123456789abcdeu"} {
		if Valid("show", bad) {
			t.Errorf("%q passed", bad)
		}
	}
}
