package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/store"
)

// Answers is what keeps the answers of requests that may be repeated.
type Answers interface {
	BeginIdempotent(ctx context.Context, r store.IdempotentRequest) (*store.IdempotentResponse, error)
	FinishIdempotent(ctx context.Context, r store.IdempotentRequest, answer store.IdempotentResponse) error
	AbortIdempotent(ctx context.Context, r store.IdempotentRequest) error
}

// RunAnswers runs the part of the suite that is about Answers alone.
func RunAnswers(t *testing.T, open func(t *testing.T) Answers) {
	t.Run("idempotency", func(t *testing.T) { testIdempotency(t, open(t)) })
	t.Run("idempotency race", func(t *testing.T) { testIdempotencyRace(t, open(t)) })
	t.Run("idempotency expiry", func(t *testing.T) { testIdempotencyExpiry(t, open(t)) })
}

var request = store.IdempotentRequest{Scope: "POST /api/v1/rooms", Key: "k1", Hash: "h1", At: epoch0}

var answer = store.IdempotentResponse{
	Status: 201, Header: map[string]string{"Location": "/api/v1/rooms/1"}, Body: []byte(`{"title":"房间"}`),
}

func testIdempotency(t *testing.T, s Answers) {
	ctx := t.Context()
	if got := must(s.BeginIdempotent(ctx, request))(t); got != nil {
		t.Errorf("a fresh request was answered with %+v", got)
	}
	_, err := s.BeginIdempotent(ctx, request)
	kind(t, err, errs.Conflict) // it is in the works
	ok(t, s.FinishIdempotent(ctx, request, answer))
	for range 2 {
		equal(t, must(s.BeginIdempotent(ctx, request))(t), &answer)
	}
	other := request
	other.Hash = "h2"
	_, err = s.BeginIdempotent(ctx, other)
	kind(t, err, errs.Conflict)
	other.Scope = "POST /api/v1/stores/store_default/products"
	if got := must(s.BeginIdempotent(ctx, other))(t); got != nil {
		t.Errorf("another scope was answered with %+v", got)
	}
	ok(t, s.AbortIdempotent(ctx, other))
	if got := must(s.BeginIdempotent(ctx, other))(t); got != nil {
		t.Errorf("an aborted request was answered with %+v", got)
	}
	ok(t, s.AbortIdempotent(ctx, request)) // an answer stays
	equal(t, must(s.BeginIdempotent(ctx, request))(t), &answer)
	unknown := request
	unknown.Key = "k9"
	kind(t, s.FinishIdempotent(ctx, unknown, answer), errs.NotFound)
}

func testIdempotencyRace(t *testing.T, s Answers) {
	var fresh, waiting atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			got, err := s.BeginIdempotent(t.Context(), request)
			switch {
			case err == nil && got == nil:
				fresh.Add(1)
			case errs.KindOf(err) == errs.Conflict:
				waiting.Add(1)
			default:
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if fresh.Load() != 1 || waiting.Load() != 15 {
		t.Errorf("%d ran, %d were refused; want 1 and 15", fresh.Load(), waiting.Load())
	}
}

func testIdempotencyExpiry(t *testing.T, s Answers) {
	ctx := t.Context()
	at := func(d time.Duration) store.IdempotentRequest {
		r := request
		r.At = epoch0.Add(d)
		return r
	}
	must(s.BeginIdempotent(ctx, request))(t)
	_, err := s.BeginIdempotent(ctx, at(store.IdempotencyLease-1))
	kind(t, err, errs.Conflict)
	if got := must(s.BeginIdempotent(ctx, at(store.IdempotencyLease)))(t); got != nil { // the first one crashed
		t.Errorf("got %+v", got)
	}
	ok(t, s.FinishIdempotent(ctx, request, answer))
	kept := store.IdempotencyLease + store.IdempotencyTTL
	equal(t, must(s.BeginIdempotent(ctx, at(kept-time.Millisecond)))(t), &answer)
	if got := must(s.BeginIdempotent(ctx, at(kept)))(t); got != nil {
		t.Errorf("an answer was kept too long: %+v", got)
	}
}

func testSettings(t *testing.T, s Store) {
	ctx := t.Context()
	_, err := s.Setting(ctx, "admin_token_hash")
	kind(t, err, errs.NotFound)
	for _, v := range []string{"a", "", "b"} {
		ok(t, s.SetSetting(ctx, "admin_token_hash", v))
		equal(t, must(s.Setting(ctx, "admin_token_hash"))(t), v)
	}
	equal(t, must(s.SettingOr(ctx, "admin_token_hash", "c"))(t), "b")
	var wg sync.WaitGroup
	var got sync.Map
	for i := range 8 {
		wg.Go(func() { got.Store(must(s.SettingOr(ctx, "secret", string(rune('a'+i))))(t), true) })
	}
	wg.Wait()
	n := 0
	got.Range(func(any, any) bool { n++; return true })
	equal(t, n, 1)
}

// testEndedContext checks that nothing is begun for a caller that has gone.
func testEndedContext(t *testing.T, s Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	kind(t, s.CreateRoom(ctx, newRoom(1)), errs.Unavailable)
	_, err := s.Rooms(ctx, "", 1)
	kind(t, err, errs.Unavailable)
	_, err = s.Room(t.Context(), newRoom(1).ID)
	kind(t, err, errs.NotFound)
}
