package storetest

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/clip"
)

// anyKinds are all that a worker can make.
var anyKinds = []clip.Kind{clip.Copy, clip.Exact, clip.Styled}

func newClip(n int, storeID string) clip.Clip {
	return clip.Clip{
		ID: fmt.Sprintf("clp_%016d", n), ShowID: "show_1", StoreID: storeID, Kind: clip.Copy, Title: "Cup", Source: clip.FromRange,
		Span: media.Span{From: 90_000, To: 180_001}, State: clip.Queued, CreatedBy: "admin", CreatedAt: epoch0.Add(time.Duration(n) * time.Second),
	}
}

func claimAt(at time.Time, kinds ...clip.Kind) clip.Claim {
	if kinds == nil {
		kinds = anyKinds
	}
	return clip.Claim{Owner: "srv_a", At: at, Lease: at.Add(time.Minute), Kinds: kinds, Crashes: 3, Reason: "the server stopped"}
}

func testClips(t *testing.T, s Store) {
	ctx := t.Context()
	a, b, other := newClip(1, "store_a"), newClip(2, "store_a"), newClip(3, "store_a")
	b.Kind, b.State, b.BatchID, b.Place, b.Request, b.Ref, b.Source = clip.Instant, clip.Done, "bat_1", 2, "bat_1/pin_1", "pin_1", clip.FromChapter
	b.Progress, b.StartedAt, b.DoneAt, b.Style = 1, epoch0, epoch0, json.RawMessage(`{"aspect":"9:16"}`)
	other.ShowID = "show_2"
	equal(t, must(s.CreateClips(ctx, []clip.Clip{a, b}, 9))(t), []clip.Clip{a, b})
	ok2(t, s, other)
	equal(t, must(s.Clip(ctx, b.ID))(t), b)
	equal(t, must(s.Clips(ctx, clip.Filter{ShowID: "show_1", Limit: 9}))(t), []clip.Clip{b, a})
	equal(t, must(s.Clips(ctx, clip.Filter{ShowID: "show_1", Limit: 9, Before: b.ID}))(t), []clip.Clip{a})
	equal(t, must(s.Clips(ctx, clip.Filter{ShowID: "show_1", BatchID: "bat_1", Limit: 9}))(t), []clip.Clip{b})
	equal(t, must(s.OpenClips(ctx, "show_1", epoch0.Add(time.Hour), 9))(t), []clip.Clip{a})
	equal(t, must(s.OpenClips(ctx, "show_1", epoch0, 9))(t), []clip.Clip{a, b})
	_, err := s.Clip(ctx, "clp_x")
	kind(t, err, errs.NotFound)
	kind(t, s.DeleteClip(ctx, "clp_x"), errs.NotFound)
	ok(t, s.DeleteClip(ctx, a.ID))
	_, err = s.Clip(ctx, a.ID)
	kind(t, err, errs.NotFound)
	_, err = s.CreateClips(ctx, []clip.Clip{b}, 9)
	ok(t, err) // its request is known
	b2 := b
	b2.ID, b2.Title = newClip(7, "store_a").ID, "again"
	equal(t, must(s.CreateClips(ctx, []clip.Clip{b2}, 9))(t), []clip.Clip{b})
}

func ok2(t *testing.T, s Store, clips ...clip.Clip) {
	t.Helper()
	must(s.CreateClips(t.Context(), clips, 1000))(t)
}

// testClipBounds lets no more clips of a store wait than may, and stores all of a call or nothing.
func testClipBounds(t *testing.T, s Store) {
	ctx := t.Context()
	_, err := s.CreateClips(ctx, []clip.Clip{newClip(1, "store_a"), newClip(2, "store_a"), newClip(3, "store_a")}, 2)
	kind(t, err, errs.Exhausted)
	equal(t, len(must(s.Clips(ctx, clip.Filter{ShowID: "show_1", Limit: 9}))(t)), 0)
	instant := newClip(4, "store_a")
	instant.Kind, instant.State = clip.Instant, clip.Done
	_, err = s.CreateClips(ctx, []clip.Clip{newClip(1, "store_a"), newClip(2, "store_a")}, 2)
	ok(t, err)
	_, err = s.CreateClips(ctx, []clip.Clip{instant}, 2) // does not wait
	ok(t, err)
	_, err = s.CreateClips(ctx, []clip.Clip{newClip(5, "store_b")}, 2) // another store's
	ok(t, err)
	_, err = s.CreateClips(ctx, []clip.Clip{newClip(6, "store_a")}, 2)
	kind(t, err, errs.Exhausted)
	must(s.CancelClip(ctx, newClip(1, "").ID, epoch0))(t)
	_, err = s.CreateClips(ctx, []clip.Clip{newClip(6, "store_a")}, 2)
	ok(t, err)
	_, err = s.RetryClip(ctx, newClip(1, "").ID, epoch0, 2)
	kind(t, err, errs.Exhausted)
	equal(t, must(s.Clip(ctx, newClip(1, "").ID))(t).State, clip.Cancelled)
}

// testClipQueue takes clips in a fair order, one attempt at a time.
func testClipQueue(t *testing.T, s Store) {
	ctx := t.Context()
	for n := range 4 {
		ok2(t, s, newClip(n, "store_a"))
	}
	late := newClip(9, "store_b")
	late.Kind = clip.Styled
	ok2(t, s, late)
	now := epoch0.Add(time.Minute)
	next := func(kinds ...clip.Kind) string {
		t.Helper()
		c, got, err := s.ClaimClip(ctx, claimAt(now, kinds...))
		ok(t, err)
		if !got {
			return ""
		}
		if c.State != clip.Running || c.Attempts != 1 || c.Turn != 1 || c.Owner != "srv_a" || !c.Lease.Equal(now.Add(time.Minute)) || !c.StartedAt.Equal(now) {
			t.Errorf("%+v", c)
		}
		now = now.Add(time.Second)
		return c.ID
	}
	equal(t, next(), newClip(0, "").ID)
	equal(t, next(clip.Copy), newClip(1, "").ID) // the other store has no copies
	equal(t, next(), late.ID)                    // it has fewer in the making
	equal(t, next(), newClip(2, "").ID)
	equal(t, next(clip.Styled), "")
	equal(t, next(), newClip(3, "").ID)
	equal(t, next(), "")
	done := clip.Report{ID: late.ID, Turn: 1, At: now, State: clip.Done, Bytes: 7, Result: media.Span{From: 1, To: 2}, Encoded: 3, Lead: 4}
	yes(t)(s.KeepClip(ctx, late.ID, 1, 0.5, now.Add(time.Hour)))
	equal(t, must(s.Clip(ctx, late.ID))(t).Progress, 0.5)
	yes(t)(s.FinishClip(ctx, done))
	no(t)(s.FinishClip(ctx, done)) // once
	no(t)(s.KeepClip(ctx, late.ID, 1, 0.5, now))
	got := must(s.Clip(ctx, late.ID))(t)
	if got.State != clip.Done || got.Progress != 1 || got.Bytes != 7 || got.Result != done.Result || got.Encoded != 3 || got.Lead != 4 || !got.DoneAt.Equal(now) || got.Owner != "" {
		t.Errorf("%+v", got)
	}
}

// testClipAttempts tries again what failed, what was released and what nobody was heard of, and never lets an attempt that is
// no longer wanted say anything.
func testClipAttempts(t *testing.T, s Store) {
	ctx := t.Context()
	id := newClip(1, "").ID
	ok2(t, s, newClip(1, "store_a"))
	now := epoch0.Add(time.Minute)
	claim := func(turn int) bool {
		t.Helper()
		c, got, err := s.ClaimClip(ctx, claimAt(now))
		ok(t, err)
		if got && c.Turn != turn {
			t.Errorf("turn %d, want %d", c.Turn, turn)
		}
		return got
	}
	equal(t, claim(1), true)
	yes(t)(s.FinishClip(ctx, clip.Report{ID: id, Turn: 1, At: now, State: clip.Queued, NextAt: now.Add(time.Second), Error: "no luck"}))
	equal(t, must(s.Clip(ctx, id))(t).Error, "no luck")
	equal(t, claim(2), false)
	now = now.Add(time.Second)
	equal(t, claim(2), true)
	equal(t, claim(3), false) // its lease holds
	ok(t, s.ReleaseClips(ctx, "srv_b"))
	equal(t, claim(3), false)
	ok(t, s.ReleaseClips(ctx, "srv_a"))
	equal(t, claim(3), true)
	no(t)(s.KeepClip(ctx, id, 2, 0.1, now.Add(time.Hour)))
	no(t)(s.FinishClip(ctx, clip.Report{ID: id, Turn: 2, At: now, State: clip.Done}))
	yes(t)(s.FinishClip(ctx, clip.Report{ID: id, Turn: 3, At: now, State: clip.Queued, Uncounted: true}))
	equal(t, must(s.Clip(ctx, id))(t).Attempts, 2)
	equal(t, claim(4), true)
	now = now.Add(time.Hour) // its server died, the third time
	equal(t, claim(5), false)
	got := must(s.Clip(ctx, id))(t)
	if got.State != clip.Failed || got.Error != "the server stopped" {
		t.Errorf("%+v", got)
	}
	_, err := s.CancelClip(ctx, id, now)
	kind(t, err, errs.Conflict)
	retried := must(s.RetryClip(ctx, id, now, 9))(t)
	if retried.State != clip.Queued || retried.Attempts != 0 || retried.Error != "" || !retried.DoneAt.IsZero() {
		t.Errorf("%+v", retried)
	}
	_, err = s.RetryClip(ctx, id, now, 9)
	kind(t, err, errs.Conflict)
	equal(t, claim(5), true)
	equal(t, must(s.CancelClip(ctx, id, now))(t).State, clip.Cancelled)
	no(t)(s.FinishClip(ctx, clip.Report{ID: id, Turn: 5, At: now, State: clip.Done}))
	for _, err := range []error{second(s.CancelClip(ctx, "clp_x", now)), second(s.RetryClip(ctx, "clp_x", now, 9))} {
		kind(t, err, errs.NotFound)
	}
}

func second[T any](_ T, err error) error { return err }

func yes(t *testing.T) func(bool, error) {
	t.Helper()
	return func(is bool, err error) {
		t.Helper()
		if !is || err != nil {
			t.Errorf("%v, %v", is, err)
		}
	}
}

func no(t *testing.T) func(bool, error) {
	t.Helper()
	return func(is bool, err error) {
		t.Helper()
		if is || err != nil {
			t.Errorf("%v, %v", is, err)
		}
	}
}

// testClipRace lets many workers take clips, each of which is taken once.
func testClipRace(t *testing.T, s Store) {
	ctx := t.Context()
	const many = 24
	for n := range many {
		ok2(t, s, newClip(n, fmt.Sprintf("store_%d", n%3)))
	}
	var mu sync.Mutex
	taken := map[string]int{}
	var workers sync.WaitGroup
	for range 6 {
		workers.Go(func() {
			for {
				c, got, err := s.ClaimClip(ctx, claimAt(epoch0.Add(time.Minute)))
				if err != nil {
					t.Error(err)
				}
				if !got || err != nil {
					return
				}
				mu.Lock()
				taken[c.ID]++
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	for n := range many {
		if id := newClip(n, "").ID; taken[id] != 1 {
			t.Errorf("%s was taken %d times", id, taken[id])
		}
	}
}
