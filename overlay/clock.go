package overlay

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// tickEvery is the beat of a hub. All that is timed on a connection (pings, the end of a long poll, a write that hangs)
// is counted in ticks and looked at once a tick, so that an idle connection costs no timer.
const tickEvery = time.Second

// clock counts ticks and knows when a client is due.
type clock struct {
	ticks             atomic.Int64 // 1 for the first
	ping, write, poll int64        // see HubConfig, in ticks
}

func newClock(cfg HubConfig) *clock {
	c := &clock{ping: inTicks(cfg.PingInterval), write: inTicks(cfg.WriteTimeout), poll: inTicks(cfg.PollWait)}
	c.ticks.Store(1)
	return c
}

func inTicks(d time.Duration) int64 { return int64((d + tickEvery - 1) / tickEvery) }

func (c *clock) now() int64 { return c.ticks.Load() }

// start sets when a new client is due for the first time. Pings are spread over their interval, so that clients that
// came together do not all answer at once.
func (c *clock) start(cl *client) {
	if cl.transport == longPoll {
		cl.due = c.now() + c.poll
		return
	}
	cl.due = c.now() + 1 + rand.Int64N(c.ping) //nolint:gosec // spreads load, guards nothing
}

// serve does for a client what is due.
func (c *clock) serve(cl *client, now int64) {
	if busy := cl.busySince.Load(); busy != 0 && now-busy > c.write {
		cl.close(closeResync) // for the metrics: it cannot be told
		cl.kill()
		return
	}
	if now < cl.due {
		return
	}
	cl.due = now + c.ping
	switch cl.transport {
	case longPoll:
		cl.due = math.MaxInt64
		cl.pushControl(expire)
	case webSocket:
		if heard := cl.heard.Swap(false); cl.pinged && !heard {
			cl.close(closeNoPong)
			return
		}
		cl.pinged = true
		cl.pushControl(ping)
	case eventStream, transports:
		cl.pushControl(ping)
	}
}
