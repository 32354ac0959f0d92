package style

import (
	"image"
	"math"
	"slices"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// scene is where everything stands in the frame of a clip, in pixels. All is measured in the pixels of the viewer page,
// so that a card looks like the one there, times unit.
type scene struct {
	in     Input
	facts  facts
	w, h   int
	fps    float64
	rate   string // the same, as ffmpeg reads it
	safe   image.Rectangle
	unit   float64
	cardW  float64
	titles typefaces
	pins   []pinned // in order of their beginning
	marks  watermark
}

// typefaces are those that a scene is set in.
type typefaces struct{ title, small, price, was, chip, label, caption, initial *face }

// pinned is a pin with its picture.
type pinned struct {
	Pin
	img image.Image // nil: none
	qr  [][]bool    // nil: none
}

// The frame of another aspect than any screen's is cut to this one.
const maxRatio = 2.4

// newScene measures a clip. Invalid names what cannot be styled.
func newScene(in Input, fonts *Fonts) (*scene, error) {
	s := &scene{in: in}
	var err error
	if s.facts, err = probe("media", in.Media); err != nil {
		return nil, err
	}
	if s.facts.width == 0 || s.facts.height == 0 {
		return nil, errs.Field("style.newScene", "kind", "this stretch of the show has no picture: a styled clip needs one; choose the kind copy")
	}
	s.fps, s.rate = s.facts.steady()
	s.frame()
	if err := s.faces(fonts); err != nil {
		return nil, err
	}
	if on(in.Spec.Card) {
		if err := s.open(in.Pins); err != nil {
			return nil, err
		}
	}
	return s, s.openWatermark()
}

// frame sets the size of the frame and what of it no app covers with its own buttons and texts.
func (s *scene) frame() {
	short := s.in.Spec.height()
	ratio := float64(s.facts.width) / float64(s.facts.height)
	switch s.in.Spec.Aspect {
	case AspectWide:
		ratio = 16.0 / 9
	case AspectPortrait:
		ratio = 9.0 / 16
	case AspectSquare:
		ratio = 1
	}
	ratio = min(max(ratio, 1/maxRatio), maxRatio)
	s.w, s.h = even(float64(short)*max(ratio, 1)), even(float64(short)*max(1/ratio, 1))
	side := float64(min(s.w, s.h))
	inset := func(left, top, right, bottom float64) image.Rectangle {
		return image.Rect(round(left), round(top), s.w-round(right), s.h-round(bottom))
	}
	switch {
	case ratio < 0.7:
		// Apps for upright clips put their buttons to the right, their texts below, and what they are above.
		s.safe = inset(0.05*side, 0.075*float64(s.h), 0.135*side, 0.19*float64(s.h))
		s.cardW = float64(s.safe.Dx())
		s.unit = s.cardW / 352
	default:
		s.safe = inset(0.05*side, 0.05*side, 0.05*side, 0.055*side)
		s.cardW = min(float64(s.safe.Dx()), side*0.84)
		s.unit = s.cardW / 380
	}
}

func (s *scene) faces(fonts *Fonts) (err error) {
	for _, f := range []struct {
		at   **face
		size float64
		bold bool
	}{
		{&s.titles.title, 15, true},
		{&s.titles.small, 13.5, true},
		{&s.titles.price, 21, true},
		{&s.titles.was, 12.5, false},
		{&s.titles.chip, 14.5, true},
		{&s.titles.label, 10, false},
		{&s.titles.caption, 18, true},
		{&s.titles.initial, 38, true},
	} {
		if *f.at, err = fonts.face(f.size*s.unit, f.bold); err != nil {
			return errs.As(errs.Unavailable, "style.faces", err, "the font %s cannot be used; set clips.font to another", fonts)
		}
	}
	return nil
}

// open takes the pins that show within the clip, and decodes their pictures.
func (s *scene) open(pins []Pin) error {
	whole := media.Span{To: s.in.Duration}
	images := map[string]image.Image{}
	for _, p := range pins {
		p.Span = p.Span.Intersect(whole)
		if p.Span.Empty() {
			continue
		}
		one := pinned{Pin: p}
		if len(p.Image) > 0 {
			img, ok := images[string(p.Image)]
			if !ok {
				var err error
				if img, err = decode("image", p.Image); err != nil {
					return err
				}
				img = shrink(img, 400)
				images[string(p.Image)] = img
			}
			one.img = img
		}
		if on(s.in.Spec.QR) {
			one.qr = code(p.Link, s.qrSide())
		}
		s.pins = append(s.pins, one)
	}
	slices.SortStableFunc(s.pins, func(a, b pinned) int { return int(a.Span.From - b.Span.From) })
	return nil
}

// even rounds to an even number of pixels, as the colours of H264 want them.
func even(x float64) int { return 2 * int(math.Round(x/2)) }

func round(x float64) int { return int(math.Round(x)) }
