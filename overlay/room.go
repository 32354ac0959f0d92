package overlay

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

const (
	// ringSize is how many of the newest events a room keeps rendered: clients that were away briefly resume from
	// memory, however many come back at once. Older ones are read from the log.
	ringSize = 256
	// snapshotTicks is how long a snapshot serves all who join, with the events since.
	snapshotTicks = 1
	// lingerTicks is how long a long poll that was answered still counts as a viewer.
	lingerTicks = 5
	// idleTicks is how long a room without clients is kept.
	idleTicks = 30
)

// room is the channel of one room: the clients that follow it and the events of its current show.
type room struct {
	id  string
	hub *Hub

	users int   // guarded by hub.mu: clients and requests
	used  int64 // guarded by hub.mu: the tick of the last one

	// refreshing makes snapshots and changes of the show one at a time. It is taken before mu.
	refreshing sync.Mutex

	mu      sync.Mutex
	clients map[*client]struct{}
	opened  bool     // the show is known
	dirty   bool     // the show may have changed
	epoch   string   // the show whose events are passed on, "" for none
	top     int64    // number of its newest event
	ring    []*frame // its newest events, the last one numbered top
	next    string   // the show being changed to, "" for none
	early   []Event  // of next
	stop    func()   // ends the subscription to epoch
	snap    *frame   // the newest snapshot, nil when it must not be used any more
	snapAt  int64    // the tick of snap
	viewers int64    // as last told
	likes   int64    // of epoch, as last heard
	liked   int64    // as last told
	told    [stateKeys]*frame
	anchors int     // of the clients
	linger  []int64 // ticks at which answered long polls stop counting, in order
}

// open makes sure that the show of the room is known. NotFound: there is no such room.
func (r *room) open(ctx context.Context) error {
	if r.isOpen() {
		return nil
	}
	_, err := r.snapshot(ctx)
	return err
}

// join makes c a client of the room. It is given hello and then either all events after its position, or a snapshot.
func (r *room) join(ctx context.Context, c *client, since position, resume bool) error {
	recovered := false
	if resume {
		var err error
		if recovered, err = r.resume(ctx, c, since); err != nil {
			return err
		}
	}
	r.hub.metrics.recoveries[recovered].Inc()
	if !recovered {
		if err := r.begin(ctx, c); err != nil {
			return err
		}
	}
	if r.hub.closed() { // after the hub looked for clients to close
		c.close(closeGoingAway)
	}
	return nil
}

// resume makes c go on after since, if the missed events are at hand.
func (r *room) resume(ctx context.Context, c *client, since position) (ok bool, err error) {
	r.mu.Lock()
	missed := r.top - since.offset
	if since.epoch == "" || since.epoch != r.epoch || missed < 0 || missed > MaxEvents {
		r.mu.Unlock()
		return false, nil
	}
	c.pos = since
	c.backlog = []*frame{newHello(since, true, time.Now())}
	if missed <= int64(len(r.ring)) {
		c.backlog = append(c.backlog, r.ring[int64(len(r.ring))-missed:]...)
		r.addLocked(c)
		r.mu.Unlock()
		return true, nil
	}
	// From here on its events queue up; then the log is read; what comes twice is left out by number.
	top := r.top
	r.addLocked(c)
	r.mu.Unlock()
	if ok, err = r.readLog(ctx, c, since, top); !ok {
		r.leave(c)
		c.reset()
	}
	return ok, err
}

// readLog adds the events after since to the backlog. ok is false when the log does not hold all up to top.
func (r *room) readLog(ctx context.Context, c *client, since position, top int64) (ok bool, err error) {
	events, err := r.hub.timeline.Events(ctx, since.epoch, since.offset, MaxEvents)
	if err != nil {
		return false, err
	}
	if len(events) == 0 || events[0].Seq != since.offset+1 || events[len(events)-1].Seq < top {
		return false, nil
	}
	for _, e := range events {
		c.backlog = append(c.backlog, newEventFrame(since.epoch, e))
	}
	return true, nil
}

// begin makes c start with a snapshot.
func (r *room) begin(ctx context.Context, c *client) error {
	for range 3 {
		snap, err := r.snapshot(ctx)
		if err != nil {
			return err
		}
		r.mu.Lock()
		since, ok := r.sinceLocked(snap)
		if !ok { // the show changed again, or more events came than the ring holds
			r.mu.Unlock()
			continue
		}
		c.pos = snap.pos
		c.backlog = append([]*frame{newHello(snap.pos, false, time.Now()), snap}, since...)
		r.addLocked(c)
		r.mu.Unlock()
		return nil
	}
	return errs.New(errs.Unavailable, "overlay.join", "the room changes too fast to follow: try again in a moment")
}

// sinceLocked returns the events after a snapshot, if the ring holds them all.
func (r *room) sinceLocked(snap *frame) ([]*frame, bool) {
	n := r.top - snap.pos.offset
	if snap.pos.epoch != r.epoch || n < 0 || n > int64(len(r.ring)) {
		return nil, false
	}
	return r.ring[int64(len(r.ring))-n:], true
}

func (r *room) addLocked(c *client) {
	c.states = r.told
	r.hub.clock.start(c)
	r.clients[c] = struct{}{}
	if c.anchor {
		r.anchors++
		return
	}
	if c.transport == longPoll && len(r.linger) > 0 {
		r.linger = r.linger[1:] // it is the next poll of somebody who still counts
	}
}

// leave takes c out of the room. It does nothing for a client that is not in it.
func (r *room) leave(c *client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.clients[c]; !ok {
		return
	}
	delete(r.clients, c)
	switch {
	case c.anchor:
		r.anchors--
	case c.transport == longPoll:
		r.linger = append(r.linger, r.hub.clock.now()+lingerTicks)
	}
}

// snapshot returns a snapshot of the room that holds everything up to its position. If the room has changed its show,
// the clients go over to the new one.
func (r *room) snapshot(ctx context.Context) (*frame, error) {
	r.refreshing.Lock()
	defer r.refreshing.Unlock()
	r.mu.Lock()
	snap := r.snap
	_, covered := r.sinceLockedOrNone(snap)
	if r.hub.clock.now()-r.snapAt >= snapshotTicks || r.dirty || !covered {
		snap = nil
	}
	r.mu.Unlock()
	if snap != nil {
		return snap, nil
	}
	return r.refresh(ctx)
}

func (r *room) sinceLockedOrNone(snap *frame) ([]*frame, bool) {
	if snap == nil {
		return nil, false
	}
	return r.sinceLocked(snap)
}

// refresh asks for the state of the room until it and the show that is followed agree. refreshing is held.
func (r *room) refresh(ctx context.Context) (*frame, error) {
	changed := false
	for range 3 {
		r.mu.Lock()
		pos := position{r.epoch, r.top} // read before the state, so that the state holds all of it
		r.dirty = false
		known := r.opened
		r.mu.Unlock()
		state, err := r.hub.snapshots.Snapshot(ctx, r.id)
		if err != nil {
			r.markDirty()
			return nil, err
		}
		if !known || state.epoch() != pos.epoch {
			if err := r.change(ctx, state.epoch()); err != nil {
				r.markDirty()
				return nil, err
			}
			changed = changed || known
			continue // the state may be older than the new show's position
		}
		if pos.epoch != "" {
			if err := r.hub.timeline.fill(ctx, pos.epoch, &state); err != nil {
				r.markDirty()
				return nil, err
			}
		}
		return r.keep(newSnapshotFrame(pos, state), changed), nil
	}
	r.markDirty()
	return nil, errs.New(errs.Unavailable, "overlay.refresh", "the room changes its show too fast to follow: try again in a moment")
}

func (r *room) markDirty() {
	r.mu.Lock()
	r.dirty = true
	r.mu.Unlock()
}

// keep makes snap the one for all who join, and gives it to all clients when the show has changed.
func (r *room) keep(snap *frame, changed bool) *frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snap, r.snapAt = snap, r.hub.clock.now()
	if changed {
		since, _ := r.sinceLocked(snap) // without them a client notices the gap and resumes
		r.sendLocked(append([]*frame{snap}, since...)...)
	}
	return snap
}

// change goes over to the events of another show. refreshing is held.
func (r *room) change(ctx context.Context, epoch string) error {
	stop, last := func() {}, int64(0)
	if epoch != "" {
		r.mu.Lock()
		r.next, r.early = epoch, nil
		r.mu.Unlock()
		stop = r.hub.timeline.Subscribe(epoch, func(e Event) { r.take(epoch, e) })
		var err error
		if last, err = r.hub.timeline.LastSeq(ctx, epoch); err != nil {
			stop()
			r.mu.Lock()
			r.next, r.early = "", nil
			r.mu.Unlock()
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop()
	r.stop, r.opened = stop, true
	r.epoch, r.top, r.ring, r.snap = epoch, last, nil, nil
	early := r.early
	r.next, r.early = "", nil
	r.likes, r.liked, r.told[likesState] = 0, 0, nil // the snapshot says those of the new show
	for _, e := range early {
		r.passLocked(e)
	}
	return nil
}

// take is called with each event of a show that the room follows or is about to follow.
func (r *room) take(epoch string, e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch epoch {
	case r.epoch:
		r.passLocked(e)
	case r.next:
		r.early = append(r.early, e)
	}
}

// passLocked hands an event to all clients.
func (r *room) passLocked(e Event) {
	if e.Seq <= r.top {
		return
	}
	if e.Seq != r.top+1 { // one was not published: who waits for it notices and resumes from the log
		r.ring = nil
	}
	if e.Type == TypeCommentHidden { // from the log the comment comes empty
		r.ring, r.snap = nil, nil
	}
	f := newEventFrame(r.epoch, e)
	r.top = e.Seq
	if len(r.ring) == ringSize {
		r.ring = slices.Delete(r.ring, 0, 1)
	}
	r.ring = append(r.ring, f)
	r.sendLocked(f)
}

// sendLocked only queues: nothing is written to the network under the lock.
func (r *room) sendLocked(frames ...*frame) {
	for c := range r.clients {
		c.push(frames...)
	}
}

// changed makes the clients go over to the room's show if it is another one.
func (r *room) changed(ctx context.Context) {
	_, err := r.snapshot(ctx)
	if errs.KindOf(err) == errs.NotFound {
		r.mu.Lock()
		r.opened, r.dirty = false, false // whoever comes now is told so
		r.mu.Unlock()
		r.closeAll(closeRoomGone)
	} else if err != nil { // it stays dirty: the next tick tries again
		r.hub.log.Error("the state of a room cannot be read; its viewers wait for it", "room", r.id, "error", err)
	}
}

func (r *room) closeAll(why closing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.clients {
		c.close(why)
	}
}

// tick does what happens once a second: tells the number of viewers and of likes if they have changed, and serves the clients whose
// time has come. It reports whether the room's state has to be read again.
func (r *room) tick(now int64) (dirty bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.linger) > 0 && r.linger[0] <= now {
		r.linger = r.linger[1:]
	}
	n := int64(len(r.clients) - r.anchors + len(r.linger))
	if (n != r.viewers || r.told[viewersState] == nil) && len(r.clients) > 0 {
		r.viewers = n
		r.tellLocked(viewersState, n)
	}
	if r.likes != r.liked && len(r.clients) > 0 {
		r.liked = r.likes
		r.tellLocked(likesState, r.likes)
	}
	for c := range r.clients {
		r.hub.clock.serve(c, now)
	}
	return r.dirty && r.opened
}

// tellLocked gives all clients a coalesced value.
func (r *room) tellLocked(key stateKey, value int64) {
	r.told[key] = newStateFrame(key, value)
	for c := range r.clients {
		c.pushState(key, r.told[key])
	}
}

// heard takes the number of likes of a show; the next tick tells it.
func (r *room) heard(epoch string, likes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if epoch == r.epoch && likes > r.likes {
		r.likes = likes
	}
}

func (r *room) killAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.clients {
		c.kill()
	}
}

// shutdown ends the subscription of a room that nobody follows any more.
func (r *room) shutdown() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop()
	r.stop = func() {}
}

func (r *room) isOpen() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.opened
}

func newRoom(id string, h *Hub) *room {
	return &room{id: id, hub: h, clients: map[*client]struct{}{}, stop: func() {}}
}
