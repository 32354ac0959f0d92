package style

import (
	"cmp"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// layer is a run of pictures that ffmpeg lays over the clip at one place.
type layer struct {
	list string // an ffconcat file, or a PNG file when it never changes
	at   image.Point
	runs bool
}

// frameOf is a picture of a layer from an instant of the clip on.
type frameOf struct {
	from media.Ticks
	img  *image.RGBA // nil: nothing
}

// How long a card takes to come and to go, within the span of its pin.
const (
	coming = 280 * media.TicksPerMillisecond
	going  = 160 * media.TicksPerMillisecond
	// A pin shorter than this is simply there.
	leastToMove = 1200 * media.TicksPerMillisecond
)

// rise is how far below its place a card begins, in pixels of the viewer page.
const rise = 22

// layers draws everything that is laid over the picture into a folder, the undermost first.
func (s *scene) layers(dir string) ([]layer, error) {
	var out []layer
	for _, make := range []func(string) (layer, bool, error){s.watermarkLayer, s.cardLayer, s.captionLayer} {
		l, any, err := make(dir)
		if err != nil {
			return nil, err
		}
		if any {
			out = append(out, l)
		}
	}
	return out, nil
}

// cardTop is where cards stand.
func (s *scene) cardTop() int { return s.safe.Max.Y - round(s.px(cardHeight)) }

// cardLayer draws the cards: the newest pin as a card, the others above it as chips, as on the page.
func (s *scene) cardLayer(dir string) (layer, bool, error) {
	if len(s.pins) == 0 {
		return layer{}, false, nil
	}
	soft := round(s.px(cardBlur * 1.2))
	area := image.Rect(s.safe.Min.X-soft, s.cardTop()-round(s.px(chipHeight+chipGap))-soft/2, s.safe.Min.X+round(s.cardW)+soft, s.safe.Max.Y+soft+round(s.px(cardFall)))
	area = evenly(area.Intersect(image.Rect(0, 0, s.w, s.h)))
	l, err := s.write(dir, "cards", area, s.cardFrames(area))
	return l, true, err
}

// cardFrames are the pictures of the cards in order: one for each set of products that is shown, and those in between
// while a card comes or goes.
func (s *scene) cardFrames(area image.Rectangle) []frameOf {
	edges := []media.Ticks{0, s.in.Duration}
	for i := range s.pins {
		edges = append(edges, s.pins[i].Span.From, s.pins[i].Span.To)
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	var out []frameOf
	var before *image.RGBA
	for i, from := range edges[:len(edges)-1] {
		to := edges[i+1]
		img := s.cardsAt(area, from)
		last := to >= s.in.Duration
		moves := to-from >= leastToMove
		switch {
		case before == nil && img != nil && from > 0 && moves:
			out = append(out, s.comes(img, from)...)
		default:
			out = append(out, frameOf{from, img})
		}
		if img != nil && !last && moves && s.cardsAt(area, to) == nil {
			out = append(out, s.goes(img, to)...)
		}
		before = img
	}
	return out
}

// cardsAt draws what is shown at an instant; nil: nothing.
func (s *scene) cardsAt(area image.Rectangle, at media.Ticks) *image.RGBA {
	var active []*pinned
	for i := range s.pins {
		if s.pins[i].Span.Contains(at) {
			active = append(active, &s.pins[i])
		}
	}
	if len(active) == 0 {
		return nil
	}
	slices.Reverse(active) // the newest first
	img := image.NewRGBA(area)
	place := image.Pt(s.safe.Min.X, s.cardTop())
	s.card(img, place, active[0])
	s.chips(img, place.Sub(image.Pt(0, round(s.px(chipHeight+chipGap)))), active[1:])
	return img
}

// comes are the pictures of a card that fades in while it rises to its place, one for each picture of the clip.
func (s *scene) comes(img *image.RGBA, from media.Ticks) []frameOf {
	n := max(1, int(coming.Seconds()*s.fps))
	out := make([]frameOf, 0, n+1)
	for k := range n {
		ease := 1 - math.Pow(1-float64(k+1)/float64(n+1), 3)
		out = append(out, frameOf{s.tick(from, k), faded(img, ease, round((1-ease)*s.px(rise)))})
	}
	return append(out, frameOf{s.tick(from, n), img})
}

// goes are the pictures of a card that fades out so that it is gone when its pin ends.
func (s *scene) goes(img *image.RGBA, to media.Ticks) []frameOf {
	n := max(1, int(going.Seconds()*s.fps))
	out := make([]frameOf, 0, n)
	for k := range n {
		out = append(out, frameOf{s.tick(to, k-n), faded(img, 1-float64(k+1)/float64(n+1), 0)})
	}
	return out
}

// tick is k pictures of the clip after an instant.
func (s *scene) tick(at media.Ticks, k int) media.Ticks {
	return at + media.Ticks(math.Round(float64(k)*float64(media.TicksPerSecond)/s.fps))
}

// faded is a picture with a share of its strength, some pixels further down.
func faded(img *image.RGBA, strength float64, down int) *image.RGBA {
	out := image.NewRGBA(img.Rect)
	k := uint32(strength*256 + 0.5)
	row := img.Rect.Dx() * 4
	for y := range max(0, img.Rect.Dy()-down) {
		from, to := img.Pix[y*img.Stride:][:row], out.Pix[(y+down)*out.Stride:][:row]
		for i, v := range from {
			to[i] = uint8(uint32(v) * k >> 8)
		}
	}
	return out
}

// captionLayer draws what is said: above the cards where there are any.
func (s *scene) captionLayer(dir string) (layer, bool, error) {
	if !on(s.in.Spec.Subtitles) || len(s.in.Captions) == 0 {
		return layer{}, false, nil
	}
	bottom := s.safe.Max.Y
	if len(s.pins) > 0 {
		bottom = s.cardTop() - round(s.px(16))
		if s.stacked() {
			bottom -= round(s.px(chipHeight + chipGap))
		}
	}
	side := max(s.safe.Min.X, s.w-s.safe.Max.X)
	area := evenly(image.Rect(side, bottom-s.captionHeight()-2, s.w-side, bottom))
	var out []frameOf
	for _, c := range s.spoken() {
		f := frameOf{from: c.Span.From}
		if c.Text != "" {
			f.img = image.NewRGBA(area)
			s.caption(f.img, image.Rect(area.Min.X, area.Min.Y, area.Max.X, bottom), c.Text)
		}
		out = append(out, f)
	}
	l, err := s.write(dir, "captions", area, out)
	return l, true, err
}

// stacked reports whether two products are ever shown at once.
func (s *scene) stacked() bool {
	var until media.Ticks
	for i := range s.pins {
		if s.pins[i].Span.From < until {
			return true
		}
		until = max(until, s.pins[i].Span.To)
	}
	return false
}

// spoken are the captions one after the other, with the silence between them: of two at once the later one.
func (s *scene) spoken() []Caption {
	whole := media.Span{To: s.in.Duration}
	var said []Caption
	for _, c := range s.in.Captions {
		if c.Span = c.Span.Intersect(whole); !c.Span.Empty() {
			said = append(said, c)
		}
	}
	slices.SortStableFunc(said, func(a, b Caption) int { return cmp.Compare(a.Span.From, b.Span.From) })
	var out []Caption
	var until media.Ticks
	for i, c := range said {
		if i+1 < len(said) {
			c.Span.To = min(c.Span.To, said[i+1].Span.From)
		}
		if c.Span.Empty() {
			continue
		}
		if c.Span.From > until || len(out) == 0 && c.Span.From > 0 {
			out = append(out, Caption{Span: media.Span{From: until, To: c.Span.From}})
		}
		out, until = append(out, c), c.Span.To
	}
	return append(out, Caption{Span: media.Span{From: until, To: s.in.Duration}})
}

// write puts the pictures of a layer into a folder, and the list that says when each is due. Names are our own: nothing of
// what people wrote stands in them.
func (s *scene) write(dir, name string, area image.Rectangle, frames []frameOf) (layer, error) {
	const op = "style.write"
	blank := image.NewRGBA(image.Rect(0, 0, area.Dx(), area.Dy()))
	names := map[*image.RGBA]string{}
	var list strings.Builder
	list.WriteString("ffconcat version 1.0\n")
	if len(frames) == 0 || frames[0].from > 0 {
		frames = slices.Insert(frames, 0, frameOf{})
	}
	for i, f := range frames {
		next := s.in.Duration
		if i+1 < len(frames) {
			next = frames[i+1].from
		}
		// Differences of rounded instants, so that the rounding to microseconds never adds up.
		us := micros(next) - micros(f.from)
		if us <= 0 {
			continue
		}
		img := f.img
		if img == nil {
			img = blank
		}
		file, known := names[img]
		if !known {
			file = fmt.Sprintf("%s-%d.png", name, len(names))
			names[img] = file
			b, err := encode(img)
			if err != nil {
				return layer{}, err
			}
			if err := os.WriteFile(filepath.Join(dir, file), b, 0o644); err != nil {
				return layer{}, errs.As(errs.Internal, op, err, "the folder of the clip cannot be written")
			}
		}
		fmt.Fprintf(&list, "file %s\noption framerate 90000\noption pattern_type none\nduration %d.%06d\n", file, us/1_000_000, us%1_000_000)
	}
	path := filepath.Join(dir, name+".ffconcat")
	err := os.WriteFile(path, []byte(list.String()), 0o644)
	return layer{path, area.Min, true}, errs.As(errs.Internal, op, err, "the folder of the clip cannot be written")
}

func micros(t media.Ticks) int64 {
	return int64(media.Rescale(t, 1_000_000, int64(media.TicksPerSecond)))
}

// evenly widens a rectangle to even pixels, so that its colours lie on those of the picture.
func evenly(r image.Rectangle) image.Rectangle {
	return image.Rect(r.Min.X&^1, r.Min.Y&^1, (r.Max.X+1)&^1, (r.Max.Y+1)&^1)
}
