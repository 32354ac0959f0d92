package overlay

// Viewers returns how many follow a room's channel now, as its viewers are told; 0 for a room that nobody follows.
func (h *Hub) Viewers(roomID string) int64 {
	h.mu.Lock()
	rm := h.rooms[roomID]
	h.mu.Unlock()
	if rm == nil {
		return 0
	}
	rm.mu.Lock()
	defer rm.mu.Unlock()
	return int64(len(rm.clients) - rm.anchors + len(rm.linger))
}
