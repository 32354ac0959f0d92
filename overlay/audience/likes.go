package audience

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ratelimit"
	"github.com/vitrine-live/vitrine/overlay"
)

const (
	// MaxLikes is how many likes one request may carry: what a thumb does in a second or two.
	MaxLikes = 30
	// flushEvery is how often likes go to the store and onto the timeline. A crash loses those since the last time.
	flushEvery = 3 * time.Second
	// maxLikers is how many viewers' likes of one show may wait for the store. Further viewers are refused until it has
	// taken some.
	maxLikers = 50_000
	// likesBatch is how many viewers' likes one transaction takes, so that others get their turn.
	likesBatch = 2000
	// asOf is how long it is believed that a show is on air.
	asOf = time.Second
	// forgetAfter is how long a show without likes stays in memory.
	forgetAfter = 10 * time.Minute
)

// likeStore keeps likes. Each method is one transaction.
type likeStore interface {
	// AddLikes adds likes of viewers to a show and returns how many it has now.
	AddLikes(ctx context.Context, showID string, counts map[string]int64) (total int64, err error)
	ViewerLikes(ctx context.Context, showID, viewerID string) (int64, error)
	TotalLikes(ctx context.Context, showID string) (int64, error)
}

// hub is the realtime channel.
type hub interface {
	Likes(roomID, showID string, total int64)
}

// LikeDeps are what likes work with.
type LikeDeps struct {
	Store  likeStore
	Shows  shows
	Hub    hub
	Limits ratelimit.Limiter
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
}

// Likes counts what viewers like. Nothing is written per like: they are added up in memory, told to the channel at once
// (which tells viewers once a second), and kept every few seconds. Safe for concurrent use; Run must run.
type Likes struct {
	LikeDeps
	cfg Config

	mu    sync.Mutex
	shows map[string]*tally
}

// tally is what is known of one show.
type tally struct {
	roomID string
	// flush is held by whoever brings likes to the store, so that none is seen twice or not at all on its way there.
	flush sync.RWMutex

	mu      sync.Mutex
	checked time.Time        // when the show was seen on air last
	waiting map[string]int64 // by viewer, not in the store yet
	sum     int64            // of waiting
	leaving int64            // on their way to the store
	stored  int64
}

// NewLikes makes Likes. cfg must be valid.
func NewLikes(cfg Config, deps LikeDeps) *Likes {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Likes{LikeDeps: deps, cfg: cfg.withDefaults(), shows: map[string]*tally{}}
}

// Add counts likes of a viewer and returns how many the show has. NotFound; Conflict: the show is not on air; Invalid: the
// count is not 1 to MaxLikes; Exhausted: too many requests.
func (l *Likes) Add(ctx context.Context, showID, viewerID string, count int64) (total int64, err error) {
	const op = "audience.Like"
	if count < 1 || count > MaxLikes {
		return 0, errs.Field(op, "count", "must be 1 to %d", MaxLikes)
	}
	if ok, _ := l.Limits.Allow(ctx, "like:"+viewerID, ratelimit.Limit{N: l.cfg.Likes, Per: 10 * time.Second}); !ok {
		return 0, errs.New(errs.Exhausted, op, "so many likes: take a breath, then go on")
	}
	t, err := l.tally(ctx, op, showID)
	if err != nil {
		return 0, err
	}
	t.mu.Lock()
	if _, known := t.waiting[viewerID]; !known && len(t.waiting) >= maxLikers {
		t.mu.Unlock()
		return 0, errs.New(errs.Exhausted, op, "more viewers like this than can be counted at once: try again in a moment")
	}
	t.waiting[viewerID] += count
	t.sum += count
	total = t.totalLocked()
	t.mu.Unlock()
	l.Hub.Likes(t.roomID, showID, total)
	return total, nil
}

// Of returns how many likes a viewer has given a show, those not stored yet too.
func (l *Likes) Of(ctx context.Context, showID, viewerID string) (int64, error) {
	waiting := int64(0)
	if t := l.known(showID); t != nil {
		t.flush.RLock()
		defer t.flush.RUnlock()
		t.mu.Lock()
		waiting = t.waiting[viewerID]
		t.mu.Unlock()
	}
	n, err := l.Store.ViewerLikes(ctx, showID, viewerID)
	return n + waiting, errs.Wrap("audience.LikesOf", err)
}

// Run keeps likes every few seconds until ctx ends, and then once more.
func (l *Likes) Run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			l.Flush(context.WithoutCancel(ctx))
			return
		case <-tick.C:
			l.Flush(ctx)
		}
	}
}

// Flush does once what Run does again and again, for those who have a clock of their own.
func (l *Likes) Flush(ctx context.Context) {
	l.mu.Lock()
	shows := maps.Clone(l.shows)
	l.mu.Unlock()
	for showID, t := range shows {
		if err := l.keep(ctx, showID, t); err != nil {
			l.Log.Error("likes cannot be kept for now; they wait", "show", showID, "error", err)
		}
	}
	l.forget()
}

// keep brings a show's likes to the store, then onto its timeline. What the store does not take waits for the next time.
func (l *Likes) keep(ctx context.Context, showID string, t *tally) error {
	t.flush.Lock()
	defer t.flush.Unlock()
	t.mu.Lock()
	taken, count := t.waiting, t.sum
	t.waiting, t.sum, t.leaving = map[string]int64{}, 0, count
	t.mu.Unlock()
	if count == 0 {
		return nil
	}
	total, rest, err := l.store(ctx, showID, taken)
	t.mu.Lock()
	left := int64(0)
	for viewer, n := range rest {
		t.waiting[viewer] += n
		left += n
	}
	t.sum, t.leaving = t.sum+left, 0
	t.stored = max(t.stored, total)
	t.mu.Unlock()
	if count == left {
		return err
	}
	data := overlay.LikesData{Count: count - left, Total: total}
	if _, tellErr := l.Shows.Tell(ctx, showID, string(overlay.TypeLikes), nil, data); err == nil && errs.KindOf(tellErr) != errs.Conflict { // else the show has just ended
		err = tellErr
	}
	return err
}

// store writes likes in batches, and returns those that it could not.
func (l *Likes) store(ctx context.Context, showID string, counts map[string]int64) (total int64, rest map[string]int64, err error) {
	for batch := range slices.Chunk(slices.Sorted(maps.Keys(counts)), likesBatch) {
		part := make(map[string]int64, len(batch))
		for _, viewer := range batch {
			part[viewer] = counts[viewer]
		}
		n, err := l.Store.AddLikes(ctx, showID, part)
		if err != nil {
			return total, counts, err
		}
		total = n
		maps.DeleteFunc(counts, func(viewer string, _ int64) bool { _, stored := part[viewer]; return stored })
	}
	return total, nil, nil
}

// tally returns that of a show that is on air.
func (l *Likes) tally(ctx context.Context, op, showID string) (*tally, error) {
	now := l.Now()
	if t := l.known(showID); t != nil {
		t.mu.Lock()
		fresh := now.Sub(t.checked) < asOf
		t.mu.Unlock()
		if fresh {
			return t, nil
		}
	}
	show, _, err := onAir(ctx, l.Shows, op, showID)
	if err != nil {
		return nil, err
	}
	t := l.known(showID)
	if t == nil {
		stored, err := l.Store.TotalLikes(ctx, showID)
		if err != nil {
			return nil, errs.Wrap(op, err)
		}
		t = l.learn(showID, &tally{roomID: show.RoomID, waiting: map[string]int64{}, stored: stored})
	}
	t.mu.Lock()
	t.checked = now
	t.mu.Unlock()
	return l.learn(showID, t), nil // it may just have been forgotten
}

func (l *Likes) known(showID string) *tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shows[showID]
}

// learn keeps a tally unless somebody else was faster, and returns the one that is kept.
func (l *Likes) learn(showID string, t *tally) *tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	if there := l.shows[showID]; there != nil {
		return there
	}
	l.shows[showID] = t
	return t
}

// forget drops shows that nobody likes any more.
func (l *Likes) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Now()
	maps.DeleteFunc(l.shows, func(_ string, t *tally) bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.sum == 0 && now.Sub(t.checked) > forgetAfter
	})
}

func (t *tally) totalLocked() int64 { return t.stored + t.leaving + t.sum }
