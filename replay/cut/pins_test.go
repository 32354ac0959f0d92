package cut_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/clip"
	"github.com/vitrine-live/vitrine/replay/edit"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

var seed = flag.Uint64("seed", 26, "of the pins and ranges of TestTenMinutes, which are anywhere")

// pinned is a pin and where it was on screen.
type pinned struct {
	overlay.Pin
	span media.Span
}

func (p *pinned) link() string { return "https://shop.example/?product=" + p.ProductID }

// shop is what makes clips of a show on which products were pinned.
type shop struct {
	*show
	dir      string
	db       *sqldb.DB
	timeline *overlay.Timeline
	clips    *clip.Service
	pins     []pinned
}

// sell opens a shop for a show that is over, with nothing pinned yet.
func (s *show) sell(t *testing.T) *shop {
	t.Helper()
	x := &shop{show: s, dir: t.TempDir()}
	var err error
	if x.db, err = sqldb.Open(t.Context(), filepath.Join(x.dir, "vitrine.db")); err != nil {
		t.Fatal(err)
	}
	archive, err := replay.Open(s.dir, replay.Config{Reserve: -1}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	room := live.Room{ID: ids.New("room"), Title: "Lamps", KeyHash: "x", StoreID: account.DefaultStore, CreatedAt: time.Now()}
	row := live.Show{
		ID: s.rec.Show(), RoomID: room.ID, StoreID: room.StoreID, Title: "Lamps", State: live.Live, Epochs: s.rec.Epochs(),
		StartedAt: s.rec.Epochs()[0].Wall, CreatedAt: s.rec.Epochs()[0].Wall,
	}
	if err := errors.Join(x.db.CreateRoom(t.Context(), room), x.db.CreateShow(t.Context(), row)); err != nil {
		t.Fatal(err)
	}
	x.timeline = overlay.NewTimeline(x.db, slog.New(slog.DiscardHandler), overlay.NewMetrics(prometheus.NewRegistry()))
	edits, err := edit.New(edit.Config{}, edit.Deps{Store: x.db, Timeline: x.timeline, Recordings: archive})
	if err != nil {
		t.Fatal(err)
	}
	x.clips, err = clip.Open(filepath.Join(x.dir, "clips"), clip.Config{Reserve: -1, Parallel: 2}, clip.Deps{
		Store: x.db, Archive: archive, Timeline: x.timeline, Chapters: edits.Chapters, Maker: &clip.Makers{},
		Shows: func(context.Context, string) (clip.Show, error) {
			return clip.Show{ID: row.ID, RoomID: room.ID, StoreID: row.StoreID, Title: row.Title, Epochs: row.Epochs}, nil
		},
		Link: func(_ clip.Show, p overlay.ProductSnapshot) string { return "https://shop.example/?product=" + p.ID },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(x.clips.Close(), archive.Close(), x.db.Close()); err != nil {
			t.Error(err)
		}
	})
	return x
}

// pin shows a product for a while.
func (x *shop) pin(t *testing.T, product commerce.Product, span media.Span) {
	t.Helper()
	epochs := x.rec.Epochs()
	p, err := x.timeline.Pin(t.Context(), x.rec.Show(), product, false, span.From, epochs.WallAt(span.From))
	if err == nil {
		err = x.timeline.Unpin(t.Context(), x.rec.Show(), p.ID, span.To, epochs.WallAt(span.To))
	}
	if err != nil {
		t.Fatal(err)
	}
	x.pins = append(x.pins, pinned{p, span})
}

// make asks for a clip of each kind of each span, and waits for them all.
func (x *shop) make(t *testing.T, spans []media.Span) (made []clip.Clip) {
	t.Helper()
	for _, span := range spans {
		for _, kind := range []clip.Kind{clip.Copy, clip.Exact} {
			c, err := x.clips.Create(t.Context(), clip.Want{ShowID: x.rec.Show(), Kind: kind, From: &span.From, To: &span.To})
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, c)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		x.clips.Run(ctx)
		close(done)
	}()
	defer func() { cancel(); <-done }()
	next, leave := x.clips.Watch(x.rec.Show())
	defer leave()
	for i := range made {
		for made[i].State.Open() {
			changed := next()
			c, err := x.clips.Get(t.Context(), x.rec.Show(), made[i].ID)
			if err != nil {
				t.Fatal(err)
			}
			if made[i] = c; !c.State.Open() {
				break
			}
			select {
			case <-changed:
			case <-t.Context().Done():
				t.Fatal("the clips are not made")
			}
		}
	}
	return made
}

// somewhere is twelve pins, at any tick, and ranges at any millisecond: over each thing that happens in the show, over where
// pins begin and end, and anywhere.
func (s *show) somewhere(random *rand.Rand) (pins, ranges []media.Span) {
	const second = media.TicksPerSecond
	end := s.rec.Duration()
	upTo := func(most media.Ticks) media.Ticks { return media.Ticks(random.Int64N(int64(most))) }
	for range 12 {
		from := second + upTo(end-60*second)
		pins = append(pins, media.Span{From: from, To: min(end-second, from+10*second+upTo(80*second))})
	}
	within := []media.Ticks{reconnect, otherInit, parameters, pins[0].From, pins[1].To, 10*second + upTo(end-20*second)}
	for _, at := range within {
		from, to := max(0, at-second/2-upTo(8*second)), min(end, at+second/2+upTo(8*second))
		ranges = append(ranges, media.Span{From: media.FromMilliseconds(from.Milliseconds()), To: media.FromMilliseconds(to.Milliseconds())})
	}
	return pins, ranges
}

// A show of ten minutes with two reconnects, two changes of parameters and twelve pins: clips at random ranges have the
// frames and the sound that were asked for, and everything that is said of their pins is so in the show.
func TestTenMinutes(t *testing.T) {
	s := ten(t)
	x := s.sell(t)
	pins, ranges := s.somewhere(rand.New(rand.NewPCG(*seed, 11)))
	for i, span := range pins {
		x.pin(t, commerce.Product{
			ID: fmt.Sprintf("prod_%d", i), Title: fmt.Sprintf("Lamp %d 灯", i), Price: commerce.Money{Amount: int64(1000 + i), Currency: "CNY"},
		}, span)
	}
	end := s.rec.Duration()
	if err := x.timeline.EndShow(t.Context(), s.rec.Show(), end, s.rec.Epochs().WallAt(end)); err != nil {
		t.Fatal(err)
	}
	made := x.make(t, ranges)
	told := ""
	t.Run("clips", func(t *testing.T) {
		for _, c := range made {
			events, _ := x.inside(c.Span)
			told += fmt.Sprintln(events)
			t.Run(fmt.Sprintf("seed %d, %s of %d-%d ms", *seed, c.Kind, c.Span.From.Milliseconds(), c.Span.To.Milliseconds()), func(t *testing.T) {
				t.Parallel()
				x.checkClip(t, &c)
			})
		}
	})
	if !strings.Contains(told, "unpin") || !strings.Contains(told, "carried pin") {
		t.Errorf("seed %d: the clips hardly have pins: %s", *seed, told)
	}
}

func (x *shop) checkClip(t *testing.T, c *clip.Clip) {
	t.Helper()
	if c.State != clip.Done {
		t.Fatalf("%s: %s", c.State, c.Error)
	}
	path := filepath.Join(x.dir, "clips", c.ID, "clip.mp4")
	_, want := x.checkMedia(t, path, c.Span, c.Result)
	if c.Kind == clip.Exact {
		checkMiddle(t, path, want, c.Result)
	}
	doc, err := x.clips.Sidecar(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	x.checkSidecar(t, doc, c)
	x.checkInside(t, path, doc, c)
}

// inside is what happens to pins in a span, by show time in milliseconds, and where each is on screen.
func (x *shop) inside(span media.Span) (events []string, on map[string]media.Span) {
	on = map[string]media.Span{}
	tell := func(what, pin string, at media.Ticks) {
		events = append(events, fmt.Sprintf("%s %s at %d ms", what, pin, at.Milliseconds()))
	}
	for i := range x.pins {
		p := &x.pins[i]
		switch {
		case span.Contains(p.span.From):
			tell("pin", p.ID, p.span.From)
		case p.span.Contains(span.From):
			tell("carried pin", p.ID, span.From)
		}
		if span.Contains(p.span.To) {
			tell("unpin", p.ID, p.span.To)
		}
		if in := p.span.Intersect(span); !in.Empty() {
			on[p.ID] = in
		}
	}
	slices.Sort(events)
	return events, on
}

// checkSidecar wants a clip to tell of every pin in it, and of nothing else, at the times of the show.
func (x *shop) checkSidecar(t *testing.T, doc *clip.Sidecar, c *clip.Clip) {
	t.Helper()
	var got []string
	for _, e := range doc.Events {
		var d struct {
			Pin   overlay.Pin
			PinID string `json:"pin_id"`
		}
		if err := json.Unmarshal(e.Data, &d); err != nil {
			t.Fatal(err)
		}
		what := string(e.Type)
		if e.Carried {
			what = "carried " + what
		}
		got = append(got, fmt.Sprintf("%s %s at %d ms", what, d.Pin.ID+d.PinID, e.ClipTime+doc.From))
	}
	slices.Sort(got)
	want, on := x.inside(c.Span)
	if !slices.Equal(got, want) {
		t.Errorf("the clip tells of\n%v, want\n%v", got, want)
	}
	x.checkChapters(t, doc, on)
	from, to := c.Span.From.Milliseconds(), c.Span.To.Milliseconds()
	if doc.From != from || doc.To != to || doc.Duration != to-from || doc.MP4 == nil || doc.MP4From != (c.Span.From-c.Result.From).Milliseconds() {
		t.Errorf("a clip of %d to %d ms, whose file shows %v, says %+v", from, to, c.Result, doc)
	}
}

// checkChapters wants chapters, by pin, where they are in the show.
func (x *shop) checkChapters(t *testing.T, doc *clip.Sidecar, want map[string]media.Span) {
	t.Helper()
	if len(doc.Chapters) != len(want) {
		t.Errorf("%d chapters, want %d", len(doc.Chapters), len(want))
	}
	for _, ch := range doc.Chapters {
		in := want[ch.PinID]
		if doc.From+ch.From != in.From.Milliseconds() || doc.From+ch.To != in.To.Milliseconds() {
			t.Errorf("chapter %+v of a clip from %d ms on, want %v", ch, doc.From, in)
		}
		p := &x.pins[slices.IndexFunc(x.pins, func(p pinned) bool { return p.ID == ch.PinID })]
		if ch.Title != p.Product.Title || ch.Product != p.Product || ch.Link != p.link() {
			t.Errorf("chapter %+v, pinned was %+v", ch, p)
		}
	}
}

// entry is a chapter of a file that has a name, in show time.
type entry struct {
	title string
	span  media.Span
}

// contents is the table of contents that a file of a clip has to have: of pins that overlap, the newest counts.
func (x *shop) contents(c *clip.Clip) (list []entry) {
	pins := slices.Clone(x.pins)
	slices.SortFunc(pins, func(a, b pinned) int { return int(a.span.From - b.span.From) })
	for i := range pins {
		in := pins[i].span.Intersect(c.Span).Intersect(c.Result)
		if in.Empty() {
			continue
		}
		if n := len(list); n > 0 {
			list[n-1].span.To = min(list[n-1].span.To, in.From)
		}
		list = append(list, entry{pins[i].Product.Title, in})
	}
	return slices.DeleteFunc(list, func(e entry) bool { return e.span.Len() < media.TicksPerMillisecond })
}

// checkInside wants a file to carry the sidecar, and chapters and links where the pins are in the show, to the millisecond.
func (x *shop) checkInside(t *testing.T, path string, doc *clip.Sidecar, c *clip.Clip) {
	t.Helper()
	var probed struct {
		Format   struct{ Tags map[string]string }
		Chapters []struct {
			Start, End media.Ticks
			Tags       map[string]string
		}
	}
	if err := json.Unmarshal(run(t, nil, "ffprobe", "-v", "error", "-show_format", "-show_chapters", "-of", "json", path), &probed); err != nil {
		t.Fatal(err)
	}
	var inside clip.Sidecar
	if err := json.Unmarshal([]byte(probed.Format.Tags["sidecar"]), &inside); err != nil {
		t.Fatalf("%v: %q", err, probed.Format.Tags["sidecar"])
	}
	if sameJSON(t, inside.Events) != sameJSON(t, doc.Events) || sameJSON(t, inside.Chapters) != sameJSON(t, doc.Chapters) || inside.From != doc.From || inside.To != doc.To {
		t.Errorf("the file says %+v,\nthe server %+v", inside, doc)
	}
	var got []entry
	for _, ch := range probed.Chapters {
		if title := ch.Tags["title"]; title != "" {
			got = append(got, entry{title, media.Span{From: c.Result.From + ch.Start, To: c.Result.From + ch.End}})
		}
	}
	const ms = media.TicksPerMillisecond
	near := func(a, b media.Ticks) bool { return a-b <= ms && b-a <= ms }
	if want := x.contents(c); !slices.EqualFunc(got, want, func(g, w entry) bool {
		return g.title == w.title && near(g.span.From, w.span.From) && near(g.span.To, w.span.To)
	}) {
		t.Errorf("chapters of the file, in show time: %v, want %v", got, want)
	}
	var links []struct{ Link, Title string }
	if len(got) > 0 {
		if err := json.Unmarshal([]byte(probed.Format.Tags["links"]), &links); err != nil {
			t.Fatalf("%v: %q", err, probed.Format.Tags["links"])
		}
	}
	for i := range x.pins {
		if p := &x.pins[i]; slices.ContainsFunc(got, func(e entry) bool { return e.title == p.Product.Title }) &&
			!slices.Contains(links, struct{ Link, Title string }{p.link(), p.Product.Title}) {
			t.Errorf("the file has no link to %s: %+v", p.Product.Title, links)
		}
	}
}

func sameJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
