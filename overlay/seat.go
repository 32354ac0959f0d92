package overlay

import (
	"net/http"
	"net/netip"

	"github.com/vitrine-live/vitrine/internal/clientaddr"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// seat is the right of one connection to be there. It is taken before anything else and given back at the very end.
type seat struct {
	hub  *Hub
	room *room
	addr netip.Prefix // invalid: not counted
	// anchor is a seat that says so (?role=anchor): the room's own people look on and are no viewers.
	anchor bool
}

// enter takes a seat in a room. Exhausted: no seat is left. Unavailable: the Hub is closing.
func (h *Hub) enter(r *http.Request, roomID string) (*seat, error) {
	const op = "overlay.enter"
	addr := h.counted(r)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.shut:
		return nil, errs.New(errs.Unavailable, op, "the server is going away: try again in a moment")
	case h.cfg.MaxConnections > 0 && h.seats >= h.cfg.MaxConnections:
		h.metrics.refused["connections"].Inc()
		return nil, errs.New(errs.Exhausted, op, "the server has as many viewers as it can take: try again in a moment")
	case addr.IsValid() && h.byAddr[addr] >= h.cfg.MaxPerAddress:
		h.metrics.refused["address"].Inc()
		return nil, errs.New(errs.Exhausted, op, "there are too many connections from this address: try again in a moment")
	}
	rm := h.rooms[roomID]
	if rm == nil {
		rm = newRoom(roomID, h)
		h.rooms[roomID] = rm
	}
	rm.users++
	h.seats++
	if addr.IsValid() {
		h.byAddr[addr]++
	}
	h.wg.Add(1)
	return &seat{h, rm, addr, r.URL.Query().Get("role") == "anchor"}, nil
}

// leave gives the seat back.
func (s *seat) leave() {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.wg.Done()
	h.seats--
	if s.addr.IsValid() {
		if h.byAddr[s.addr]--; h.byAddr[s.addr] == 0 {
			delete(h.byAddr, s.addr)
		}
	}
	s.room.users--
	s.room.used = h.clock.now()
	if s.room.users == 0 && !s.room.isOpen() { // it does not exist
		delete(h.rooms, s.room.id)
	}
}

// counted returns what a request's address is counted as.
func (h *Hub) counted(r *http.Request) netip.Prefix {
	addr := h.cfg.ClientAddr(r).Unmap()
	if h.cfg.MaxPerAddress < 0 || !addr.IsValid() || addr.IsLoopback() {
		return netip.Prefix{}
	}
	return clientaddr.Network(addr)
}

func remoteAddr(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr()
}
