package media

import "time"

// arrivalBuckets and arrivalBucket make the window of the minimum-delay filter: long enough to hold a sample that came
// through without queueing, short enough to follow the drift of the publisher's crystal (100 ppm is 1 ms in 10 s).
const (
	arrivalBuckets = 10
	arrivalBucket  = time.Second
)

// ArrivalClock maps wall instants to show time by the arrivals of samples. A sample is never early, only late by
// encoder and network queueing, so the smallest difference between arrival and presentation time within the last
// ten seconds is the path without queues (the minimum filter of RFC 5905, section 10).
//
// The zero value is ready. It is not safe for concurrent use.
type ArrivalClock struct {
	base    time.Time // of the delays below
	minima  [arrivalBuckets]Ticks
	filled  int
	current int       // index of the open bucket
	opened  time.Time // when the open bucket began
}

// Reset forgets everything, as a new epoch must.
func (c *ArrivalClock) Reset() { *c = ArrivalClock{} }

// Observe takes the presentation time and arrival of one sample.
func (c *ArrivalClock) Observe(pts Ticks, arrival time.Time) {
	if c.filled == 0 {
		c.base, c.opened, c.filled = arrival, arrival, 1
		c.minima[0] = -pts
		return
	}
	delay := FromDuration(arrival.Sub(c.base)) - pts
	if arrival.Sub(c.opened) < arrivalBucket {
		c.minima[c.current] = min(c.minima[c.current], delay)
		return
	}
	c.current = (c.current + 1) % arrivalBuckets
	c.filled = min(c.filled+1, arrivalBuckets)
	c.minima[c.current], c.opened = delay, arrival
}

// ShowTimeAt returns the presentation time of the sample that arrives at wall without queueing, which may be later than
// any sample seen so far. ok is false before the first sample.
func (c *ArrivalClock) ShowTimeAt(wall time.Time) (t Ticks, ok bool) {
	if c.filled == 0 {
		return 0, false
	}
	least := c.minima[0]
	for _, d := range c.minima[1:c.filled] {
		least = min(least, d)
	}
	return FromDuration(wall.Sub(c.base)) - least, true
}
