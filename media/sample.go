package media

import "time"

// Sample is one access unit of one track. Whoever holds a Sample may keep Payload for as long as it likes and must
// not write to it: a payload travels from the receive buffer to the packager without being copied.
type Sample struct {
	Kind     Kind
	PTS, DTS Ticks // publisher time before live.Session, show time after it
	Key      bool  // video: an IDR access unit. Audio: always true
	Payload  []byte

	// Arrival is when the last byte was received, with the monotonic clock reading.
	Arrival time.Time

	// Rebased is set on the first sample after the retimer had to move the publisher's clock.
	Rebased bool
}

// Epoch is one uninterrupted publish within a show: the linear mapping between show time and the wall clock that
// holds from ShowTime on, until the next epoch.
type Epoch struct {
	ShowTime Ticks
	Wall     time.Time // of the sample presented at ShowTime; whole milliseconds, UTC
}

// WallAt maps show time to the wall clock by this epoch alone.
func (e Epoch) WallAt(t Ticks) time.Time { return e.Wall.Add((t - e.ShowTime).Duration()) }

// Epochs are the epochs of a show in the order of show time.
type Epochs []Epoch

// At returns the epoch that holds at show time t: the last one that starts at or before t, the first one for earlier
// times. ok is false when there is none.
func (es Epochs) At(t Ticks) (e Epoch, ok bool) {
	for i := len(es) - 1; i >= 0; i-- {
		if es[i].ShowTime <= t || i == 0 {
			return es[i], true
		}
	}
	return Epoch{}, false
}

// WallAt maps show time to the wall clock. It returns the zero time when there is no epoch.
func (es Epochs) WallAt(t Ticks) time.Time {
	e, ok := es.At(t)
	if !ok {
		return time.Time{}
	}
	return e.WallAt(t)
}

// ShowTimeAt maps a wall instant to show time. A wall instant in the gap between two epochs maps to the instant of the
// gap, one before the first epoch to 0, as in the rule that what happens during a gap stands at the gap's instant.
func (es Epochs) ShowTimeAt(wall time.Time) Ticks {
	for i := len(es) - 1; i >= 0; i-- {
		if wall.Before(es[i].Wall) {
			continue
		}
		t := es[i].ShowTime + FromDuration(wall.Sub(es[i].Wall))
		if i+1 < len(es) {
			t = min(t, es[i+1].ShowTime)
		}
		return t
	}
	return 0
}
