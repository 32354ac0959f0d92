package replay

import (
	"container/list"
	"sync"

	"golang.org/x/sync/singleflight"
)

// cacheKey names what was made for a show: a playlist, an MPEG-TS segment.
type cacheKey struct{ show, name string }

// cached is a value and the bytes it takes.
type cached interface{ size() int64 }

// cache keeps what is costly to make, within a bound of bytes over all shows; what was not asked for longest leaves.
// Safe for concurrent use.
type cache struct {
	limit   int64
	metrics *Metrics
	making  singleflight.Group

	mu    sync.Mutex
	bytes int64
	items map[cacheKey]*list.Element
	order *list.List // of cacheItem, most recently used first
}

type cacheItem struct {
	key   cacheKey
	value cached
}

func newCache(limit int64, m *Metrics) *cache {
	return &cache{limit: limit, metrics: m, items: map[cacheKey]*list.Element{}, order: list.New()}
}

// get returns what is kept under key, if fresh says that it is still good, or what make makes; of calls at the same time
// one makes it for all.
func (c *cache) get(key cacheKey, fresh func(cached) bool, make func() (cached, error)) (cached, error) {
	if v, ok := c.peek(key); ok && fresh(v) {
		c.metrics.CacheHits.Inc()
		return v, nil
	}
	v, err, _ := c.making.Do(key.show+"/"+key.name, func() (any, error) {
		if v, ok := c.peek(key); ok && fresh(v) { // made while this one came here
			return v, nil
		}
		c.metrics.CacheMisses.Inc()
		v, err := make()
		if err == nil {
			c.put(key, v)
		}
		return v, err
	})
	if err != nil {
		return nil, err
	}
	return v.(cached), nil // made above
}

func (c *cache) peek(key cacheKey) (cached, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[key]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(cacheItem).value, true // only put adds
}

func (c *cache) put(key cacheKey, v cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(key)
	if v.size() > c.limit/2 {
		return // would push nearly everything else out
	}
	c.items[key] = c.order.PushFront(cacheItem{key, v})
	c.bytes += v.size()
	for c.bytes > c.limit {
		c.remove(c.order.Back().Value.(cacheItem).key) // as above
	}
	c.metrics.CacheBytes.Set(float64(c.bytes))
}

// drop forgets everything of a show.
func (c *cache) drop(show string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.items {
		if key.show == show {
			c.remove(key)
		}
	}
	c.metrics.CacheBytes.Set(float64(c.bytes))
}

// remove is called with the lock held.
func (c *cache) remove(key cacheKey) {
	e, ok := c.items[key]
	if !ok {
		return
	}
	c.bytes -= e.Value.(cacheItem).value.size() // as above
	c.order.Remove(e)
	delete(c.items, key)
}
