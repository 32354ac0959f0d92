package clip

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// events reads the whole log of a show.
func (s *Service) events(ctx context.Context, showID string) (all []overlay.Event, err error) {
	for after := int64(0); ; {
		page, err := s.Timeline.Events(ctx, showID, after, overlay.MaxEvents)
		if err != nil {
			return nil, errs.Wrap("clip.events", err)
		}
		all = append(all, page...)
		if len(page) < overlay.MaxEvents {
			return all, nil
		}
		after = page[len(page)-1].Seq
	}
}

// eventSpan is where an event stands, and what it is called.
func eventSpan(events []overlay.Event, seq int64) (at media.Span, title string, ok bool) {
	i := seq - 1 // numbered from 1 without a gap
	if i < 0 || i >= int64(len(events)) || events[i].Seq != seq {
		return media.Span{}, "", false
	}
	e := &events[i]
	if e.Type == overlay.TypePin {
		var d overlay.PinData
		if json.Unmarshal(e.Data, &d) == nil {
			title = d.Pin.Product.Title
		}
	}
	return media.Span{From: e.ShowTime, To: e.ShowTime}, title, true
}

// pinSpan is from the pin to its end, or to the end of what is recorded.
func pinSpan(events []overlay.Event, pinID string, end media.Ticks) (at media.Span, title string, ok bool) {
	for _, p := range pinsOf(events) {
		if p.pin.ID == pinID {
			return p.span(end), p.pin.Product.Title, true
		}
	}
	return media.Span{}, "", false
}

// shown is a pin and how long it was on screen.
type shown struct {
	event overlay.Event // that pinned it
	pin   overlay.Pin
	until media.Ticks // valid with ended
	ended bool
}

// span is where it was on screen within a recording that ends at end.
func (p *shown) span(end media.Ticks) media.Span {
	if p.ended {
		end = max(p.event.ShowTime, p.until)
	}
	return media.Span{From: p.event.ShowTime, To: end}
}

// at reports whether it was on screen just before an instant, and still is.
func (p *shown) at(t media.Ticks) bool {
	return p.event.ShowTime < t && (!p.ended || p.until > t)
}

// pinsOf finds the pins in a log, in its order. What cannot be read is passed over, as the timeline does.
func pinsOf(events []overlay.Event) (pins []shown) {
	index := map[string]int{}
	for _, e := range events {
		switch e.Type {
		case overlay.TypePin:
			var d overlay.PinData
			if json.Unmarshal(e.Data, &d) != nil {
				continue
			}
			index[d.Pin.ID] = len(pins)
			pins = append(pins, shown{event: e, pin: d.Pin})
		case overlay.TypeUnpin:
			var d overlay.UnpinData
			if json.Unmarshal(e.Data, &d) != nil {
				continue
			}
			if i, ok := index[d.PinID]; ok {
				pins[i].until, pins[i].ended = e.ShowTime, true
			}
		case overlay.TypeState:
			var d overlay.StateData
			if json.Unmarshal(e.Data, &d) == nil && d.State == "ended" {
				for i := range pins {
					if !pins[i].ended {
						pins[i].until, pins[i].ended = e.ShowTime, true
					}
				}
			}
		}
	}
	return pins
}

// pinned are chapters as the pins alone make them, of a show that ends at end.
func pinned(events []overlay.Event, end media.Ticks) (all []edit.Chapter) {
	for _, p := range pinsOf(events) {
		all = append(all, edit.Chapter{ID: p.pin.ID, Title: p.pin.Product.Title, Span: p.span(end), Product: p.pin.Product, PinID: p.pin.ID})
	}
	return all
}

// openOffers are the newest events, at or before an instant, of the offers that were open then.
func openOffers(events []overlay.Event, at media.Ticks) (open []overlay.Event) {
	newest := map[string]overlay.Event{}
	for _, e := range inOrder(events) {
		switch e.Type {
		case overlay.TypeCoupon, overlay.TypeFlashSale, overlay.TypeRedPacket, overlay.TypeLottery:
			var d overlay.OfferData
			if e.ShowTime >= at || json.Unmarshal(e.Data, &d) != nil {
				continue
			}
			if d.Open {
				newest[d.ID] = e
			} else {
				delete(newest, d.ID)
			}
		}
	}
	for _, e := range newest {
		open = append(open, e)
	}
	return inOrder(open)
}

// inOrder sorts events by show time, those of one instant as they were stored: the log has them in the order of storing.
func inOrder(events []overlay.Event) []overlay.Event {
	events = slices.Clone(events)
	slices.SortFunc(events, func(a, b overlay.Event) int {
		return cmp.Or(cmp.Compare(a.ShowTime, b.ShowTime), cmp.Compare(a.Seq, b.Seq))
	})
	return events
}

// segmentsOf are the segments that an interval touches.
func segmentsOf(all []playlist.Segment, span media.Span) []playlist.Segment {
	first, _ := slices.BinarySearchFunc(all, span.From, func(s playlist.Segment, t media.Ticks) int {
		return cmp.Compare(s.End(), t+1) // the first that ends after the in-point
	})
	last := first
	for last < len(all) && all[last].Start < span.To {
		last++
	}
	return all[first:last]
}

// hasMedia reports whether anything of an interval is recorded.
func hasMedia(all []playlist.Segment, span media.Span) bool {
	return slices.ContainsFunc(segmentsOf(all, span), func(s playlist.Segment) bool { return !s.Gap })
}
