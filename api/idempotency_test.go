package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/store/sqldb"
)

// creator answers each call with a number of its own, or with a status that a test asks for.
type creator struct {
	calls atomic.Int64
	fail  atomic.Bool
}

func (c *creator) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	n := c.calls.Add(1)
	if c.fail.Load() {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"id":%d}`, n)
}

func newIdempotent(t *testing.T) (*creator, func(key, token, body string) *httptest.ResponseRecorder) {
	t.Helper()
	db, err := sqldb.Open(t.Context(), filepath.Join(t.TempDir(), "vitrine.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &Server{Deps: Deps{Store: db, AdminTokenHash: HashToken("right"), Now: time.Now, Log: slog.New(slog.DiscardHandler)}}
	c := &creator{}
	h := s.idempotent(c)
	return c, func(key, token, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/rooms", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		if key != "" {
			r.Header.Set("Idempotency-Key", key)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
}

func TestIdempotencyKey(t *testing.T) {
	c, post := newIdempotent(t)
	first, again := post("k", "right", `{"a":1}`), post("k", "right", `{"a":1}`)
	if first.Code != http.StatusCreated || again.Code != first.Code || again.Body.String() != first.Body.String() || again.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %s, then %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	if again.Header().Get("Idempotent-Replayed") != "true" || c.calls.Load() != 1 {
		t.Errorf("carried out %d times", c.calls.Load())
	}
	if w := post("k", "right", `{"a":2}`); w.Code != http.StatusConflict || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("same key, other body: %d", w.Code)
	}
	if post("", "right", `{"a":1}`); c.calls.Load() != 2 {
		t.Error("a call without a key was not carried out")
	}
	if post("k", "wrong", `{"a":1}`); c.calls.Load() != 3 {
		t.Error("an answer was replayed to someone without the token")
	}
	if w := post(strings.Repeat("k", maxIdempotencyKey+1), "right", "{}"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a key too long: %d", w.Code)
	}
}

func TestFailuresAreNotRemembered(t *testing.T) {
	c, post := newIdempotent(t)
	c.fail.Store(true)
	if w := post("k", "right", "{}"); w.Code != http.StatusInternalServerError {
		t.Fatal(w.Code)
	}
	c.fail.Store(false)
	if w := post("k", "right", "{}"); w.Code != http.StatusCreated {
		t.Errorf("after a failure: %d", w.Code)
	}
}

func TestParallelRepetitionsAreCarriedOutOnce(t *testing.T) {
	c, post := newIdempotent(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if w := post("k", "right", "{}"); w.Code != http.StatusCreated && w.Code != http.StatusConflict {
				t.Errorf("status %d", w.Code)
			}
		})
	}
	wg.Wait()
	if n := c.calls.Load(); n != 1 {
		t.Errorf("carried out %d times", n)
	}
}
