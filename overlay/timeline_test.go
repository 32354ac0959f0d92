package overlay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

var ctx = context.Background()

// pinAt pins and fails the test when it is refused.
func (w *world) pinAt(t *testing.T, show string, n int, featured bool, at media.Ticks) overlay.Pin {
	t.Helper()
	pin, err := w.timeline.Pin(ctx, show, product(n), featured, at, wallAt(at))
	if err != nil {
		t.Fatal(err)
	}
	return pin
}

func (w *world) unpinAt(t *testing.T, show, pin string, at media.Ticks) {
	t.Helper()
	if err := w.timeline.Unpin(ctx, show, pin, at, wallAt(at)); err != nil {
		t.Fatal(err)
	}
}

// active returns the products on screen, the featured one marked.
func (w *world) active(t *testing.T, show string) string {
	t.Helper()
	pins, err := w.timeline.ActivePins(ctx, show)
	if err != nil {
		t.Fatal(err)
	}
	s := ""
	for _, p := range pins {
		s += p.Product.Title[len("商品 "):]
		if p.Featured {
			s += "*"
		}
	}
	return s
}

func TestPinIsStoredAsShown(t *testing.T) {
	w := newWorld(t)
	show := w.show(t, w.room(t))
	at := ms(1200)
	pin := w.pinAt(t, show, 7, true, at)
	if !ids.Valid("pin", pin.ID) {
		t.Errorf("the pin's id is %q", pin.ID)
	}
	events, err := w.timeline.Events(ctx, show, 0, 0)
	if err != nil || len(events) != 1 {
		t.Fatalf("got %v, %v", events, err)
	}
	got, err := json.Marshal(events[0])
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"seq":1,"type":"pin","show_time_ms":1200,"wall":"2026-11-22T12:00:01.200Z","data":{"pin":{"id":%q,`+
		`"product_id":"prod_0000000000000007","featured":true,"show_time_ms":1200,"product":{"id":"prod_0000000000000007",`+
		`"title":"商品 7","price":700,"currency":"CNY","url":"https://shop.example/7","image_url":"/img.jpg","stock":7,"display":"one","link":"url"}}}}`, pin.ID)
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPinRules(t *testing.T) {
	w := newWorld(t)
	show := w.show(t, w.room(t))
	first := w.pinAt(t, show, 1, true, ms(1000))
	second := w.pinAt(t, show, 2, false, ms(2000))
	if got := w.active(t, show); got != "1*2" {
		t.Errorf("on screen: %s", got)
	}
	if again := w.pinAt(t, show, 1, true, ms(3000)); !cmp.Equal(again, first) {
		t.Errorf("pinned again: got %v, want the pin that is there, %v", again, first)
	}
	if again := w.pinAt(t, show, 2, false, ms(3000)); !cmp.Equal(again, second) {
		t.Errorf("pinned again: got %v, want %v", again, second)
	}
	featured := w.pinAt(t, show, 2, true, ms(3000)) // takes the place from 1, and from its own plain pin
	if featured.ID == second.ID || featured.ShowTime != ms(3000) {
		t.Errorf("to feature a pin makes %v of %v", featured, second)
	}
	if got := w.active(t, show); got != "12*" {
		t.Errorf("on screen: %s", got)
	}
	if again := w.pinAt(t, show, 1, false, ms(3500)); again.ID != first.ID || again.Featured {
		t.Errorf("pinned again: got %v", again)
	}
	w.unpinAt(t, show, featured.ID, ms(4000))
	if got := w.active(t, show); got != "1" { // the place stays empty
		t.Errorf("on screen: %s", got)
	}

	_, err := w.timeline.Pin(ctx, show, product(1), true, ms(500), wallAt(ms(500)))
	if errs.KindOf(err) != errs.Conflict {
		t.Errorf("pinned from an earlier instant: %v", err)
	}
	_, err = w.timeline.Pin(ctx, show, product(3), true, -1, wall0)
	if errs.FieldOf(err) != "show_time_ms" {
		t.Errorf("pinned before the show: %v", err)
	}
	for name, c := range map[string]struct {
		pin  string
		want errs.Kind
	}{"unknown": {"pin_x", errs.NotFound}, "unpinned": {featured.ID, errs.Conflict}} {
		if err := w.timeline.Unpin(ctx, show, c.pin, ms(5000), wallAt(ms(5000))); errs.KindOf(err) != c.want {
			t.Errorf("unpin of %s pin: %v", name, err)
		}
	}
	if _, err := w.timeline.Append(ctx, show, overlay.TypePin, 0, wall0, nil); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a pin event by hand: %v", err)
	}
	for _, call := range []func() error{
		func() error { _, err := w.timeline.ActivePins(ctx, "show_x"); return err },
		func() error { _, err := w.timeline.Ranges(ctx, "show_x"); return err },
		func() error { _, err := w.timeline.LastSeq(ctx, "show_x"); return err },
		func() error { return w.timeline.EndShow(ctx, "show_x", 0, wall0) },
		func() error { _, err := w.timeline.Pin(ctx, "show_x", product(1), true, 0, wall0); return err },
	} {
		if err := call(); errs.KindOf(err) != errs.NotFound {
			t.Errorf("unknown show: %v", err)
		}
	}
}

func TestUnpinIsNeverBeforeItsPin(t *testing.T) {
	w := newWorld(t)
	show := w.show(t, w.room(t))
	pin := w.pinAt(t, show, 1, true, ms(2000))
	w.unpinAt(t, show, pin.ID, ms(1000))
	ranges, err := w.timeline.Ranges(ctx, show)
	if err != nil {
		t.Fatal(err)
	}
	want := []overlay.Range{{Pin: pin, StartWall: wallAt(ms(2000)), End: ms(2000), EndWall: wallAt(ms(2000))}}
	if diff := cmp.Diff(want, ranges); diff != "" {
		t.Error(diff)
	}
}

func TestActivePinsAreLimited(t *testing.T) {
	w := newWorld(t)
	show := w.show(t, w.room(t))
	for n := range overlay.MaxActivePins {
		w.pinAt(t, show, n, false, 0)
	}
	_, err := w.timeline.Pin(ctx, show, product(99), false, 0, wall0)
	if errs.KindOf(err) != errs.Exhausted {
		t.Errorf("one more: %v", err)
	}
	w.pinAt(t, show, 3, true, 0) // one that is there may still be featured
	w.pinAt(t, show, 4, false, 0)
}

func TestEndOfShow(t *testing.T) {
	w := newWorld(t)
	show := w.show(t, w.room(t))
	w.pinAt(t, show, 1, true, ms(1000))
	w.pinAt(t, show, 2, false, ms(9000)) // in the future that never came
	gone := w.pinAt(t, show, 3, false, ms(1000))
	w.unpinAt(t, show, gone.ID, ms(1500))
	end, endWall := ms(5000), wallAt(ms(5000))
	for range 2 {
		if err := w.timeline.EndShow(ctx, show, end, endWall); err != nil {
			t.Fatal(err)
		}
	}
	state, err := w.timeline.Append(ctx, show, overlay.TypeState, ms(6000), wallAt(ms(6000)), overlay.StateData{State: "ended"})
	if err != nil || state.Seq != 5 || state.ShowTime != end {
		t.Errorf("told again: %v, %v", state, err)
	}
	for name, timeline := range map[string]*overlay.Timeline{"as it runs": w.timeline, "read again": w.again()} {
		ranges, err := timeline.Ranges(ctx, show)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []media.Ticks{end, ms(9000), ms(1500)} {
			if ranges[i].Active() || ranges[i].End != want || !ranges[i].EndWall.Equal(wallAt(want)) {
				t.Errorf("%s: range %d ends at %v, %v; want %v", name, i, ranges[i].End, ranges[i].EndWall, want)
			}
		}
		if pins, err := timeline.ActivePins(ctx, show); err != nil || len(pins) != 0 {
			t.Errorf("%s: on screen after the end: %v, %v", name, pins, err)
		}
		if last, err := timeline.LastSeq(ctx, show); err != nil || last != 5 {
			t.Errorf("%s: %d events, %v; want 5: no unpins are written", name, last, err)
		}
		_, err = timeline.Pin(ctx, show, product(4), true, end, endWall)
		if errs.KindOf(err) != errs.Conflict {
			t.Errorf("%s: pinned after the end: %v", name, err)
		}
		if err := timeline.Unpin(ctx, show, gone.ID, end, endWall); errs.KindOf(err) != errs.Conflict {
			t.Errorf("%s: unpinned after the end: %v", name, err)
		}
		_, err = timeline.Append(ctx, show, overlay.TypeAnnouncement, end, endWall, overlay.AnnouncementData{Text: "late"})
		if errs.KindOf(err) != errs.Conflict {
			t.Errorf("%s: announced after the end: %v", name, err)
		}
	}
}

// again is a second timeline over the same database: what a restart sees.
func (w *world) again() *overlay.Timeline {
	return overlay.NewTimeline(w.db, quiet, overlay.NewMetrics(prometheus.NewRegistry()))
}

// A show that was ended by its record alone, since the process died before the timeline heard of it, is ended.
func TestEndByRecord(t *testing.T) {
	w := newWorld(t)
	show := w.show(t, w.room(t))
	w.pinAt(t, show, 1, true, ms(1000))
	record, err := w.db.Show(ctx, show)
	if err != nil {
		t.Fatal(err)
	}
	record.State, record.Duration = live.Ended, ms(4000)
	if err := w.db.UpdateShow(ctx, record); err != nil {
		t.Fatal(err)
	}
	again := w.again()
	ranges, err := again.Ranges(ctx, show)
	if err != nil || ranges[0].End != ms(4000) || !ranges[0].EndWall.Equal(wallAt(ms(4000))) {
		t.Errorf("got %+v, %v", ranges, err)
	}
	if err := again.EndShow(ctx, show, ms(4000), wallAt(ms(4000))); err != nil { // the log is told what it lacks
		t.Error(err)
	}
	if last, err := again.LastSeq(ctx, show); err != nil || last != 2 {
		t.Errorf("%d events, %v", last, err)
	}
}

func TestBagAndProductEvents(t *testing.T) {
	w := newWorld(t)
	show := w.show(t, w.room(t))
	if _, err := w.timeline.BagChanged(ctx, show, nil, ms(40), wallAt(ms(40))); err != nil {
		t.Fatal(err)
	}
	hidden := product(2)
	hidden.Stock = nil
	if _, err := w.timeline.ProductChanged(ctx, show, hidden, ms(80), wallAt(ms(80))); err != nil {
		t.Fatal(err)
	}
	events, err := w.timeline.Events(ctx, show, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"products":[]}`,
		`{"product":{"id":"prod_0000000000000002","title":"商品 2","price":200,"currency":"CNY","url":"https://shop.example/2","image_url":"/img.jpg","stock":null,"display":"one","link":"url"}}`,
	}
	for i, e := range events {
		if string(e.Data) != want[i] {
			t.Errorf("event %d: got %s, want %s", i, e.Data, want[i])
		}
	}
	_, err = w.timeline.Append(ctx, show, overlay.TypeAnnouncement, 0, wall0, overlay.AnnouncementData{Text: string(make([]byte, 1<<20))})
	if errs.KindOf(err) != errs.Invalid {
		t.Errorf("an event of more than a megabyte: %v", err)
	}
}

// Many write to the same shows at once; every subscriber hears 1, 2, 3 ... of each, exactly as stored.
func TestSubscribersHearTheLogInOrder(t *testing.T) {
	const writers, each = 8, 20
	w := newWorld(t)
	shows := []string{w.show(t, w.room(t)), w.show(t, w.room(t))}
	heard := make([][]overlay.Event, len(shows))
	for i, show := range shows {
		defer w.timeline.Subscribe(show, func(e overlay.Event) { heard[i] = append(heard[i], e) })()
	}
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			for i := range each {
				show := shows[(n+i)%len(shows)]
				_, err := w.timeline.Append(ctx, show, overlay.TypeAnnouncement, ms(int64(n)), wallAt(ms(int64(n))), overlay.AnnouncementData{Text: fmt.Sprint(n, i)})
				if err != nil {
					t.Error(err)
				}
				if _, err := w.timeline.ActivePins(ctx, show); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i, show := range shows {
		stored, err := w.timeline.Events(ctx, show, 0, 1000)
		if err != nil || len(stored) != writers*each/len(shows) {
			t.Fatalf("%d are stored, %v", len(stored), err)
		}
		if diff := cmp.Diff(stored, heard[i]); diff != "" {
			t.Errorf("heard differs from stored:\n%s", diff)
		}
	}
}

func TestCancelEndsSubscription(t *testing.T) {
	w := newWorld(t)
	show := w.show(t, w.room(t))
	heard := 0
	cancel := w.timeline.Subscribe(show, func(overlay.Event) { heard++ })
	defer w.timeline.Subscribe(show, func(overlay.Event) {})()
	w.pinAt(t, show, 1, true, 0)
	cancel()
	cancel()
	w.pinAt(t, show, 2, true, 0)
	if heard != 1 {
		t.Errorf("heard %d events, want 1", heard)
	}
}

// A show that was put out of memory is read again, and writing goes on where it was.
func TestCacheIsBounded(t *testing.T) {
	w := newWorld(t)
	show := w.show(t, w.room(t))
	heard := []int64{}
	defer w.timeline.Subscribe(show, func(e overlay.Event) { heard = append(heard, e.Seq) })()
	pin := w.pinAt(t, show, 1, true, 0)
	for n := range 1100 {
		if _, err := w.timeline.LastSeq(ctx, fmt.Sprint("show_", n)); errs.KindOf(err) != errs.NotFound {
			t.Fatal(err)
		}
	}
	w.unpinAt(t, show, pin.ID, ms(10))
	if diff := cmp.Diff([]int64{1, 2}, heard); diff != "" {
		t.Error(diff)
	}
}

// flaky is a store that may say that it failed although it did not.
type flaky struct {
	*sqldb.DB
	fail error
}

func (f *flaky) AppendEvents(ctx context.Context, show string, events []overlay.Event) (int64, error) {
	seq, err := f.DB.AppendEvents(ctx, show, events)
	if f.fail != nil {
		return 0, f.fail
	}
	return seq, err
}

// Whatever the store says, subscribers and what is in memory follow the log.
func TestUncertainWriteIsLookedUp(t *testing.T) {
	w := newWorld(t)
	show := w.show(t, w.room(t))
	store := &flaky{DB: w.db}
	timeline := overlay.NewTimeline(store, quiet, w.metrics)
	var heard []int64
	defer timeline.Subscribe(show, func(e overlay.Event) { heard = append(heard, e.Seq) })()
	pin := func(n int) error {
		_, err := timeline.Pin(ctx, show, product(n), true, 0, wall0)
		return err
	}
	if err := pin(1); err != nil {
		t.Fatal(err)
	}
	store.fail = errors.New("the disk went away")
	if err := pin(2); !errors.Is(err, store.fail) {
		t.Errorf("got %v", err)
	}
	store.fail = nil
	if _, err := w.timeline.Pin(ctx, show, product(3), true, 0, wall0); err != nil { // another process
		t.Fatal(err)
	}
	if err := pin(4); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{1, 2, 3, 4}, heard); diff != "" {
		t.Error(diff)
	}
	if _, err := w.timeline.Append(ctx, show, overlay.TypeAnnouncement, 0, wall0, overlay.AnnouncementData{}); err != nil {
		t.Fatal(err)
	}
	if err := pin(5); err != nil { // between the look and the write
		t.Fatal(err)
	}
	if pins, err := timeline.ActivePins(ctx, show); err != nil || len(pins) != 5 || len(heard) != 6 {
		t.Errorf("%d are pinned, %v; heard %v", len(pins), err, heard)
	}
}
