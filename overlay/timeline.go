package overlay

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// MaxEvents is how many events one call of Events returns at most, and how many missed ones a client of the channel may
// still resume over.
const MaxEvents = 1000

// maxEventData is the size of an event's data in bytes: a bag of 200 products with long titles and links.
const maxEventData = 1 << 20

// eventStore keeps the logs. Each method is one transaction.
type eventStore interface {
	// AppendEvents writes all events or none and numbers them without a gap; it returns the first number. NotFound.
	AppendEvents(ctx context.Context, showID string, events []Event) (first int64, err error)
	// Events returns at most limit events numbered above after, in order.
	Events(ctx context.Context, showID string, after int64, limit int) ([]Event, error)
	// ShowEnd tells where a show ended; ok is false while it has not. NotFound.
	ShowEnd(ctx context.Context, showID string) (at media.Ticks, wall time.Time, ok bool, err error)
}

// Timeline keeps the append-only log of each show and what it adds up to. An event is stored first, then published to
// the show's subscribers, one at a time in the order of the log.
//
// The order of the log is the order of storing. A pin may be placed in the past or in the near future, so whoever shows
// events sorts them by show time.
//
// Safe for concurrent use. Errors are those of the store, and: NotFound for an unknown show or pin; Conflict when the
// state of the show forbids it; Exhausted when a limit is reached; Invalid for times below 0 and data too large.
type Timeline struct {
	store   eventStore
	log     *slog.Logger
	metrics *Metrics
	cache   cache
	subs    subscribers
}

// NewTimeline makes a Timeline over a store.
func NewTimeline(store eventStore, log *slog.Logger, m *Metrics) *Timeline {
	return &Timeline{store: store, log: log, metrics: m}
}

// Append stores an event of any type but pin and unpin, which have methods of their own, and publishes it. wall is
// showTime on the wall clock. data is rendered as JSON.
//
// A state event that says "ended" closes all pins like EndShow; when the show has ended already, the event that ended
// it is returned and nothing is stored. Comments can be hidden after the end as well.
func (t *Timeline) Append(ctx context.Context, showID string, typ Type, showTime media.Ticks, wall time.Time, data any) (Event, error) {
	const op = "overlay.Append"
	if typ == TypePin || typ == TypeUnpin {
		return Event{}, errs.New(errs.Invalid, op, "%s events are made by pinning and unpinning", typ)
	}
	e, err := newEvent(op, typ, showTime, wall, data)
	if err != nil {
		return Event{}, err
	}
	stored, err := t.write(ctx, showID, func(b *board) ([]Event, error) {
		if b.ended && typ != TypeCommentHidden && (!endsShow(e) || b.endEvent.Seq > 0) {
			return nil, errs.New(errs.Conflict, op, "the show has ended: its timeline takes no more events")
		}
		return []Event{e}, nil
	})
	if err != nil && endsShow(e) {
		if end, ok := t.endEvent(ctx, showID); ok {
			return end, nil
		}
	}
	if err != nil {
		return Event{}, errs.Wrap(op, err)
	}
	return stored[0], nil
}

// EndShow ends a show at show time at: all active pins end there, without unpin events, and the timeline takes no more
// events but is told "ended". It does nothing when the show has ended already. When the store fails, the pins are
// closed all the same as long as this process runs.
func (t *Timeline) EndShow(ctx context.Context, showID string, at media.Ticks, wall time.Time) error {
	_, err := t.Append(ctx, showID, TypeState, at, wall, StateData{State: stateEnded})
	if err != nil && errs.KindOf(err) != errs.NotFound {
		t.closeBoard(showID, at, wall)
	}
	return errs.Wrap("overlay.EndShow", err)
}

// Events returns at most limit events of a show numbered above after, in the order of the log. limit 0 and limits above
// MaxEvents stand for MaxEvents. It is empty for an unknown show.
func (t *Timeline) Events(ctx context.Context, showID string, after int64, limit int) ([]Event, error) {
	if limit <= 0 || limit > MaxEvents {
		limit = MaxEvents
	}
	events, err := t.store.Events(ctx, showID, after, limit)
	if err == nil {
		err = t.redact(ctx, showID, events)
	}
	return events, errs.Wrap("overlay.Events", err)
}

// LastSeq returns the number of the newest event of a show, 0 when there is none.
func (t *Timeline) LastSeq(ctx context.Context, showID string) (last int64, err error) {
	err = t.view(ctx, showID, func(l *showLog) { last = l.last })
	return last, errs.Wrap("overlay.LastSeq", err)
}

// write lets decide look at what the log adds up to, stores the events that it returns and publishes them. Writers of
// one show take turns.
func (t *Timeline) write(ctx context.Context, showID string, decide func(*board) ([]Event, error)) ([]Event, error) {
	l := t.cache.acquire(showID)
	defer t.cache.release(l)
	l.turn.Lock()
	defer l.turn.Unlock()
	if err := t.catchUp(ctx, l); err != nil {
		return nil, err
	}
	events, err := decide(l.board) // only the holder of turn changes the board
	if err != nil || len(events) == 0 {
		return nil, err
	}
	return events, t.append(ctx, l, events)
}

// append stores events and numbers them. l.turn is held.
func (t *Timeline) append(ctx context.Context, l *showLog, events []Event) error {
	began := time.Now()
	first, err := t.store.AppendEvents(ctx, l.id, events)
	if err != nil {
		l.stale = true // the store may have kept them all the same: the next turn looks
		t.metrics.appendErrors.Inc()
		return err
	}
	t.metrics.appendSeconds.Observe(time.Since(began).Seconds())
	for i := range events {
		events[i].Seq = first + int64(i)
		t.metrics.events.WithLabelValues(string(events[i].Type)).Inc()
	}
	if first != l.last+1 { // another process wrote in between
		l.stale = true
		return t.catchUp(context.WithoutCancel(ctx), l)
	}
	t.take(l, events, true)
	return nil
}

// catchUp reads what the log holds beyond what l knows. l.turn is held.
func (t *Timeline) catchUp(ctx context.Context, l *showLog) error {
	if l.loaded && !l.stale {
		return nil
	}
	at, wall, ended, err := t.store.ShowEnd(ctx, l.id)
	if err != nil {
		return err
	}
	for {
		events, err := t.store.Events(ctx, l.id, l.last, MaxEvents)
		if err != nil {
			return err
		}
		t.take(l, events, l.loaded)
		if len(events) < MaxEvents {
			break
		}
	}
	l.mu.Lock()
	if ended {
		l.board.close(at, wall)
	}
	l.loaded, l.stale = true, false
	l.mu.Unlock()
	return nil
}

// take brings l up to events, which are the next ones of the log, and publishes them. l.turn is held.
func (t *Timeline) take(l *showLog, events []Event, publish bool) {
	l.mu.Lock()
	for _, e := range events {
		if err := l.board.apply(e); err != nil {
			t.log.Error("an event of the timeline cannot be read; it is passed over", "show", l.id, "seq", e.Seq, "error", err)
		}
		l.last = e.Seq
	}
	l.mu.Unlock()
	if publish {
		t.subs.publish(l.id, events)
	}
}

// view runs fn, which must be quick, on what the log adds up to.
func (t *Timeline) view(ctx context.Context, showID string, fn func(*showLog)) error {
	l := t.cache.acquire(showID)
	defer t.cache.release(l)
	l.mu.RLock()
	ready := l.loaded
	l.mu.RUnlock()
	if !ready {
		l.turn.Lock()
		err := t.catchUp(ctx, l)
		l.turn.Unlock()
		if err != nil {
			return err
		}
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	fn(l)
	return nil
}

// endEvent returns the event that ended the show.
func (t *Timeline) endEvent(ctx context.Context, showID string) (e Event, ok bool) {
	err := t.view(ctx, showID, func(l *showLog) { e, ok = l.board.endEvent, l.board.endEvent.Seq > 0 })
	return e, ok && err == nil
}

func (t *Timeline) closeBoard(showID string, at media.Ticks, wall time.Time) {
	l := t.cache.acquire(showID)
	defer t.cache.release(l)
	l.turn.Lock()
	defer l.turn.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loaded { // else the show's record tells, once the store answers
		l.board.close(at, wall)
	}
}

// newEvent makes an event that reads back from the store exactly as it is.
func newEvent(op string, typ Type, showTime media.Ticks, wall time.Time, data any) (Event, error) {
	if showTime < 0 {
		return Event{}, errs.Field(op, "show_time_ms", "the show time must be at least 0")
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return Event{}, errs.As(errs.Invalid, op, err, "the data of the event cannot be written as JSON")
	}
	if len(raw) > maxEventData {
		return Event{}, errs.New(errs.Invalid, op, "the data of the event has %d bytes; at most %d are kept", len(raw), maxEventData)
	}
	return Event{Type: typ, ShowTime: showTime, Wall: wall.UTC().Truncate(time.Millisecond), Data: raw}, nil
}
