package whip

import (
	"time"
)

const (
	// settleAfter is how long the picture must keep its size.
	settleAfter = time.Second
	// largeEnough is the length of the short side at which no climb is expected any more.
	largeEnough = 720
)

// settle decides when a publish may begin. Browsers begin at a fraction of the size until they know what the network
// carries, and every step up would be new parameters, a discontinuity in the show's first seconds.
type settle struct {
	limit time.Duration // negative: none

	began         time.Time // the first media
	width, height int
	changed       time.Time
}

// media notes that media came.
func (s *settle) media(now time.Time) {
	if s.began.IsZero() {
		s.began = now
	}
}

// size notes the size of a keyframe and reports whether it is a new one.
func (s *settle) size(width, height int, now time.Time) bool {
	if width == s.width && height == s.height {
		return false
	}
	s.width, s.height, s.changed = width, height, now
	return true
}

// over reports whether the wait has taken as long as it may.
func (s *settle) over(now time.Time) bool {
	return s.limit < 0 || !s.began.IsZero() && now.Sub(s.began) >= s.limit
}

// settled reports whether the size is not expected to change, and why.
func (s *settle) settled(now time.Time) (why string, ok bool) {
	switch {
	case s.width == 0:
		return "", false
	case min(s.width, s.height) >= largeEnough:
		return "large enough", true
	case now.Sub(s.changed) >= settleAfter:
		return "size kept", true
	}
	return "", false
}
