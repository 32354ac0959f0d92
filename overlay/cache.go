package overlay

import (
	"container/list"
	"sync"
)

// maxCachedShows is how many shows are kept in memory beyond those in use; the least recently used goes first and is
// read from its log again when needed.
const maxCachedShows = 1024

// showLog is a show in memory: how far its log is known and what it adds up to.
type showLog struct {
	id string

	turn  sync.Mutex // held while an event is stored and published: what keeps the order of the log for subscribers
	stale bool       // guarded by turn: the log may hold more than is known

	mu     sync.RWMutex // guards the rest for readers; changed only with turn held too
	loaded bool
	last   int64
	board  *board

	refs int           // guarded by cache.mu: in use
	elem *list.Element // guarded by cache.mu
}

// cache holds the shows in use and the most recently used ones. The zero value is ready.
type cache struct {
	mu     sync.Mutex
	shows  map[string]*showLog
	recent list.List // of *showLog, newest first
}

// acquire returns the one showLog of a show; release must follow.
func (c *cache) acquire(showID string) *showLog {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.shows[showID]
	if l == nil {
		if c.shows == nil {
			c.shows = map[string]*showLog{}
		}
		l = &showLog{id: showID, board: &board{}}
		c.shows[showID] = l
		l.elem = c.recent.PushFront(l)
	}
	c.recent.MoveToFront(l.elem)
	l.refs++
	return l
}

func (c *cache) release(l *showLog) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.refs--
	for e := c.recent.Back(); e != nil && c.recent.Len() > maxCachedShows; {
		old, prev := e.Value.(*showLog), e.Prev()
		if old.refs == 0 {
			c.recent.Remove(e)
			delete(c.shows, old.id)
		}
		e = prev
	}
}
