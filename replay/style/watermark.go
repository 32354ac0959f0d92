package style

import (
	"image"
	"image/draw"
	"os"
	"path/filepath"

	xdraw "golang.org/x/image/draw"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// watermark is a merchant's mark, scaled to the frame.
type watermark struct {
	img *image.RGBA // nil: none
	at  image.Point
}

// How much of the frame a watermark takes at most, and how strong it is.
const (
	markWidth    = 0.24 // of the short side
	markHeight   = 0.11
	markStrength = 0.92
)

// openWatermark decodes the watermark and sets it into its corner.
func (s *scene) openWatermark() error {
	if len(s.in.Watermark) == 0 {
		return nil
	}
	img, err := decode("watermark", s.in.Watermark)
	if err != nil {
		return err
	}
	side := float64(min(s.w, s.h))
	size := img.Bounds().Size()
	k := min(side*markWidth/float64(size.X), side*markHeight/float64(size.Y))
	w, h := max(2, round(float64(size.X)*k)), max(2, round(float64(size.Y)*k))
	scaled := image.NewRGBA(image.Rect(0, 0, w, h))
	xdraw.CatmullRom.Scale(scaled, scaled.Rect, img, img.Bounds(), draw.Src, nil)
	s.marks.img = faded(scaled, markStrength, 0)
	s.marks.at = s.corner(w, h)
	return nil
}

// corner is where a mark of a size stands. At the lower edge it makes room for the cards.
func (s *scene) corner(w, h int) image.Point {
	at := s.safe.Min
	c := s.in.Spec.corner()
	if c == TopRight || c == BottomRight {
		at.X = s.safe.Max.X - w
		if s.h > s.w {
			at.X = s.w - s.safe.Min.X - w // an app's buttons begin further down
		}
	}
	if c == BottomLeft || c == BottomRight {
		at.Y = s.safe.Max.Y - h
		over := float64(at.X) < float64(s.safe.Min.X)+s.cardW
		if len(s.pins) > 0 && over {
			at.Y = s.cardTop() - round(s.px(chipHeight+2*chipGap)) - h
		}
	}
	return image.Pt(at.X&^1, at.Y&^1)
}

func (s *scene) watermarkLayer(dir string) (layer, bool, error) {
	if s.marks.img == nil {
		return layer{}, false, nil
	}
	b, err := encode(s.marks.img)
	if err != nil {
		return layer{}, false, err
	}
	path := filepath.Join(dir, "watermark.png")
	err = os.WriteFile(path, b, 0o644)
	return layer{list: path, at: s.marks.at}, true, errs.As(errs.Internal, "style.watermarkLayer", err, "the folder of the clip cannot be written")
}

// shrink is a picture no longer than a side.
func shrink(img image.Image, side int) image.Image {
	size := img.Bounds().Size()
	if max(size.X, size.Y) <= side {
		return img
	}
	k := float64(side) / float64(max(size.X, size.Y))
	out := image.NewRGBA(image.Rect(0, 0, max(1, round(float64(size.X)*k)), max(1, round(float64(size.Y)*k))))
	xdraw.CatmullRom.Scale(out, out.Rect, img, img.Bounds(), draw.Src, nil)
	return out
}
