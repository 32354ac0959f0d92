package memo

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
)

func always[V any](V) bool { return true }

func bySize(limit int64) *Cache[[]byte] {
	return New(Config[[]byte]{Limit: limit, Size: func(b []byte) int64 { return int64(len(b)) }})
}

func TestCacheIsBounded(t *testing.T) {
	c := bySize(1000)
	calls := 0
	for i := range 50 {
		key := Key{"show", strconv.Itoa(i % 10)}
		if _, err := c.Get(key, always, func() ([]byte, error) { calls++; return make([]byte, 300), nil }); err != nil {
			t.Fatal(err)
		}
	}
	if c.bytes > 1000 || len(c.items) != 3 || c.order.Len() != 3 || calls != 50 {
		t.Errorf("%d bytes in %d items, made %d times", c.bytes, len(c.items), calls)
	}
	if _, err := c.Get(Key{"show", "9"}, always, func() ([]byte, error) { return nil, errors.New("made again") }); err != nil {
		t.Error(err)
	}
	c.Drop("show")
	if c.bytes != 0 || len(c.items) != 0 {
		t.Errorf("%d bytes in %d items after a drop", c.bytes, len(c.items))
	}
	if _, err := c.Get(Key{"show", "big"}, always, func() ([]byte, error) { return make([]byte, 501), nil }); err != nil || c.bytes != 0 {
		t.Errorf("what is too big is kept: %d bytes, %v", c.bytes, err)
	}
}

func TestErrorsAreNotKept(t *testing.T) {
	c := bySize(1000)
	bad := errors.New("bad")
	if _, err := c.Get(Key{"a", "b"}, always, func() ([]byte, error) { return nil, bad }); !errors.Is(err, bad) {
		t.Errorf("%v", err)
	}
	if b, err := c.Get(Key{"a", "b"}, always, func() ([]byte, error) { return []byte("good"), nil }); err != nil || string(b) != "good" {
		t.Errorf("%q, %v", b, err)
	}
}

// Of many who ask at the same time one makes it; who asks for something newer than what is being made gets that.
func TestOneMakesItForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Config[int]{Limit: 1000, Size: func(int) int64 { return 8 }})
		newest, calls := 1, 0
		begun, goOn := make(chan struct{}), make(chan struct{})
		build := func() (int, error) {
			calls++
			now := newest
			if calls == 1 {
				close(begun)
				<-goOn
			}
			return now, nil
		}
		got := make(chan [2]int, 20)
		ask := func(atLeast int) {
			v, err := c.Get(Key{"show", "timeline"}, func(v int) bool { return v >= atLeast }, build)
			if err != nil {
				t.Error(err)
			}
			got <- [2]int{atLeast, v}
		}
		go ask(1)
		<-begun
		for range 10 {
			go ask(1)
		}
		newest = 2
		for range 5 {
			go ask(2)
		}
		synctest.Wait()
		close(goOn)
		for range 16 {
			if g := <-got; g[1] < g[0] {
				t.Errorf("asked for %d, got %d", g[0], g[1])
			}
		}
		if calls != 2 {
			t.Errorf("made %d times", calls)
		}
	})
}
