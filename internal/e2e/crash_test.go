package e2e

import (
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"
)

// The server is killed in mid-show and started again: the anchor comes back, the same show goes on, and the replay lacks
// at most the part that was being filled. Every event that was answered for is there.
func TestKilledInMidShow(t *testing.T) {
	t.Parallel()
	s := serve(t)
	r := s.newRoom(t)
	pub := publish(t, s, r.StreamKey, publication{picture: landscape, bframes: 2})
	showID := s.onAir(t, r.ID)
	var pins []pin
	for i := range 5 {
		pub.reach(t, (3+i)*fps)
		pins = append(pins, s.pin(t, r.ID, s.newProduct(t, "Tea"), nil))
	}
	pub.reach(t, 9*fps+10)
	pins = append(pins, s.pin(t, r.ID, s.newProduct(t, "Tea"), nil))
	listed := s.listed(t, r.ID, showID)
	s.kill()
	pub.cut()
	eventsBefore := len(pins)

	s.start(t)
	if st := s.show(t, showID).State; st != "interrupted" {
		t.Errorf("after the restart the show is %s", st)
	}
	const again = 1000
	pub = publish(t, s, r.StreamKey, publication{picture: landscape, bframes: 2, first: again})
	if got := s.onAir(t, r.ID); got != showID {
		t.Fatalf("the anchor is back in show %s, was in %s", got, showID)
	}
	pub.reach(t, again+4*fps)
	pins = append(pins, s.pin(t, r.ID, s.newProduct(t, "Tea"), nil))
	sentAfter := pub.finish(t)
	s.state(t, showID, "ended", 5*time.Second)

	sh := s.show(t, showID)
	if len(sh.Epochs) != 2 {
		t.Fatalf("epochs %+v", sh.Epochs)
	}
	kept := time.Duration(sh.Epochs[1].ShowTimeMS) * time.Millisecond
	t.Logf("listed before the kill: %v, kept: %v", listed, kept)
	if kept < listed-500*time.Millisecond {
		t.Errorf("%v of media was listed before the kill, %v is left: more than a part is lost", listed, kept)
	}
	numbers := frameNumbers(t, s.url("/replay/"+showID+"/index.m3u8"), landscape)
	cut := slices.Index(numbers, again)
	if want := int(kept.Seconds()*fps + 0.5); cut > want || cut < want-2 {
		t.Errorf("the replay has %d frames before the kill, %v of show time make %d", cut, kept, want)
	}
	whole := max(0, cut-2) // of the last ones, pictures that are coded after what they precede may not have come
	wantFrames(t, "before the kill", numbers[:whole], 0, whole)
	wantFrames(t, "after the kill", numbers[max(cut, 0):], again, sentAfter)

	tl := s.timeline(t, showID)
	for i, p := range pins {
		if e := tl.pin(t, p.ID); e.ShowTimeMS != p.ShowTimeMS {
			t.Errorf("pin %d (of %d before the kill): %+v, answered %+v", i, eventsBefore, e, p)
		}
	}
	for i, e := range tl.Events {
		if e.Seq != int64(i+1) {
			t.Errorf("event %d has sequence number %d", i+1, e.Seq)
		}
	}
}

var listedDuration = regexp.MustCompile(`#EXTINF:([0-9.]+)|#EXT-X-PART:DURATION=([0-9.]+)|#EXT-X-MEDIA-SEQUENCE:(\d+)`)

// listed is how much of a show its live playlist lists; the show must be young enough for its first segment to be there.
func (s *server) listed(t *testing.T, roomID, showID string) time.Duration {
	t.Helper()
	_, body := s.get(t, "/live/"+roomID+"/"+showID+"/main.m3u8")
	var closed, open float64
	for _, m := range listedDuration.FindAllStringSubmatch(string(body), -1) {
		switch {
		case m[1] != "":
			v, _ := strconv.ParseFloat(m[1], 64)
			closed, open = closed+v, 0
		case m[2] != "":
			v, _ := strconv.ParseFloat(m[2], 64)
			open += v
		case m[3] != "0":
			t.Fatalf("the playlist begins at segment %s", m[3])
		}
	}
	return time.Duration((closed + open) * float64(time.Second))
}
