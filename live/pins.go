package live

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

// maxAhead is how far into the future of the media a timed thing may be placed.
const maxAhead = time.Minute

// PinRequest asks for a product on screen. With neither ShowTime nor At it is wanted now: on the picture that is being
// captured at this instant.
type PinRequest struct {
	ProductID string
	Featured  bool
	ShowTime  *media.Ticks // the exact place, at least 0
	At        *time.Time   // the wall instant at which the anchor meant it
}

// Pin puts a product on screen in the room's show. Errors: NotFound (room, product), Conflict (no show on air, or the
// product may not be shown), Invalid (a time out of range).
func (r *Rooms) Pin(ctx context.Context, roomID string, req PinRequest) (overlay.Pin, error) {
	s, err := r.airing(ctx, roomID)
	if err != nil {
		return overlay.Pin{}, err
	}
	product, err := r.Products.ForShow(ctx, s.showID(), req.ProductID)
	if err != nil {
		return overlay.Pin{}, err
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	at, err := s.resolve(req.ShowTime, req.At)
	if err != nil {
		return overlay.Pin{}, err
	}
	return s.pin(ctx, product, req.Featured, at)
}

// Unpin takes a pin off the screen, now or at the given time. Errors as those of Pin; NotFound for an unknown pin.
func (r *Rooms) Unpin(ctx context.Context, roomID, pinID string, showTime *media.Ticks, at *time.Time) error {
	s, err := r.airing(ctx, roomID)
	if err != nil {
		return err
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	t, err := s.resolve(showTime, at)
	if err != nil {
		return err
	}
	return s.unpin(ctx, pinID, t)
}

// Announce puts a line of text onto the show's timeline, now.
func (r *Rooms) Announce(ctx context.Context, roomID, text string) (overlay.Event, error) {
	s, err := r.airing(ctx, roomID)
	if err != nil {
		return overlay.Event{}, err
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	at, err := s.resolve(nil, nil)
	if err != nil {
		return overlay.Event{}, err
	}
	return r.Timeline.Append(ctx, s.showID(), overlay.TypeAnnouncement, at, s.wallAt(at), overlay.AnnouncementData{Text: text})
}

// airing returns the session of the room's show that is on air or interrupted.
func (r *Rooms) airing(ctx context.Context, roomID string) (*session, error) {
	const op = "live.airing"
	if _, err := r.Store.Room(ctx, roomID); err != nil {
		return nil, errs.Wrap(op, err)
	}
	s := r.sessionOf(roomID)
	if s == nil || s.showID() == "" {
		return nil, errs.New(errs.Conflict, op, "the room is not on air; start pushing to it first")
	}
	return s, nil
}

// resolve finds the show time that is meant. turn is held, so that the answer stays true until it is used.
func (s *session) resolve(showTime *media.Ticks, at *time.Time) (media.Ticks, error) {
	const op = "live.resolve"
	wall := s.rooms.Now()
	if at != nil {
		if wall.Add(maxAhead).Before(*at) {
			return 0, errs.Field(op, "at", "is more than %v in the future", maxAhead)
		}
		wall = *at
	}
	exact, known := s.toldBy(wall)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone || s.show.State == Ended {
		return 0, errs.New(errs.Conflict, op, "the show has ended")
	}
	end := s.path.packager.Position()
	switch {
	case showTime != nil && at != nil:
		return 0, errs.Field(op, "at", "give show_time_ms or at, not both")
	case showTime != nil && *showTime < 0:
		return 0, errs.Field(op, "show_time_ms", "must be at least 0")
	case showTime != nil && *showTime > end+media.FromDuration(maxAhead):
		return 0, errs.Field(op, "show_time_ms", "is more than %v beyond the show's end so far (%d ms)", maxAhead, end.Milliseconds())
	case showTime != nil:
		return *showTime, nil
	}
	if known && s.show.State == Live && exact >= s.show.Epochs[len(s.show.Epochs)-1].ShowTime {
		return roundToMillisecond(min(exact, end+media.FromDuration(maxAhead))), nil
	}
	return s.capturedAt(wall, end), nil
}

// toldBy asks the publisher's protocol for the show time of the picture captured at a wall instant. ok is false where
// it does not know. The protocol has locks of its own: mu is not held.
func (s *session) toldBy(wall time.Time) (t media.Ticks, ok bool) {
	s.mu.Lock()
	p := s.pub
	if p == nil || !p.started || p.req.CapturedAt == nil {
		s.mu.Unlock()
		return 0, false
	}
	offset := p.offset
	s.mu.Unlock()
	t, ok = p.req.CapturedAt(wall)
	return t + offset, ok
}

// capturedAt maps a wall instant to the show time of the picture captured then. That picture reaches the server a
// capture delay later, so the arrival clock is asked for that later instant. mu is held.
func (s *session) capturedAt(wall time.Time, end media.Ticks) media.Ticks {
	arrives := wall.Add(s.captureDelay)
	if n := len(s.show.Epochs); n > 0 && s.show.State == Live {
		epoch := s.show.Epochs[n-1]
		if t, ok := s.clock.ShowTimeAt(arrives); ok && t >= epoch.ShowTime {
			return roundToMillisecond(t)
		}
		if !arrives.Before(epoch.Wall) {
			return epoch.ShowTime
		}
	}
	return roundToMillisecond(min(s.show.Epochs.ShowTimeAt(arrives), end))
}

// roundToMillisecond makes a time that was measured, not given, one that every surface shows exactly.
func roundToMillisecond(t media.Ticks) media.Ticks { return media.FromMilliseconds(t.Milliseconds()) }

func (s *session) wallAt(t media.Ticks) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.show.Epochs.WallAt(t)
}

// pin stores the pin, then shows it in the playlists. turn is held.
func (s *session) pin(ctx context.Context, product commerce.Product, featured bool, at media.Ticks) (overlay.Pin, error) {
	pin, err := s.rooms.Timeline.Pin(ctx, s.showID(), product, featured, at, s.wallAt(at))
	if err != nil {
		return overlay.Pin{}, err
	}
	s.renderRanges()
	return pin, nil
}

func (s *session) unpin(ctx context.Context, pinID string, at media.Ticks) error {
	if err := s.rooms.Timeline.Unpin(ctx, s.showID(), pinID, at, s.wallAt(at)); err != nil {
		return err
	}
	s.renderRanges()
	return nil
}

// renderRanges brings the pins into the live playlists. turn is held, so that versions come in order.
func (s *session) renderRanges() {
	ranges, err := s.rooms.Timeline.Ranges(context.Background(), s.showID())
	if err != nil {
		s.keep("read pins", err)
		return
	}
	s.path.group.SetDateRanges(DateRanges(ranges))
}

// pinClass is the CLASS of the DATERANGE of a pin, part of the public interface.
const pinClass = "vitrine.pin"

// DateRanges renders pins as playlists carry them.
func DateRanges(pins []overlay.Range) []playlist.DateRange {
	out := make([]playlist.DateRange, len(pins))
	for i, p := range pins {
		out[i] = playlist.DateRange{
			ID: p.Pin.ID, Class: pinClass, Start: p.StartWall, End: p.EndWall,
			Attrs: []playlist.Attr{
				{Name: "X-PRODUCT", Value: p.Pin.ProductID},
				{Name: "X-SHOW-TIME-MS", Value: strconv.FormatInt(p.Pin.ShowTime.Milliseconds(), 10), Number: true},
				{Name: "X-TITLE", Value: p.Pin.Product.Title},
			},
		}
	}
	return out
}

// inBandMessage is what a publisher may write onto the timeline by itself.
type inBandMessage struct {
	Type      string       `json:"type"` // "pin" or "unpin"
	ProductID string       `json:"product_id"`
	PinID     string       `json:"pin_id"`
	Featured  *bool        `json:"featured"`
	ShowTime  *json.Number `json:"show_time_ms"`
}

// inBand carries out a message that the publisher sent at show time at.
func (s *session) inBand(ctx context.Context, at media.Ticks, msg inBandMessage) error {
	const op = "live.inBand"
	if msg.ShowTime != nil {
		ms, err := msg.ShowTime.Int64()
		if err != nil || ms < 0 {
			return errs.Field(op, "show_time_ms", "must be a whole number of milliseconds, at least 0")
		}
		at = media.FromMilliseconds(ms)
	}
	s.rooms.Metrics.InBand.Inc()
	switch msg.Type {
	case "pin":
		product, err := s.rooms.Products.ForShow(ctx, s.showID(), msg.ProductID)
		if err != nil {
			return err
		}
		s.turn.Lock()
		defer s.turn.Unlock()
		_, err = s.pin(ctx, product, msg.Featured == nil || *msg.Featured, at)
		return err
	case "unpin":
		s.turn.Lock()
		defer s.turn.Unlock()
		pinID, err := s.pinOf(ctx, msg)
		if err != nil {
			return err
		}
		return s.unpin(ctx, pinID, at)
	}
	return errs.Field(op, "type", "must be \"pin\" or \"unpin\", got %q", msg.Type)
}

// pinOf finds the pin that an unpin message means: by its id, or the active one of the product.
func (s *session) pinOf(ctx context.Context, msg inBandMessage) (string, error) {
	if msg.PinID != "" {
		return msg.PinID, nil
	}
	pins, err := s.rooms.Timeline.ActivePins(ctx, s.showID())
	if err != nil {
		return "", err
	}
	for _, p := range pins {
		if p.ProductID == msg.ProductID {
			return p.ID, nil
		}
	}
	return "", errs.New(errs.NotFound, "live.inBand", "product %q is not pinned", msg.ProductID)
}
