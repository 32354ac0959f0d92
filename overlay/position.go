package overlay

import (
	"net/http"
	"strconv"
	"strings"
)

// position is how far a client of the channel has followed: offset is the number of the last event that it has, epoch
// the show that the number belongs to, "" before the room's first show.
type position struct {
	epoch  string
	offset int64
}

// String renders the position as event streams and long polls carry it. It is read back by parsePosition.
func (p position) String() string { return p.epoch + ":" + strconv.FormatInt(p.offset, 10) }

func parsePosition(s string) (position, bool) {
	epoch, offset, ok := strings.Cut(s, ":")
	n, err := strconv.ParseInt(offset, 10, 64)
	return position{epoch, n}, ok && err == nil && n >= 0
}

// requestedPosition reads where a client wants to resume: Last-Event-ID, ?since= or ?epoch=&offset=. A client that
// says nothing, or nothing that can be read, starts anew.
func requestedPosition(r *http.Request) (position, bool) {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		return parsePosition(id)
	}
	query := r.URL.Query()
	if query.Has("since") {
		return parsePosition(query.Get("since"))
	}
	if !query.Has("offset") {
		return position{}, false
	}
	return parsePosition(query.Get("epoch") + ":" + query.Get("offset"))
}
