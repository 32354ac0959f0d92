package live

import (
	"net/netip"
	"sync"

	"github.com/vitrine-live/vitrine/internal/clientaddr"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// Reasons why a publisher with the right key is refused, as metrics and the log name them.
const (
	refusedOverall = "publishers"
	refusedStore   = "publishers_of_store"
	refusedAddress = "publishers_of_address"
)

func (c *Config) validateLimits() error {
	for _, f := range []struct {
		name  string
		limit int
	}{{"max_publishers", c.MaxPublishers}, {"max_publishers_per_store", c.MaxPublishersPerStore}, {"max_publishers_per_address", c.MaxPublishersPerAddress}} {
		if f.limit < 0 {
			return errs.Field("live.Config", f.name, "must be at least 0 (no limit), got %d", f.limit)
		}
	}
	return nil
}

// admission counts who publishes. Each room has one seat, however many of its publishers overlap while a newer one takes
// over, and it counts for the newest. Nobody is cut off by a limit in the middle of a show: a publisher whose room has its
// seat is let in whatever the limits say. Safe for concurrent use.
type admission struct {
	cfg Config

	mu        sync.Mutex
	seats     map[string]seat // by room
	byStore   map[string]int
	byAddress map[netip.Prefix]int
}

type seat struct {
	publishers int
	store      string       // "" is not counted
	address    netip.Prefix // the zero prefix is not counted
}

func newAdmission(cfg Config) *admission {
	return &admission{cfg: cfg, seats: map[string]seat{}, byStore: map[string]int{}, byAddress: map[netip.Prefix]int{}}
}

// enter lets a publisher into room, or says which limit forbids it. What was let in must leave.
func (a *admission) enter(room Room, from netip.Addr) (limit string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	next := seat{store: room.StoreID, address: clientaddr.Network(from)}
	old, taken := a.seats[room.ID]
	if !taken {
		if limit, err = a.check(next); err != nil {
			return limit, err
		}
	}
	next.publishers = old.publishers + 1
	a.count(old, -1)
	a.count(next, 1)
	a.seats[room.ID] = next
	return "", nil
}

func (a *admission) check(s seat) (limit string, err error) {
	const op = "live.Publish"
	c := &a.cfg
	switch {
	case c.MaxPublishers > 0 && len(a.seats) >= c.MaxPublishers:
		return refusedOverall, errs.New(errs.Exhausted, op, "all %d places of this server are taken: try again when another show has ended, or have live.max_publishers raised", c.MaxPublishers)
	case c.MaxPublishersPerStore > 0 && s.store != "" && a.byStore[s.store] >= c.MaxPublishersPerStore:
		return refusedStore, errs.New(errs.Exhausted, op, "this store may run %d shows at once and does: end one of them first, or have live.max_publishers_per_store raised", c.MaxPublishersPerStore)
	case c.MaxPublishersPerAddress > 0 && s.address.IsValid() && a.byAddress[s.address] >= c.MaxPublishersPerAddress:
		return refusedAddress, errs.New(errs.Exhausted, op, "your network has %d publishers on air and may have no more: stop one of them first, or have live.max_publishers_per_address raised", c.MaxPublishersPerAddress)
	}
	return "", nil
}

// leave lets a publisher of the room go; the last one gives the seat back.
func (a *admission) leave(roomID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.seats[roomID]
	if s.publishers--; s.publishers > 0 {
		a.seats[roomID] = s
		return
	}
	delete(a.seats, roomID)
	a.count(s, -1)
}

// count adds n to what the seat counts for, and keeps no zeros.
func (a *admission) count(s seat, n int) {
	if s.store != "" {
		if a.byStore[s.store] += n; a.byStore[s.store] == 0 {
			delete(a.byStore, s.store)
		}
	}
	if s.address.IsValid() {
		if a.byAddress[s.address] += n; a.byAddress[s.address] == 0 {
			delete(a.byAddress, s.address)
		}
	}
}

// admit lets a publisher with the right key into room, if the limits allow it; whoever is let in must leave.
func (r *Rooms) admit(room Room, req media.PublishRequest) error {
	from := req.Remote.Addr()
	if req.StreamKey == "" {
		from = netip.Addr{} // a pull: its address is that of an origin, which may serve many rooms
	}
	limit, err := r.admission.enter(room, from)
	if err != nil {
		r.Metrics.Refused.WithLabelValues(limit).Inc()
		r.Log.Warn("publisher refused: a limit is reached", "limit", limit, "room", room.ID, "store", room.StoreID, "protocol", req.Protocol, "remote", req.Remote)
	}
	return err
}
