package sqldb

import (
	"context"
	"sync"
)

// shared lets callers that ask the same at once share one read: in a rush all buyers look at the same few rows. A read serves
// those alone who came before it began, so that everybody sees what was committed before they asked. What it returns is shared
// too: nobody may change it.
type shared[T any] struct {
	mu    sync.Mutex
	reads map[string]*reading[T]
}

// reading is a read under way, and the one after it, for those who came too late.
type reading[T any] struct {
	done  chan struct{}
	value T
	err   error
	next  *reading[T] // nil: nobody waits
}

// do returns what read does, or did for another caller. The read does not end with ctx: others may wait for it.
func (s *shared[T]) do(ctx context.Context, key string, read func(ctx context.Context) (T, error)) (T, error) {
	if err := ctx.Err(); err != nil {
		return *new(T), err
	}
	s.mu.Lock()
	now := s.reads[key]
	if now == nil { // nobody reads
		now = &reading[T]{done: make(chan struct{})}
		if s.reads == nil {
			s.reads = map[string]*reading[T]{}
		}
		s.reads[key] = now
		s.mu.Unlock()
		return s.lead(ctx, key, now, read)
	}
	mine := now.next
	leads := mine == nil
	if leads {
		mine = &reading[T]{done: make(chan struct{})}
		now.next = mine
	}
	s.mu.Unlock()
	if leads {
		<-now.done
		return s.lead(ctx, key, mine, read)
	}
	<-mine.done
	return mine.value, mine.err
}

// lead reads for all who wait for r, and then lets the next one read.
func (s *shared[T]) lead(ctx context.Context, key string, r *reading[T], read func(ctx context.Context) (T, error)) (T, error) {
	defer func() {
		s.mu.Lock()
		if r.next == nil {
			delete(s.reads, key)
		} else {
			s.reads[key] = r.next
		}
		s.mu.Unlock()
		close(r.done)
	}()
	r.err = context.Canceled // for the others, if read panics
	r.value, r.err = read(context.WithoutCancel(ctx))
	return r.value, r.err
}
