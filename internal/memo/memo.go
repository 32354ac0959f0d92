// Package memo keeps what is costly to make and often asked for, within a bound of bytes.
package memo

import (
	"container/list"
	"sync"

	"golang.org/x/sync/singleflight"
)

// Key names a value. Those of a group are forgotten together.
type Key struct{ Group, Name string }

// Counter counts. Those of Prometheus do.
type Counter interface{ Inc() }

// Gauge shows a value. Those of Prometheus do.
type Gauge interface{ Set(value float64) }

// Config says how much is kept.
type Config[V any] struct {
	// Limit is how many bytes all values may take; what was not asked for longest leaves. A value of more than half of it is
	// not kept.
	Limit int64
	// Size is how many bytes a value takes.
	Size func(V) int64

	// Hits and Misses count what was found and what had to be made, Bytes shows what is kept; each may be nil.
	Hits, Misses Counter
	Bytes        Gauge
}

// Cache keeps values. Safe for concurrent use.
type Cache[V any] struct {
	cfg    Config[V]
	making singleflight.Group

	mu    sync.Mutex
	bytes int64
	items map[Key]*list.Element
	order *list.List // of item[V], most recently used first
}

type item[V any] struct {
	key   Key
	value V
}

// New returns an empty cache.
func New[V any](cfg Config[V]) *Cache[V] {
	return &Cache[V]{cfg: cfg, items: map[Key]*list.Element{}, order: list.New()}
}

// Get returns what is kept under key, if fresh says that it is still good, or what build makes. Of calls at the same time
// one makes it for all of them, whose own fresh it passes: what was begun before a caller came may be too old for it, and
// is made once more.
func (c *Cache[V]) Get(key Key, fresh func(V) bool, build func() (V, error)) (V, error) {
	const tries = 2 // the second one began after the caller came
	var v V
	for range tries {
		if v, ok := c.peek(key); ok && fresh(v) {
			count(c.cfg.Hits)
			return v, nil
		}
		made, err, _ := c.making.Do(key.Group+"/"+key.Name, func() (any, error) { return c.build(key, fresh, build) })
		if err != nil {
			return v, err
		}
		if v = made.(V); fresh(v) { // built above
			return v, nil
		}
	}
	return v, nil
}

func (c *Cache[V]) build(key Key, fresh func(V) bool, build func() (V, error)) (V, error) {
	if v, ok := c.peek(key); ok && fresh(v) { // made while this one came here
		return v, nil
	}
	count(c.cfg.Misses)
	v, err := build()
	if err == nil {
		c.put(key, v)
	}
	return v, err
}

func (c *Cache[V]) peek(key Key) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[key]
	if !ok {
		return v, false
	}
	c.order.MoveToFront(e)
	return e.Value.(item[V]).value, true // only put adds
}

func (c *Cache[V]) put(key Key, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.show()
	c.remove(key)
	size := c.cfg.Size(v)
	if size > c.cfg.Limit/2 {
		return // would push nearly everything else out
	}
	c.items[key] = c.order.PushFront(item[V]{key, v})
	c.bytes += size
	for c.bytes > c.cfg.Limit {
		c.remove(c.order.Back().Value.(item[V]).key) // as above
	}
}

// Drop forgets a group.
func (c *Cache[V]) Drop(group string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.items {
		if key.Group == group {
			c.remove(key)
		}
	}
	c.show()
}

// remove is called with the lock held, as is show.
func (c *Cache[V]) remove(key Key) {
	e, ok := c.items[key]
	if !ok {
		return
	}
	c.bytes -= c.cfg.Size(e.Value.(item[V]).value) // as above
	c.order.Remove(e)
	delete(c.items, key)
}

func (c *Cache[V]) show() {
	if c.cfg.Bytes != nil {
		c.cfg.Bytes.Set(float64(c.bytes))
	}
}

func count(n Counter) {
	if n != nil {
		n.Inc()
	}
}
