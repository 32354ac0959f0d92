package overlay

import (
	"sync"
	"sync/atomic"
)

// transport is how a client is connected.
type transport uint8

const (
	webSocket transport = iota
	eventStream
	longPoll
	transports
)

// String names the transport as metrics do.
func (t transport) String() string { return [...]string{"websocket", "sse", "longpoll"}[t] }

// client is one connection of the channel. Anyone may push; the goroutine that writes to the connection takes.
type client struct {
	transport transport
	queueMax  int    // of frames; one more closes the client with closeResync, so that it never misses one silently
	kill      func() // ends the connection at once, whatever it is doing
	anchor    bool   // no viewer

	// Owned by the writing goroutine, and by join before it starts.
	pos     position
	backlog []*frame // to be written first

	// spawn starts a goroutine that calls drain; nil: a goroutine of the connection's own sits in run.
	spawn func()

	mu      sync.Mutex
	writing bool              // somebody drains, or nobody may yet
	queue   []*frame          // nil when empty: an idle connection keeps no buffer
	states  [stateKeys]*frame // of each coalesced value the newest that is not yet written
	control control
	closing closing // code 0: open

	wake chan struct{} // capacity 1; nil with spawn

	due       int64        // guarded by room.mu: the tick of the next ping, or of the end of a long poll
	pinged    bool         // guarded by room.mu
	heard     atomic.Bool  // something came from the client since the last ping
	busySince atomic.Int64 // the tick at which the write under way began; 0: none
}

// control are signals that need no frame of the channel.
type control uint8

const (
	ping   control = 1 << iota
	pong           // the answer to a ping in a text message, for clients that cannot send others
	expire         // the long poll has waited long enough
)

// delivery is what a client has to be given next.
type delivery struct {
	frames  []*frame
	control control
	closing closing
}

func newClient(t transport, queueMax int, kill func()) *client {
	return &client{transport: t, queueMax: queueMax, kill: kill, wake: make(chan struct{}, 1)}
}

// push queues frames that must not be missed. A client too slow for them is closed and resumes by its position.
func (c *client) push(frames ...*frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing.code != 0:
		return
	case len(c.queue)+len(frames) > c.queueMax:
		c.closing, c.queue, c.states = closeResync, nil, noStates
	default:
		c.queue = append(c.queue, frames...)
	}
	c.signal()
}

// pushState sets a coalesced value. It ends no long poll: such a value is not worth a round trip.
func (c *client) pushState(key stateKey, f *frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states[key] = f
	if c.transport != longPoll {
		c.signal()
	}
}

func (c *client) pushControl(k control) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.control |= k
	c.signal()
}

// close ends the connection after what is being written. The first reason stays.
func (c *client) close(why closing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing.code == 0 {
		c.closing, c.queue, c.states = why, nil, noStates
	}
	c.signal()
}

// reset makes a client that has left its room as good as new.
func (c *client) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pos, c.backlog = position{}, nil
	c.queue, c.states, c.closing = nil, noStates, closing{}
}

// signal gets what is queued written. mu is held.
func (c *client) signal() {
	if c.spawn != nil {
		if !c.writing {
			c.writing = true
			c.spawn()
		}
		return
	}
	select {
	case c.wake <- struct{}{}:
	default: // it is awake
	}
}

// take returns what is queued, in the order in which it has to be written, without what the client has already. When
// there is nothing, ok is false and the next push gets it written by somebody else.
func (c *client) take() (d delivery, ok bool) {
	c.mu.Lock()
	d = delivery{frames: c.queue, control: c.control, closing: c.closing}
	states := c.states
	c.queue, c.states, c.control = nil, noStates, 0
	ok = len(c.backlog)+len(d.frames) > 0 || states != noStates || d.control != 0 || d.closing.code != 0
	c.writing = ok
	c.mu.Unlock()
	if !ok { // from here on another goroutine may be writing
		return d, false
	}
	d.frames = c.follow(append(c.backlog, d.frames...))
	c.backlog = nil
	for _, f := range states {
		if f != nil {
			d.frames = append(d.frames, f)
		}
	}
	return d, true
}

// follow moves the position along frames and leaves out those that are behind it: what the client was given from the
// log or with a snapshot may have been queued as well. A frame that is not the next one would be a gap; instead of it
// the client is closed and resumes by its position.
func (c *client) follow(frames []*frame) []*frame {
	next := frames[:0:len(frames)]
	for _, f := range frames {
		switch f.kind {
		case snapshotFrame:
			c.pos = f.pos
		case eventFrame:
			if f.pos.epoch != c.pos.epoch || f.pos.offset <= c.pos.offset {
				continue
			}
			if f.pos.offset != c.pos.offset+1 {
				c.close(closeResync)
				return next
			}
			c.pos = f.pos
		case helloFrame, stateFrame, frameKinds:
		}
		next = append(next, f)
	}
	return next
}

// output writes to one connection, whatever its transport.
type output interface {
	write(frames []*frame) error
	control(k control) error
	bye(why closing)
}

// run writes what c is given until the connection fails, done is closed, or c is closed; then it says why.
func (c *client) run(done <-chan struct{}, clock *clock, out output) closing {
	for {
		if c.drain(clock, out) {
			return c.reason()
		}
		select {
		case <-c.wake:
		case <-done:
			return closing{}
		}
	}
}

// drain writes all that is queued. over says that it was the last: the connection failed or is closed.
func (c *client) drain(clock *clock, out output) (over bool) {
	for {
		d, ok := c.take()
		if !ok {
			return false
		}
		c.busySince.Store(clock.now())
		err := deliver(out, d)
		c.busySince.Store(0)
		if err != nil || d.closing.code != 0 {
			return true
		}
	}
}

func deliver(out output, d delivery) error {
	if len(d.frames) > 0 {
		if err := out.write(d.frames); err != nil {
			return err
		}
	}
	if d.control != 0 {
		if err := out.control(d.control); err != nil {
			return err
		}
	}
	if d.closing.code != 0 {
		out.bye(d.closing)
	}
	return nil
}

// reason is why the server ends the connection; code 0: it does not.
func (c *client) reason() closing {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}
