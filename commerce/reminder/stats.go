package reminder

import "sync/atomic"

// stats counts what became of attempts since the start.
type stats struct{ sent, failed, unknown, retried atomic.Int64 }

func (s *stats) add(state State, n int64) {
	switch state {
	case Sent:
		s.sent.Add(n)
	case Failed:
		s.failed.Add(n)
	case Unknown:
		s.unknown.Add(n)
	case Pending:
		s.retried.Add(n)
	case Sending, Cancelled:
	}
}

// Attempts returns how many attempts of this process ended in the state; Pending are those that sent nothing and will be made
// again.
func (s *Service) Attempts(state State) int64 {
	switch state {
	case Sent:
		return s.stats.sent.Load()
	case Failed:
		return s.stats.failed.Load()
	case Unknown:
		return s.stats.unknown.Load()
	case Pending:
		return s.stats.retried.Load()
	case Sending, Cancelled:
	}
	return 0
}
