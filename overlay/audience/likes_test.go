package audience

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ratelimit"
	"github.com/vitrine-live/vitrine/overlay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hall is a show on air, its channel, and a store of likes that can be away.
type hall struct {
	mu     sync.Mutex
	off    bool
	bursts []overlay.LikesData
	total  int64 // as the channel heard
	likes  map[string]int64
	writes int
	fail   func(write int) bool
}

func (h *hall) ShopShow(_ context.Context, id string) (commerce.Show, error) {
	return commerce.Show{ID: id, RoomID: "room_1", StoreID: "store_1"}, nil
}

func (h *hall) OnAirNow(string) (string, int64, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return "show_1", 0, !h.off
}

func (h *hall) Tell(_ context.Context, _, _ string, _ *int64, data any) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.off {
		return 0, errs.New(errs.Conflict, "hall.Tell", "the show is not on air")
	}
	h.bursts = append(h.bursts, data.(overlay.LikesData)) //nolint:forcetypeassert // fails the test
	return 0, nil
}

func (h *hall) Likes(_, _ string, total int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.total = max(h.total, total)
}

func (h *hall) AddLikes(_ context.Context, _ string, counts map[string]int64) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writes++
	if h.fail != nil && h.fail(h.writes) {
		return 0, errors.New("the store is away")
	}
	for viewer, n := range counts {
		h.likes[viewer] += n
	}
	return h.sum(), nil
}

func (h *hall) ViewerLikes(_ context.Context, _, viewerID string) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.likes[viewerID], nil
}

func (h *hall) TotalLikes(context.Context, string) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sum(), nil
}

func (h *hall) sum() (n int64) {
	for v := range maps.Values(h.likes) {
		n += v
	}
	return n
}

func newLikes() (*Likes, *hall) {
	h := &hall{likes: map[string]int64{}}
	return NewLikes(Config{Likes: 10_000}, LikeDeps{Store: h, Shows: h, Hub: h, Limits: ratelimit.NewMemory(nil), Log: slog.New(slog.DiscardHandler)}), h
}

func like(t *testing.T, l *Likes, viewer string, n int64) int64 {
	t.Helper()
	total, err := l.Add(t.Context(), "show_1", viewer, n)
	if err != nil {
		t.Fatal(err)
	}
	return total
}

// TestLikesSurviveTheStore lets the store be away, also in the middle of a flush: no like is lost or counted twice.
func TestLikesSurviveTheStore(t *testing.T) {
	l, h := newLikes()
	const viewers = likesBatch + 500
	for i := range viewers {
		like(t, l, fmt.Sprint("visitor:", i), 2)
	}
	h.fail = func(write int) bool { return write == 2 } // the second batch
	l.Flush(t.Context())
	if len(h.bursts) != 1 || h.bursts[0] != (overlay.LikesData{Count: 2 * likesBatch, Total: 2 * likesBatch}) {
		t.Errorf("told of %+v", h.bursts)
	}
	if total := like(t, l, "visitor:0", 1); total != 2*viewers+1 || h.total != total {
		t.Errorf("%d likes, the channel heard of %d", total, h.total)
	}
	for _, viewer := range []string{"visitor:0", "visitor:1", "visitor:2499"} {
		want := int64(2)
		if viewer == "visitor:0" {
			want = 3
		}
		if n, err := l.Of(t.Context(), "show_1", viewer); err != nil || n != want {
			t.Errorf("%s gave %d, %v; want %d", viewer, n, err, want)
		}
	}
	l.Flush(t.Context())
	if h.sum() != 2*viewers+1 || h.bursts[1] != (overlay.LikesData{Count: 1001, Total: 2*viewers + 1}) {
		t.Errorf("kept %d, told of %+v", h.sum(), h.bursts)
	}
}

// TestLikesAddUp lets many like while others flush and ask.
func TestLikesAddUp(t *testing.T) {
	l, h := newLikes()
	const viewers, each = 20, 100
	var wg sync.WaitGroup
	for v := range viewers {
		wg.Go(func() {
			viewer := fmt.Sprint("visitor:", v)
			for n := range int64(each) {
				if _, err := l.Add(t.Context(), "show_1", viewer, 1); err != nil {
					t.Error(err)
				}
				if got, err := l.Of(t.Context(), "show_1", viewer); err != nil || got != n+1 {
					t.Errorf("%s gave %d so far, %v; counted %d", viewer, n+1, err, got)
				}
				if n%10 == 0 {
					l.Flush(t.Context())
				}
			}
		})
	}
	wg.Wait()
	l.Flush(t.Context())
	told := int64(0)
	for _, b := range h.bursts {
		told += b.Count
	}
	if h.sum() != viewers*each || told != viewers*each || h.total != viewers*each {
		t.Errorf("kept %d, told %d, the channel heard of %d; want %d", h.sum(), told, h.total, viewers*each)
	}
}

func TestRunWritesSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, h := newLikes()
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { l.Run(ctx) })
		for range 100 { // ten seconds
			like(t, l, "visitor:1", MaxLikes)
			time.Sleep(100 * time.Millisecond)
		}
		if h.writes != 3 {
			t.Errorf("%d writes in 10 s of likes", h.writes)
		}
		cancel()
		wg.Wait()
		if h.sum() != 100*MaxLikes {
			t.Errorf("%d are kept at the stop", h.sum())
		}
	})
}

func TestLikesAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, h := newLikes()
		for _, n := range []int64{0, -1, MaxLikes + 1} {
			if _, err := l.Add(t.Context(), "show_1", "visitor:1", n); errs.KindOf(err) != errs.Invalid {
				t.Errorf("%d: %v", n, err)
			}
		}
		like(t, l, "visitor:1", 1)
		h.off = true
		time.Sleep(asOf)
		if _, err := l.Add(t.Context(), "show_1", "visitor:1", 1); errs.KindOf(err) != errs.Conflict {
			t.Errorf("after the show: %v", err)
		}
		l.Flush(t.Context()) // what was liked before its end is kept, though its timeline takes nothing
		if h.sum() != 1 {
			t.Errorf("%d kept", h.sum())
		}
		time.Sleep(2 * forgetAfter)
		l.Flush(t.Context())
		if len(l.shows) != 0 {
			t.Error("a show that is over is kept in memory")
		}
	})
}

func TestLikersAreBounded(t *testing.T) {
	l, _ := newLikes()
	for i := range maxLikers {
		like(t, l, fmt.Sprint(i), 1)
	}
	if _, err := l.Add(t.Context(), "show_1", "one more", 1); errs.KindOf(err) != errs.Exhausted {
		t.Errorf("got %v", err)
	}
	like(t, l, "7", 1) // who is counted already may go on
	l.Flush(t.Context())
	like(t, l, "one more", 1)
}
