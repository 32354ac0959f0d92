package clip

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// Want is a clip as it is asked for. Exactly one of the range (From and To), Chapter, Event and Highlight says which interval.
type Want struct {
	ShowID    string
	Kind      Kind // "": Instant
	Title     string
	From, To  *media.Ticks
	Chapter   string
	Event     *Around
	Highlight string
	Style     json.RawMessage // of Styled
	By        string
	Request   string // see Clip.Request
}

// Around is an interval around an event of the timeline.
type Around struct {
	Seq    int64  // the event's number; 0: the pin's
	Pin    string // the pin's id
	Before media.Ticks
	After  media.Ticks // from the event, of a pin from its end
}

// Create makes a clip: an instant one is done, the others are queued. Invalid names the field; NotFound: no such show,
// recording, chapter, event or highlight; Exhausted: too many clips of the store wait, or the disk is full.
func (s *Service) Create(ctx context.Context, w Want) (Clip, error) {
	const op = "clip.Create"
	c, err := s.resolve(ctx, &w)
	if err != nil {
		return Clip{}, errs.Wrap(op, err)
	}
	made, err := s.store(ctx, []Clip{c})
	if err != nil {
		return Clip{}, errs.Wrap(op, err)
	}
	return made[0], nil
}

// store keeps new clips of one show and tells the workers.
func (s *Service) store(ctx context.Context, clips []Clip) ([]Clip, error) {
	if clips[0].Kind.File() {
		if err := s.room(0); err != nil {
			return nil, err
		}
	}
	made, err := s.Store.CreateClips(ctx, clips, s.cfg.Queue)
	if err != nil {
		return nil, err
	}
	for i := range made {
		s.Metrics.created.WithLabelValues(string(made[i].Kind)).Inc()
	}
	s.changed(clips[0].ShowID)
	s.poke()
	return made, nil
}

// resolve finds out which interval is wanted, and whether it can be had.
func (s *Service) resolve(ctx context.Context, w *Want) (Clip, error) {
	const op = "clip.resolve"
	show, err := s.Shows(ctx, w.ShowID)
	if err != nil {
		return Clip{}, err
	}
	rec, err := s.recording(w.ShowID)
	if err != nil {
		return Clip{}, err
	}
	if w.Kind == "" {
		w.Kind = Instant
	}
	style, err := s.checkStyle(w.Kind, show.StoreID, w.Style)
	if err != nil {
		return Clip{}, err
	}
	c := s.newClip(show, w.Kind, w.By)
	c.Request, c.Style = w.Request, style
	title, err := s.interval(ctx, w, &c, rec.Duration())
	if err != nil {
		return Clip{}, err
	}
	if err := checkSpan(c.Span, rec.Duration()); err != nil {
		return Clip{}, err
	}
	if !hasMedia(rec.Segments(), c.Span) && rec.Ended() {
		return Clip{}, errs.Field(op, "from_ms", "nothing was recorded between these instants: the recording paused there")
	}
	c.Title, err = titleOf(w.Title, title, show.Title, c.Span.From)
	return c, err
}

// newClip is a clip of a show without its interval.
func (s *Service) newClip(show Show, kind Kind, by string) Clip {
	now := s.now()
	c := Clip{
		ID: ids.New("clp"), ShowID: show.ID, StoreID: show.StoreID, Kind: kind, Source: FromRange, State: Queued, CreatedBy: by, CreatedAt: now,
	}
	if kind == Instant {
		c.State, c.Progress, c.StartedAt, c.DoneAt = Done, 1, now, now
	}
	return c
}

// interval puts the interval that is wanted into the clip, and returns what it is called.
func (s *Service) interval(ctx context.Context, w *Want, c *Clip, end media.Ticks) (title string, err error) {
	const op = "clip.interval"
	given := 0
	for _, is := range []bool{w.From != nil || w.To != nil, w.Chapter != "", w.Event != nil, w.Highlight != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		return "", errs.Field(op, "from_ms", "say one interval: from_ms and to_ms, or chapter, or event, or highlight")
	}
	switch {
	case w.Chapter != "":
		c.Source, c.Ref = FromChapter, w.Chapter
		ch, err := s.chapter(ctx, w.ShowID, w.Chapter)
		c.Span = ch.Span
		return ch.Title, err
	case w.Event != nil:
		c.Source = FromEvent
		return s.around(ctx, w, c, end)
	case w.Highlight != "":
		c.Source, c.Ref = FromHighlight, w.Highlight
		if s.Highlights == nil {
			return "", errs.New(errs.NotFound, op, "this server looks for no highlights")
		}
		c.Span, title, err = s.Highlights.Highlight(ctx, w.ShowID, w.Highlight)
		return title, err
	case w.From == nil:
		return "", errs.Field(op, "from_ms", "say where the clip begins")
	case w.To == nil:
		return "", errs.Field(op, "to_ms", "say where the clip ends")
	}
	c.Span = media.Span{From: *w.From, To: *w.To}
	return "", nil
}

func (s *Service) chapter(ctx context.Context, showID, id string) (edit.Chapter, error) {
	all, err := s.Chapters(ctx, showID)
	if err != nil {
		return edit.Chapter{}, err
	}
	for i := range all {
		if all[i].ID == id {
			return all[i], nil
		}
	}
	return edit.Chapter{}, errs.As(errs.NotFound, "clip.chapter", errNoClip, "the show has no such chapter")
}

// around is the interval around an event, within the recording.
func (s *Service) around(ctx context.Context, w *Want, c *Clip, end media.Ticks) (title string, err error) {
	const op = "clip.around"
	limit := media.FromDuration(MaxPad)
	switch e := w.Event; {
	case e.Before < 0 || e.Before > limit:
		return "", errs.Field(op, "event.before_ms", "it must be between 0 and %d", MaxPad.Milliseconds())
	case e.After < 0 || e.After > limit:
		return "", errs.Field(op, "event.after_ms", "it must be between 0 and %d", MaxPad.Milliseconds())
	case (e.Seq > 0) == (e.Pin != "") || e.Seq < 0:
		return "", errs.Field(op, "event", "name either the number of an event (seq) or a pin")
	}
	events, err := s.events(ctx, w.ShowID)
	if err != nil {
		return "", err
	}
	var at media.Span
	var ok bool
	if w.Event.Pin != "" {
		c.Ref = w.Event.Pin
		at, title, ok = pinSpan(events, w.Event.Pin, end)
	} else {
		c.Ref = fmt.Sprint(w.Event.Seq)
		at, title, ok = eventSpan(events, w.Event.Seq)
	}
	if !ok {
		return "", errs.New(errs.NotFound, op, "the timeline of the show has no such event or pin")
	}
	c.Span = media.Span{From: max(0, at.From-w.Event.Before), To: min(end, at.To+w.Event.After)}
	return title, nil
}

// checkSpan says what is wrong with an interval of a recording that ends at end.
func checkSpan(span media.Span, end media.Ticks) error {
	const op = "clip.checkSpan"
	switch {
	case span.From < 0:
		return errs.Field(op, "from_ms", "it must be at least 0: the show begins there")
	case span.From >= end:
		return errs.Field(op, "from_ms", "it must be less than %d: more of the show is not recorded (so far)", end.Milliseconds())
	case span.To > end:
		return errs.Field(op, "to_ms", "it must be at most %d: more of the show is not recorded (so far)", end.Milliseconds())
	case span.To <= span.From:
		return errs.Field(op, "to_ms", "it must be greater than from_ms")
	case span.Len() < media.FromDuration(MinLength):
		return errs.Field(op, "to_ms", "the clip must be at least %d ms long", MinLength.Milliseconds())
	case span.Len() > media.FromDuration(MaxLength):
		return errs.Field(op, "to_ms", "the clip must be at most %v long", MaxLength)
	}
	return nil
}

// titleOf is the title that was asked for, else that of its source, else one of the show and the time.
func titleOf(wanted, source, show string, from media.Ticks) (string, error) {
	const op = "clip.title"
	for _, t := range []string{wanted, source} {
		t = cleaned(t)
		if t == "" {
			continue
		}
		if n := utf8.RuneCountInString(t); n > MaxTitle && wanted != "" {
			return "", errs.Field(op, "title", "it has %d characters; at most %d are kept", n, MaxTitle)
		}
		return shorten(t, MaxTitle), nil
	}
	return shorten(strings.TrimSpace(cleaned(show)+" "+clock(from)), MaxTitle), nil
}

// cleaned is a text on one line, without what no reader sees.
func cleaned(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r) && r != '\u200d': // the joiner holds emoji together
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// shorten is at most n characters of s.
func shorten(s string, n int) string {
	for i := range s {
		if n == 0 {
			return strings.TrimSpace(s[:i])
		}
		n--
	}
	return s
}

// clock is a position as players show it.
func clock(t media.Ticks) string {
	d := t.Duration().Truncate(time.Second)
	return fmt.Sprintf("%d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}
