package clip

import (
	"context"
	"encoding/json"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/memo"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// Sidecar is everything timed of a clip, for pages and players that know only their position. Clip time is 0 at the in-point:
// for every event it is the show time less From.
type Sidecar struct {
	Clip     string  `json:"clip"`
	Show     string  `json:"show"`
	Room     string  `json:"room"`
	Store    string  `json:"store"`
	Title    string  `json:"title"`
	Kind     Kind    `json:"kind"`
	State    State   `json:"state"`
	From     int64   `json:"from_ms"`
	To       int64   `json:"to_ms"`
	Duration int64   `json:"duration_ms"`
	HLS      *string `json:"hls"` // null when the recording is gone
	// HLSFrom is the position of the in-point in the HLS playlist, which begins with a whole segment: a player's position
	// there is clip time and this.
	HLSFrom int64   `json:"hls_from_ms"`
	MP4     *string `json:"mp4"` // null while there is no file
	// MP4From is the position of the in-point in the file: after its intro, and before it by as much as its first whole frame
	// comes after the in-point, which is less than 0 without an intro.
	MP4From  int64          `json:"mp4_from_ms"`
	Poster   string         `json:"poster"`
	Events   []SidecarEvent `json:"events"` // in the order of show time
	Epochs   []SidecarEpoch `json:"epochs"`
	Chapters []SidecarPart  `json:"chapters"`
}

// SidecarEvent is an event of the clip. Carried ones happened before it and still hold at its in-point, where they are given.
type SidecarEvent struct {
	Seq      int64           `json:"seq"`
	Type     overlay.Type    `json:"type"`
	ShowTime int64           `json:"show_time_ms"`
	ClipTime int64           `json:"clip_time_ms"`
	Wall     string          `json:"wall"`
	Data     json.RawMessage `json:"data"`
	Carried  bool            `json:"carried,omitempty"`
}

// SidecarEpoch is one mapping between show time and the wall clock.
type SidecarEpoch struct {
	ShowTime int64  `json:"show_time_ms"`
	Wall     string `json:"wall"`
}

// SidecarPart is a chapter within the clip, in clip time.
type SidecarPart struct {
	ID      string                  `json:"id"`
	Title   string                  `json:"title"`
	From    int64                   `json:"from_ms"`
	To      int64                   `json:"to_ms"`
	PinID   string                  `json:"pin_id"`
	Product overlay.ProductSnapshot `json:"product"`
	Link    string                  `json:"link,omitempty"`
}

// Sidecar returns what goes with a clip: the events within it, what was on screen at its in-point, its chapters. NotFound.
func (s *Service) Sidecar(ctx context.Context, id string) (*Sidecar, error) {
	const op = "clip.Sidecar"
	c, err := s.Get(ctx, "", id)
	if err != nil {
		return nil, err
	}
	doc, err := s.sidecar(ctx, &c)
	return doc, errs.Wrap(op, err)
}

func (s *Service) sidecar(ctx context.Context, c *Clip) (*Sidecar, error) {
	show, err := s.Shows(ctx, c.ShowID)
	if err != nil {
		return nil, err
	}
	h, err := s.happenedIn(ctx, show, c)
	if err != nil {
		return nil, err
	}
	parts, err := s.parts(ctx, show, c, h.pins)
	if err != nil {
		return nil, err
	}
	base := "/c/" + c.ID + "/"
	doc := &Sidecar{
		Clip: c.ID, Show: c.ShowID, Room: show.RoomID, Store: c.StoreID, Title: c.Title, Kind: c.Kind, State: c.State,
		From: c.Span.From.Milliseconds(), To: c.Span.To.Milliseconds(), Poster: base + "poster.jpg",
		Events: h.events, Epochs: epochsIn(show.Epochs, c.Span), Chapters: parts,
	}
	doc.Duration = doc.To - doc.From
	if rec, err := s.recording(c.ShowID); err == nil {
		doc.HLS = new(base + "index.m3u8")
		if in := segmentsOf(rec.Segments(), c.Span); len(in) > 0 {
			doc.HLSFrom = max(0, c.Span.From-in[0].Start).Milliseconds()
		}
	}
	if c.HasFile() {
		doc.MP4, doc.MP4From = new(base+"clip.mp4"), (c.Lead - (c.Result.From - c.Span.From)).Milliseconds()
	}
	return doc, nil
}

// Products are the ids of the products that are on screen in the clip, in the order of their pins.
func (d *Sidecar) Products() (ids []string) {
	seen := map[string]bool{}
	for i := range d.Events {
		var pin overlay.PinData
		if d.Events[i].Type != overlay.TypePin || json.Unmarshal(d.Events[i].Data, &pin) != nil || seen[pin.Pin.ProductID] {
			continue
		}
		seen[pin.Pin.ProductID] = true
		ids = append(ids, pin.Pin.ProductID)
	}
	return ids
}

// parts are the chapters that a clip shows something of, in clip time.
func (s *Service) parts(ctx context.Context, show Show, c *Clip, pins []edit.Chapter) ([]SidecarPart, error) {
	all, err := s.Chapters(ctx, c.ShowID)
	if errs.KindOf(err) == errs.NotFound { // the recording is gone; what was pinned is known all the same
		all = pins
	} else if err != nil {
		return nil, err
	}
	parts := []SidecarPart{}
	from := c.Span.From.Milliseconds()
	for i := range all {
		in := all[i].Span.Intersect(c.Span)
		if all[i].Hidden || in.Empty() {
			continue
		}
		parts = append(parts, SidecarPart{
			ID: all[i].ID, Title: all[i].Title, From: in.From.Milliseconds() - from, To: in.To.Milliseconds() - from,
			PinID: all[i].PinID, Product: all[i].Product, Link: s.Link(show, all[i].Product),
		})
	}
	return parts, nil
}

// happenedCache is how many bytes of what happened in clips are kept.
const happenedCache = 32 << 20

// happened is what a clip tells of the timeline. It is shared: nobody changes it.
type happened struct {
	events []SidecarEvent
	pins   []edit.Chapter // of the show up to the clip's end, as they were given
	last   int64          // the number of the last event of the show that was looked at
	epochs int            // of the show
}

func newHappened() *memo.Cache[*happened] {
	return memo.New(memo.Config[*happened]{Limit: happenedCache, Size: (*happened).size})
}

// size is about how many bytes it takes.
func (h *happened) size() int64 {
	const each = 256
	n := int64(each * (1 + len(h.events) + 4*len(h.pins)))
	for i := range h.events {
		n += int64(len(h.events[i].Data))
	}
	return n
}

// happenedIn finds what happened in a clip, in the timeline of its show when that is longer than it was: everybody whom a
// clip is shared with asks.
func (s *Service) happenedIn(ctx context.Context, show Show, c *Clip) (*happened, error) {
	fresh := func(h *happened) bool {
		newer, err := s.Timeline.Events(ctx, show.ID, h.last, 1)
		return err == nil && len(newer) == 0 && h.epochs == len(show.Epochs)
	}
	return s.happened.Get(memo.Key{Group: show.ID, Name: c.ID}, fresh, func() (*happened, error) {
		all, err := s.events(context.WithoutCancel(ctx), show.ID) // others wait for it too
		if err != nil {
			return nil, err
		}
		h := &happened{events: eventsIn(all, c.Span, show.Epochs), pins: pinned(all, c.Span.To), epochs: len(show.Epochs)}
		if len(all) > 0 {
			h.last = all[len(all)-1].Seq
		}
		return h, nil
	})
}

// isTold are the types of events that a clip tells of.
var isTold = map[overlay.Type]bool{
	overlay.TypePin: true, overlay.TypeUnpin: true, overlay.TypeProduct: true, overlay.TypeStock: true, overlay.TypeCoupon: true,
	overlay.TypeFlashSale: true, overlay.TypeRedPacket: true, overlay.TypeLottery: true, overlay.TypeComment: true,
	overlay.TypeLikes: true, overlay.TypeAnnouncement: true,
}

// eventsIn are the events of an interval, after what already held at its beginning.
func eventsIn(all []overlay.Event, span media.Span, epochs media.Epochs) []SidecarEvent {
	out := []SidecarEvent{}
	from := span.From.Milliseconds()
	carry := func(e overlay.Event) {
		out = append(out, SidecarEvent{
			Seq: e.Seq, Type: e.Type, ShowTime: from, Wall: wallOf(epochs, span.From, e.Wall), Data: e.Data, Carried: true,
		})
	}
	for _, p := range pinsOf(all) {
		if p.at(span.From) {
			carry(p.event)
		}
	}
	for _, e := range openOffers(all, span.From) {
		carry(e)
	}
	for _, e := range inOrder(all) {
		if !isTold[e.Type] || !span.Contains(e.ShowTime) || takenBack(&e) {
			continue
		}
		at := e.ShowTime.Milliseconds()
		out = append(out, SidecarEvent{
			Seq: e.Seq, Type: e.Type, ShowTime: at, ClipTime: at - from, Wall: overlay.FormatWall(e.Wall), Data: e.Data,
		})
	}
	return out
}

// takenBack reports whether the event is a comment that was hidden since.
func takenBack(e *overlay.Event) bool {
	var d overlay.CommentData
	return e.Type == overlay.TypeComment && json.Unmarshal(e.Data, &d) == nil && d.Hidden
}

// wallOf is a show time on the wall clock, or what stands for it where no epoch is known.
func wallOf(epochs media.Epochs, at media.Ticks, otherwise time.Time) string {
	wall := epochs.WallAt(at)
	if wall.IsZero() {
		wall = otherwise
	}
	return overlay.FormatWall(wall)
}

// epochsIn are the mappings that hold somewhere in an interval.
func epochsIn(all media.Epochs, span media.Span) []SidecarEpoch {
	out := []SidecarEpoch{}
	for i, e := range all {
		if e.ShowTime >= span.To || i+1 < len(all) && all[i+1].ShowTime <= span.From {
			continue
		}
		out = append(out, SidecarEpoch{e.ShowTime.Milliseconds(), overlay.FormatWall(e.Wall)})
	}
	return out
}
