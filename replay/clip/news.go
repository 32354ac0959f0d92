package clip

// news is what those who watch the clips of a show wait for.
type news struct {
	changed chan struct{} // closed at the next change
	readers int
}

// Watch returns a function that tells of the next change of the show's clips in this process, and one that ends watching.
// Changes that other servers make are not told: whoever watches looks again from time to time.
func (s *Service) Watch(showID string) (next func() <-chan struct{}, leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.news[showID]
	if n == nil {
		n = &news{changed: make(chan struct{})}
		s.news[showID] = n
	}
	n.readers++
	next = func() <-chan struct{} {
		s.mu.Lock()
		defer s.mu.Unlock()
		return n.changed
	}
	return next, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if n.readers--; n.readers == 0 {
			delete(s.news, showID)
		}
	}
}

// changed tells those who watch the clips of a show.
func (s *Service) changed(showID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.news[showID]; n != nil {
		close(n.changed)
		n.changed = make(chan struct{})
	}
}

// poke makes a worker look for work.
func (s *Service) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
