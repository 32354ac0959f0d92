package sqldb

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// Nobody gets what was read before they asked, and many who ask at once cost one read.
func TestSharedReads(t *testing.T) {
	var s shared[int64]
	var state, reads atomic.Int64
	began, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	read := func(context.Context) (int64, error) {
		reads.Add(1)
		v := state.Load()
		once.Do(func() { close(began); <-goOn }) // the first one is slow
		return v, nil
	}
	ask := func(want int64) {
		if got, err := s.do(t.Context(), "k", read); got != want || err != nil {
			t.Errorf("got %d, %v; want %d", got, err, want)
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { ask(0) })
	<-began
	state.Store(1) // committed after the first one's read
	for range 20 {
		wg.Go(func() { ask(1) })
	}
	for waiting := false; !waiting; runtime.Gosched() {
		s.mu.Lock()
		waiting = s.reads["k"].next != nil
		s.mu.Unlock()
	}
	close(goOn)
	wg.Wait()
	if n := reads.Load(); n < 2 || n > 21 {
		t.Errorf("read %d times", n)
	}
	if len(s.reads) != 0 {
		t.Errorf("left: %v", s.reads)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.do(gone, "k", read); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
