package hlspull

import "github.com/vitrine-live/vitrine/media"

// mergeSpan is how much of one track may wait for the other, which then counts as missing.
const mergeSpan = 2 * media.TicksPerSecond

// merger puts the samples of two tracks, which come each in order but from goroutines of their own, in the order of
// their decoding times: the show's interleaver waits for a late track, but not as long as a whole segment.
type merger struct {
	queues [2][]timed // video, audio
	tracks int
}

// timed is a sample, with the parameters that hold from it on when they are new.
type timed struct {
	media.Sample
	track *media.Track
}

// put adds a sample and passes on those whose turn has come.
func (m *merger) put(t timed, write func(timed) error) error {
	q := &m.queues[int(t.Kind)-int(media.Video)]
	*q = append(*q, t)
	for {
		next := m.next()
		if next == nil {
			return nil
		}
		if err := m.pop(next, write); err != nil {
			return err
		}
	}
}

// next is the queue whose first sample's turn has come.
func (m *merger) next() *[]timed {
	a, b := &m.queues[0], &m.queues[1]
	switch {
	case len(*a) > 0 && len(*b) > 0:
		if (*b)[0].DTS < (*a)[0].DTS {
			return b
		}
		return a
	case len(*a) > 0 && m.waitedEnough(*a):
		return a
	case len(*b) > 0 && m.waitedEnough(*b):
		return b
	}
	return nil
}

func (m *merger) waitedEnough(q []timed) bool {
	return m.tracks < 2 || q[len(q)-1].DTS-q[0].DTS > mergeSpan
}

// flush passes on everything.
func (m *merger) flush(write func(timed) error) error {
	for len(m.queues[0])+len(m.queues[1]) > 0 {
		next := m.next()
		if next == nil {
			next = &m.queues[0]
			if len(*next) == 0 {
				next = &m.queues[1]
			}
		}
		if err := m.pop(next, write); err != nil {
			return err
		}
	}
	return nil
}

func (m *merger) pop(q *[]timed, write func(timed) error) error {
	t := (*q)[0]
	(*q)[0] = timed{}
	if *q = (*q)[1:]; len(*q) == 0 {
		*q = nil
	}
	return write(t)
}
