package clip

import (
	"testing"
	"time"
)

// A show whose pictures are late holds encoding back, but not for ever.
func TestEncodingIsHeldBackForAWhile(t *testing.T) {
	now := time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)
	why := ""
	s := newService(Config{}, Deps{Behind: func() string { return why }, Now: func() time.Time { return now }})
	steps := []struct {
		after time.Duration
		why   string
		want  bool
	}{
		{0, "", true},
		{0, "late", false},
		{patience - time.Second, "late", false},
		{time.Second, "late", true}, // one, after a minute
		{0, "late", false},
		{patience, "late", true},
		{time.Second, "", true}, // over
		{0, "", true},
		{time.Hour, "late", false}, // late anew
	}
	for i, st := range steps {
		now, why = now.Add(st.after), st.why
		if got := s.mayEncode(); got != st.want {
			t.Errorf("step %d: %v, want %v", i, got, st.want)
		}
	}
}
