package style

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // pictures of products
	"image/png"
	"math"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/vector"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// What a picture of a product or a watermark may be.
const (
	maxImageBytes  = 10 << 20
	maxImagePixels = 25_000_000
	maxImageSide   = 12_000
)

// The colours of the viewer page (web/src/styles/base.css).
var (
	cardGround = color.NRGBA{0xff, 0xfd, 0xfa, 0xff}
	cardText   = color.NRGBA{0x1b, 0x19, 0x1c, 0xff}
	cardMuted  = color.NRGBA{0x6a, 0x64, 0x6b, 0xff}
	cardPrice  = color.NRGBA{0xc8, 0x10, 0x2e, 0xff}
	glass      = color.NRGBA{18, 16, 22, 163}
	white      = color.NRGBA{0xff, 0xff, 0xff, 0xff}
)

// tints stand where a product has no picture, from its upper left to its lower right.
var tints = [][2]color.NRGBA{
	{{0xfd, 0xa4, 0xaf, 0xff}, {0xbe, 0x12, 0x3c, 0xff}},
	{{0xfd, 0xba, 0x74, 0xff}, {0xc2, 0x41, 0x0c, 0xff}},
	{{0x86, 0xc5, 0xa8, 0xff}, {0x14, 0x65, 0x4a, 0xff}},
	{{0x93, 0xb4, 0xe8, 0xff}, {0x2b, 0x4a, 0x92, 0xff}},
	{{0xc4, 0xa7, 0xe7, 0xff}, {0x5b, 0x3a, 0x9b, 0xff}},
	{{0xe3, 0xc5, 0x8b, 0xff}, {0x8a, 0x61, 0x16, 0xff}},
}

// decode reads a JPEG or PNG picture. Its size is read first: a small file that would unfold into a huge picture is refused
// before. Invalid names the field.
func decode(field string, b []byte) (image.Image, error) {
	const op = "style.decode"
	if len(b) > maxImageBytes {
		return nil, errs.Field(op, field, "the image is larger than %d MiB", maxImageBytes>>20)
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, errs.Field(op, field, "this is no JPEG or PNG image, or it is damaged")
	}
	if c.Width > maxImageSide || c.Height > maxImageSide || int64(c.Width)*int64(c.Height) > maxImagePixels {
		return nil, errs.Field(op, field, "the image is too large: %d x %d; send one of at most %d megapixels", c.Width, c.Height, maxImagePixels/1_000_000)
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil || img.Bounds().Empty() {
		return nil, errs.Field(op, field, "the image is damaged")
	}
	return img, nil
}

// box is a rectangle with parts of pixels.
type box struct{ x, y, w, h float64 }

func (b box) bounds() image.Rectangle {
	return image.Rect(int(math.Floor(b.x)), int(math.Floor(b.y)), int(math.Ceil(b.x+b.w)), int(math.Ceil(b.y+b.h)))
}

// rounded is the mask of a box with round corners, and where it lies.
func rounded(b box, radius float64) (*image.Alpha, image.Rectangle) {
	at := b.bounds()
	radius = min(radius, b.w/2, b.h/2)
	r := vector.NewRasterizer(at.Dx(), at.Dy())
	x0, y0 := float32(b.x-float64(at.Min.X)), float32(b.y-float64(at.Min.Y))
	x1, y1, q := x0+float32(b.w), y0+float32(b.h), float32(radius)
	k := q * 0.44772 // 1 - the handle of a quarter circle
	r.MoveTo(x0+q, y0)
	r.LineTo(x1-q, y0)
	r.CubeTo(x1-k, y0, x1, y0+k, x1, y0+q)
	r.LineTo(x1, y1-q)
	r.CubeTo(x1, y1-k, x1-k, y1, x1-q, y1)
	r.LineTo(x0+q, y1)
	r.CubeTo(x0+k, y1, x0, y1-k, x0, y1-q)
	r.LineTo(x0, y0+q)
	r.CubeTo(x0, y0+k, x0+k, y0, x0+q, y0)
	r.ClosePath()
	mask := image.NewAlpha(image.Rect(0, 0, at.Dx(), at.Dy()))
	r.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	return mask, at
}

// fill paints a box with round corners.
func fill(dst draw.Image, b box, radius float64, ink color.Color) {
	mask, at := rounded(b, radius)
	draw.DrawMask(dst, at, image.NewUniform(ink), image.Point{}, mask, image.Point{}, draw.Over)
}

// shadow paints the soft shadow of a box: blur is CSS's, twice the standard deviation.
func shadow(dst draw.Image, b box, radius, blur, dy, strength float64) {
	sigma := blur / 2
	margin := int(math.Ceil(sigma * 3))
	mask, at := rounded(box{b.x, b.y + dy, b.w, b.h}, radius)
	wide := image.NewAlpha(image.Rect(0, 0, at.Dx()+2*margin, at.Dy()+2*margin))
	draw.Draw(wide, mask.Rect.Add(image.Pt(margin, margin)), mask, image.Point{}, draw.Src)
	// Three boxes are as good as a bell.
	size := max(1, int(math.Round(sigma*1.88)))
	for range 3 {
		smear(wide.Pix, wide.Rect.Dx(), wide.Rect.Dy(), wide.Stride, 1, size)
		smear(wide.Pix, wide.Rect.Dy(), wide.Rect.Dx(), 1, wide.Stride, size)
	}
	ink := image.NewUniform(color.NRGBA{0, 0, 0, uint8(strength*255 + 0.5)})
	draw.DrawMask(dst, wide.Rect.Add(at.Min).Sub(image.Pt(margin, margin)), ink, image.Point{}, wide, image.Point{}, draw.Over)
}

// smear averages each of n lines of length over a window; step leads from one value to the next, stride to the next line.
func smear(pix []uint8, length, n, stride, step, size int) {
	line := make([]uint8, length)
	before := (size - 1) / 2
	for i := range n {
		at := pix[i*stride:]
		for j := range length {
			line[j] = at[j*step]
		}
		sum := 0
		for j := range min(size-before-1, length) {
			sum += int(line[j])
		}
		for j := range length {
			if in := j + size - before - 1; in < length {
				sum += int(line[in])
			}
			if out := j - before - 1; out >= 0 {
				sum -= int(line[out])
			}
			at[j*step] = uint8(sum / size)
		}
	}
}

// cover paints a picture into a box with round corners so that it fills it, and cuts off what stands over.
func cover(dst draw.Image, b box, radius float64, img image.Image) {
	at := b.bounds()
	from := img.Bounds()
	if w := from.Dy() * at.Dx() / at.Dy(); w < from.Dx() {
		from.Min.X += (from.Dx() - w) / 2
		from.Max.X = from.Min.X + max(w, 1)
	} else if h := from.Dx() * at.Dy() / at.Dx(); h < from.Dy() {
		from.Min.Y += (from.Dy() - h) / 2
		from.Max.Y = from.Min.Y + max(h, 1)
	}
	scaled := image.NewRGBA(image.Rect(0, 0, at.Dx(), at.Dy()))
	xdraw.CatmullRom.Scale(scaled, scaled.Rect, img, from, draw.Src, nil)
	mask, at := rounded(b, radius)
	draw.DrawMask(dst, at, scaled, image.Point{}, mask, image.Point{}, draw.Over)
}

// tint is the ground of a product without a picture.
func tint(b box, title string) image.Image {
	sum := 0
	for _, r := range title {
		sum += int(r)
	}
	ends := tints[sum%len(tints)]
	at := b.bounds()
	img := image.NewRGBA(image.Rect(0, 0, at.Dx(), at.Dy()))
	for y := range at.Dy() {
		for x := range at.Dx() {
			img.Set(x, y, mix(ends[0], ends[1], (float64(x)+float64(y))/float64(at.Dx()+at.Dy())))
		}
	}
	return img
}

func mix(a, b color.NRGBA, t float64) color.NRGBA {
	m := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*t + 0.5) }
	return color.NRGBA{m(a.R, b.R), m(a.G, b.G), m(a.B, b.B), m(a.A, b.A)}
}

// encode writes a layer. It is read once, so speed is worth more than size.
func encode(img *image.RGBA) ([]byte, error) {
	var out bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	err := e.Encode(&out, straight(img))
	return out.Bytes(), err
}

// straight is a picture whose colours are not multiplied by their strength, as PNG has them.
func straight(img image.Image) *image.NRGBA {
	out := image.NewNRGBA(img.Bounds())
	draw.Draw(out, out.Rect, img, out.Rect.Min, draw.Src)
	return out
}
