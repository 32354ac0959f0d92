package live_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

func TestShowGoesOnAcrossAReconnect(t *testing.T) {
	h := newHouse(t, live.Config{})
	p := h.publish(media.FromMilliseconds(7_200_000)) // the encoder has run for two hours
	p.send(90)
	st := h.status()
	if st.State != live.RoomLive || st.Show == nil || st.Publisher.Video != "H264" || st.Publisher.Width != 640 || st.Publisher.Audio != "AAC" {
		t.Fatalf("status %+v", st)
	}
	show := st.Show.ID
	p.pub.Close(media.ConnectionLost)
	if st := h.status(); st.State != live.RoomInterrupted || st.Show.ID != show || st.Publisher != nil {
		t.Fatalf("after the loss: %+v", st)
	}
	gap := h.show(show).Duration
	product := h.product("Longjing")
	h.clock.advance(20 * time.Second)
	pin, err := h.rooms.Pin(t.Context(), h.room.ID, live.PinRequest{ProductID: product.ID, Featured: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := pin.ShowTime.Milliseconds(); got != gap.Milliseconds() {
		t.Errorf("a pin of the gap stands at %d ms, the gap at %d ms", got, gap.Milliseconds())
	}

	q := h.publish(0) // timestamps anew
	q.send(60)
	st = h.status()
	if st.State != live.RoomLive || st.Show.ID != show || len(st.Show.Epochs) != 2 {
		t.Fatalf("after the return: %+v", st.Show)
	}
	if e := st.Show.Epochs[1]; e.ShowTime != gap || e.Wall.Sub(st.Show.Epochs[0].Wall) < 22*time.Second {
		t.Errorf("the second epoch begins at %v, %v; the gap was at %v", e.ShowTime, e.Wall, gap)
	}
	q.pub.Close(media.Unpublished)
	if st := h.status(); st.State != live.RoomIdle {
		t.Fatalf("after the end: %+v", st)
	}
	ended := h.show(show)
	if ended.State != live.Ended || ended.Duration < gap+media.FromMilliseconds(1900) || ended.EndedAt.IsZero() {
		t.Errorf("the show ended as %+v", ended)
	}
	var states []string
	for _, e := range h.events(show) {
		if e.Type == overlay.TypeState {
			states = append(states, string(e.Data))
		}
	}
	if want := []string{`{"state":"live"}`, `{"state":"interrupted"}`, `{"state":"live"}`, `{"state":"ended"}`}; !slices.Equal(states, want) {
		t.Errorf("states %v", states)
	}
}

func TestReconnectWindowEndsTheShow(t *testing.T) {
	h := newHouse(t, live.Config{ReconnectWindow: 30 * time.Second})
	p := h.publish(0)
	p.send(40)
	show := h.status().Show.ID
	p.pub.Close(media.ConnectionLost)
	h.clock.advance(29 * time.Second)
	h.rooms.Sweep(t.Context())
	if h.status().State != live.RoomInterrupted {
		t.Fatal("the show did not wait for its anchor")
	}
	h.clock.advance(2 * time.Second)
	h.rooms.Sweep(t.Context())
	if h.status().State != live.RoomIdle || h.show(show).State != live.Ended {
		t.Fatal("the show did not end with the window")
	}
	if _, id, err := h.rooms.CurrentMedia(h.room.ID); err != nil || id != show {
		t.Fatalf("an ended show must linger for its viewers: %v", err)
	}
	h.clock.advance(3 * time.Minute)
	h.rooms.Sweep(t.Context())
	if _, _, err := h.rooms.CurrentMedia(h.room.ID); errs.KindOf(err) != errs.NotFound {
		t.Fatalf("the show lingers for ever: %v", err)
	}
	q := h.publish(0)
	q.send(31)
	if st := h.status(); st.State != live.RoomLive || st.Show.ID == show {
		t.Fatal("a publish after the end must be a new show")
	}
}

func TestNewestPublisherWins(t *testing.T) {
	h := newHouse(t, live.Config{})
	p := h.publish(0)
	p.send(45)
	show := h.status().Show.ID
	q := h.publish(0)
	select {
	case <-p.pub.Done():
	default:
		t.Fatal("the old publisher was not let go")
	}
	if err := p.sendOne(); errs.KindOf(err) != errs.Conflict {
		t.Fatalf("the old publisher may still write: %v", err)
	}
	q.send(31)
	p.pub.Close(media.Unpublished) // late, of the old one: must not end the show
	if st := h.status(); st.State != live.RoomLive || st.Show.ID != show {
		t.Fatalf("the show did not go on: %+v", st)
	}
	if got := len(h.show(show).Epochs); got != 2 {
		t.Errorf("%d epochs", got)
	}
	told := h.events(show)
	if last := told[len(told)-1]; last.Type != overlay.TypeState || last.ShowTime != h.show(show).Epochs[1].ShowTime {
		t.Errorf("viewers were not told of the new epoch: %+v", last)
	}
}

func TestPublishRefusesWrongKeysAndEmptyPublishesLeaveNothing(t *testing.T) {
	h := newHouse(t, live.Config{})
	if _, err := h.rooms.Publish(t.Context(), media.PublishRequest{StreamKey: "live_wrong"}); errs.KindOf(err) != errs.Unauthorized {
		t.Fatalf("wrong key: %v", err)
	}
	h.publish(0).pub.Close(media.ConnectionLost)
	if st := h.status(); st.State != live.RoomIdle {
		t.Fatalf("status %+v", st)
	}
	if shows, err := h.db.Shows(t.Context(), h.room.ID, "", 10); err != nil || len(shows) != 0 {
		t.Fatalf("a publish without a picture left %v, %v", shows, err)
	}
	old := h.key
	var err error
	if h.key, err = h.rooms.RotateKey(t.Context(), h.room.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.rooms.Publish(t.Context(), media.PublishRequest{StreamKey: old}); errs.KindOf(err) != errs.Unauthorized {
		t.Fatalf("the old key still lets in: %v", err)
	}
	h.publish(0).send(1)
}

func TestPinsStandWhereTheyAreMeant(t *testing.T) {
	h := newHouse(t, live.Config{})
	product := h.product("Longjing")
	if _, err := h.rooms.Pin(t.Context(), h.room.ID, live.PinRequest{ProductID: product.ID}); errs.KindOf(err) != errs.Conflict {
		t.Fatalf("a pin without a show: %v", err)
	}
	p := h.publish(media.FromMilliseconds(500_000))
	p.send(90) // the next picture would be that of 3000 ms, captured and arriving now
	exact := media.FromMilliseconds(1234)
	at := h.clock.Now().Add(-time.Second)
	tooFar := media.FromMilliseconds(120_000)
	both := live.PinRequest{ShowTime: &exact, At: &at}
	for _, c := range []struct {
		name string
		req  live.PinRequest
		want int64
		kind errs.Kind
	}{
		{name: "by show time", req: live.PinRequest{ShowTime: &exact}, want: 1234},
		{name: "now", want: 3000},
		{name: "by wall time", req: live.PinRequest{At: &at}, want: 2000},
		{name: "both", req: both, kind: errs.Invalid},
		{name: "too far ahead", req: live.PinRequest{ShowTime: &tooFar}, kind: errs.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.req.ProductID = h.product(c.name).ID
			pin, err := h.rooms.Pin(t.Context(), h.room.ID, c.req)
			if c.kind != errs.Internal {
				if errs.KindOf(err) != c.kind {
					t.Fatalf("error %v", err)
				}
				return
			}
			if err != nil || pin.ShowTime.Milliseconds() != c.want {
				t.Fatalf("pinned at %d ms (%v), want %d", pin.ShowTime.Milliseconds(), err, c.want)
			}
		})
	}
	delay := 400 * time.Millisecond
	if _, err := h.rooms.UpdateRoom(t.Context(), h.room.ID, live.RoomUpdate{CaptureDelay: &delay}); err != nil {
		t.Fatal(err)
	}
	pin, err := h.rooms.Pin(t.Context(), h.room.ID, live.PinRequest{ProductID: h.product("delayed").ID})
	if err != nil || pin.ShowTime.Milliseconds() != 3400 {
		t.Fatalf("with a capture delay of 400 ms the pin stands at %d ms (%v), want 3400", pin.ShowTime.Milliseconds(), err)
	}
	if err := p.pub.WriteData(media.FromMilliseconds(501_500), []byte(`{"type":"pin","product_id":"`+product.ID+`"}`)); err != nil {
		t.Fatal(err)
	}
	pins, err := h.timeline.ActivePins(t.Context(), h.status().Show.ID)
	if err != nil {
		t.Fatal(err)
	}
	last := pins[len(pins)-1]
	if last.ProductID != product.ID || last.ShowTime.Milliseconds() != 1500 || !last.Featured {
		t.Fatalf("the pin in band is %+v", last)
	}
	if err := p.pub.WriteData(media.FromMilliseconds(502_000), []byte(`{"type":"dance"}`)); errs.KindOf(err) != errs.Invalid {
		t.Fatalf("an unknown message: %v", err)
	}
}

func TestAShowSurvivesARestart(t *testing.T) {
	h := newHouse(t, live.Config{})
	p := h.publish(0)
	p.send(100)
	show := h.status().Show.ID
	product := h.product("Longjing")
	if _, err := h.rooms.Pin(t.Context(), h.room.ID, live.PinRequest{ProductID: product.ID, Featured: true}); err != nil {
		t.Fatal(err)
	}
	h.shut()
	<-p.pub.Done()
	h.clock.advance(10 * time.Second)
	h.open(live.Config{})
	st := h.status()
	if st.State != live.RoomInterrupted || st.Show.ID != show {
		t.Fatalf("after the restart: %+v", st)
	}
	before := st.Show.Duration
	if ms := before.Milliseconds(); ms < 3300 || ms > 3400 {
		t.Errorf("the show is %d ms long after the restart, 3333 before", ms)
	}
	q := h.publish(0)
	q.send(40)
	if st := h.status(); st.State != live.RoomLive || st.Show.ID != show || st.Show.Epochs[1].ShowTime != before {
		t.Fatalf("the show did not go on: %+v", st.Show)
	}
	if err := h.rooms.End(t.Context(), h.room.ID); err != nil {
		t.Fatal(err)
	}
	<-q.pub.Done()
	ranges, err := h.timeline.Ranges(t.Context(), show)
	if err != nil || len(ranges) != 1 || ranges[0].EndWall.IsZero() {
		t.Fatalf("the pin must end with the show: %+v, %v", ranges, err)
	}
}

func TestAClockThatLeavesTheWallBeginsAnEpoch(t *testing.T) {
	h := newHouse(t, live.Config{})
	p := h.publish(0)
	p.send(60)
	h.clock.advance(5 * time.Second) // the publisher was silent, and its retimer took the jump out
	s := p.picture(p.base + media.Ticks(p.next)*3000)
	s.Rebased = true
	if err := p.pub.Write(s); err != nil {
		t.Fatal(err)
	}
	p.send(35)
	show := h.status().Show
	if len(show.Epochs) != 2 || show.Epochs[1].Wall.Sub(show.Epochs[0].Wall) < 7*time.Second {
		t.Fatalf("epochs %+v", show.Epochs)
	}
}

func TestAShowWithoutRecordingEndsWithTheProcess(t *testing.T) {
	h := newHouse(t, live.Config{NoRecording: true})
	p := h.publish(0)
	p.send(100)
	show := h.status().Show.ID
	if _, err := h.rooms.Pin(t.Context(), h.room.ID, live.PinRequest{ProductID: h.product("Longjing").ID}); err != nil {
		t.Fatal(err)
	}
	h.shut()
	h.open(live.Config{NoRecording: true})
	if st := h.status(); st.State != live.RoomIdle || h.show(show).State != live.Ended {
		t.Fatalf("after the restart: %+v", st)
	}
	ranges, err := h.timeline.Ranges(t.Context(), show)
	if err != nil || len(ranges) != 1 || ranges[0].EndWall.IsZero() {
		t.Fatalf("the pin must end with the show: %+v, %v", ranges, err)
	}
}

func TestADiskThatTakesNoRecordingKeepsNobodyOffTheAir(t *testing.T) {
	h := newHouse(t, live.Config{})
	if err := os.RemoveAll(filepath.Join(h.dir, "recordings")); err != nil {
		t.Fatal(err)
	}
	h.publish(0).send(100)
	st := h.status()
	if st.State != live.RoomLive || st.Recording != nil {
		t.Fatalf("status %+v", st)
	}
	if err := h.rooms.End(t.Context(), h.room.ID); err != nil {
		t.Fatal(err)
	}
	if got := h.show(st.Show.ID); got.State != live.Ended || got.Duration < media.FromMilliseconds(3000) {
		t.Errorf("the show ended as %+v", got)
	}
}
