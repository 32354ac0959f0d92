package e2e

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const allowPrivate = "VITRINE_PULL_ALLOW_PRIVATE=true"

// A server takes a room's picture from another one, live, over a lost connection of the anchor and to the end; then it
// imports the finished show as a replay of its own. Nothing is missing, and dates are the origin's.
func TestPullAndImport(t *testing.T) {
	t.Parallel()
	origin, relay := serve(t), serve(t, allowPrivate)
	at := origin.newRoom(t)
	pub := publish(t, origin, at.StreamKey, publication{picture: landscape, bframes: 2})
	shownAt := origin.onAir(t, at.ID)
	pub.reach(t, 3*fps)

	var r room
	relay.call(t, http.MethodPost, "/api/v1/rooms", map[string]any{"title": "Relay", "source_url": origin.url("/live/" + at.ID + "/index.m3u8")}, &r)
	shownHere := relay.onAir(t, r.ID)
	pub.reach(t, 7*fps)
	next := pub.next() + fps
	pub.cut()
	pub = publish(t, origin, at.StreamKey, publication{picture: landscape, bframes: 2, first: next})
	pub.reach(t, next+4*fps)
	pub.finish(t)
	origin.state(t, shownAt, "ended", 5*time.Second)
	relay.state(t, shownHere, "ended", 20*time.Second)

	want := frameNumbers(t, origin.url("/replay/"+shownAt+"/index.m3u8"), landscape)
	got := frameNumbers(t, relay.url("/replay/"+shownHere+"/index.m3u8"), landscape)
	if len(got) < 6*fps || !slices.Equal(got, want[len(want)-len(got):]) {
		t.Errorf("the relay shows %d frames, which are not the last of the origin's %d", len(got), len(want))
	}
	wantDates(t, origin, shownAt, relay, shownHere, len(want)-len(got))
	imported := relay.importShow(t, r.ID, origin.url("/replay/"+shownAt+"/index.m3u8"))
	got = frameNumbers(t, relay.url("/replay/"+imported+"/ts/index.m3u8"), landscape)
	if !slices.Equal(got, want) {
		t.Errorf("the import shows %d frames, which are not the origin's %d", len(got), len(want))
	}
	wantDates(t, origin, shownAt, relay, imported, 0)
	for _, path := range []string{"/poster.jpg", "/timeline.json", "/main.m3u8"} {
		if status, _ := relay.get(t, "/replay/"+imported+path); status != http.StatusOK {
			t.Errorf("%s of the import: status %d", path, status)
		}
	}
	origin.stop(t)
	relay.stop(t)
}

// wantDates wants the epochs of there's show b to be those of here's show a, of which b has not the first frames.
func wantDates(t *testing.T, here *server, a string, there *server, b string, missing int) {
	t.Helper()
	want, got := here.show(t, a).Epochs, there.show(t, b).Epochs
	if len(want) != len(got) {
		t.Errorf("%d epochs, the origin has %d", len(got), len(want))
		return
	}
	lost := time.Duration(missing) * time.Second / fps
	for i := range want {
		date, at := want[i].Wall, want[i].ShowTimeMS-lost.Milliseconds()
		if i == 0 {
			date, at = date.Add(lost), 0
		}
		if off := got[i].Wall.Sub(date); off < -5*time.Millisecond || off > 5*time.Millisecond {
			t.Errorf("epoch %d is dated %v, %v off", i, got[i].Wall, off)
		}
		if off := got[i].ShowTimeMS - at; off < -40 || off > 40 {
			t.Errorf("epoch %d begins at %d ms, %d off", i, got[i].ShowTimeMS, off)
		}
	}
}

type importState struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Reason string `json:"reason"`
	ShowID string `json:"show_id"`
}

// importShow imports a finished show and returns the show that it became.
func (s *server) importShow(t *testing.T, roomID, url string) string {
	t.Helper()
	im := s.imported(t, roomID, url)
	if im.State != "done" {
		t.Fatalf("the import: %+v", im)
	}
	return im.ShowID
}

// imported carries an import out and returns how it ended.
func (s *server) imported(t *testing.T, roomID, url string) (im importState) {
	t.Helper()
	s.call(t, http.MethodPost, "/api/v1/rooms/"+roomID+"/imports", map[string]any{"url": url, "title": "Imported"}, &im)
	eventually(t, 30*time.Second, "the import to end", func() bool {
		s.call(t, http.MethodGet, "/api/v1/imports/"+im.ID, nil, &im)
		return im.State != "running"
	})
	return im
}

// Unless it is allowed, nobody reads through this server what only this machine can reach.
func TestPullRefusesPrivateAddresses(t *testing.T) {
	t.Parallel()
	s := serve(t)
	var r room
	s.call(t, http.MethodPost, "/api/v1/rooms", map[string]any{"title": "Relay", "source_url": s.url("/live/x/index.m3u8")}, &r)
	im := s.imported(t, r.ID, s.url("/metrics"))
	if im.State != "failed" || !strings.Contains(im.Reason, "pull.allow_private") {
		t.Errorf("the import: %+v", im)
	}
	refused := regexp.MustCompile(`nothing is pulled for now.*127\.0\.0\.1, which is not of the public internet`)
	eventually(t, 10*time.Second, "the log to say why nothing is pulled", func() bool { return refused.MatchString(s.out.String()) })
	s.stop(t)
}
