package overlay

import (
	"slices"
	"sync"
)

// subscribers are those who want the events of shows. The zero value is ready.
type subscribers struct {
	mu    sync.RWMutex
	shows map[string][]*subscriber // the slices are replaced, never changed
}

type subscriber struct{ fn func(Event) }

// Subscribe calls fn with every event of a show that is stored from now on, one at a time in the order of the log. An
// event that is being stored at this moment may or may not come: subscribe first, then read the log, then pass over
// what was read.
//
// fn runs while the show's writers wait: it must be quick and must not call methods of the Timeline that write. A call
// of fn that has begun may outlast cancel.
func (t *Timeline) Subscribe(showID string, fn func(Event)) (cancel func()) {
	s := &subscriber{fn}
	t.subs.add(showID, s)
	return func() { t.subs.remove(showID, s) }
}

func (s *subscribers) add(showID string, sub *subscriber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shows == nil {
		s.shows = map[string][]*subscriber{}
	}
	s.shows[showID] = append(slices.Clone(s.shows[showID]), sub)
}

func (s *subscribers) remove(showID string, sub *subscriber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(s.shows[showID]), func(x *subscriber) bool { return x == sub })
	if len(rest) == 0 {
		delete(s.shows, showID)
		return
	}
	s.shows[showID] = rest
}

func (s *subscribers) publish(showID string, events []Event) {
	s.mu.RLock()
	subs := s.shows[showID]
	s.mu.RUnlock()
	for _, e := range events {
		for _, sub := range subs {
			sub.fn(e)
		}
	}
}
