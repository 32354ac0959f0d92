package style

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"github.com/skip2/go-qrcode"
)

// Sizes of a card, in pixels of the viewer page.
const (
	cardHeight = 116
	cardPad    = 10
	cardGap    = 11
	cardRadius = 20
	thumbSize  = 96
	thumbRound = 14
	chipHeight = 44
	chipGap    = 8
	qrSize     = 84
	cardBlur   = 34
	cardFall   = 10 // how far below it its shadow lies
)

// minModule is how many pixels a module of a QR code needs at least to survive what apps make of a clip.
const minModule = 2

// code is the QR code of a link that fits into so many pixels; nil when there is none, or when it would be too fine to
// be read.
func code(link string, side int) [][]bool {
	if link == "" {
		return nil
	}
	for _, level := range []qrcode.RecoveryLevel{qrcode.Medium, qrcode.Low} {
		q, err := qrcode.New(link, level)
		if err != nil {
			continue
		}
		q.DisableBorder = true
		if bits := q.Bitmap(); side/len(bits) > minModule || level == qrcode.Low && side/len(bits) >= minModule {
			return bits
		}
	}
	return nil
}

func (s *scene) px(v float64) float64 { return v * s.unit }

func (s *scene) qrSide() int { return int(s.px(qrSize)) }

// card draws the card of a product at a place, its shadow too.
func (s *scene) card(dst draw.Image, at image.Point, p *pinned) {
	b := box{float64(at.X), float64(at.Y), s.cardW, s.px(cardHeight)}
	shadow(dst, b, s.px(cardRadius), s.px(cardBlur), s.px(cardFall), 0.38)
	fill(dst, b, s.px(cardRadius), cardGround)
	pad, gap := s.px(cardPad), s.px(cardGap)
	left, right := b.x+pad, b.x+b.w-pad
	s.thumb(dst, box{left, b.y + pad, s.px(thumbSize), s.px(thumbSize)}, s.px(thumbRound), p)
	left += s.px(thumbSize) + gap
	if p.qr != nil {
		right = s.qrBlock(dst, b, p.qr) - gap
	}
	s.words(dst, box{left, b.y + pad, right - left, b.h - 2*pad}, p)
}

// thumb draws the picture of a product, or its first letter on a tinted ground.
func (s *scene) thumb(dst draw.Image, b box, radius float64, p *pinned) {
	if p.img != nil {
		fill(dst, b, radius, color.NRGBA{0xf1, 0xee, 0xea, 0xff})
		cover(dst, b, radius, p.img)
		return
	}
	cover(dst, b, radius, tint(b, p.Title))
	f := s.titles.initial
	if b.h < s.px(thumbSize) {
		f = s.titles.chip
	}
	for _, r := range f.clean(p.Title) {
		letter := string(r)
		f.draw(dst, b.x+(b.w-f.width(letter))/2, b.y+b.h/2+0.36*f.size, letter, image.NewUniform(color.NRGBA{255, 255, 255, 225}))
		break
	}
}

// words sets the title above and the price below.
func (s *scene) words(dst draw.Image, b box, p *pinned) {
	f := s.titles.title
	lines := f.wrap(p.Title, b.w, 2)
	if n := len(lines); n > 0 && f.cut(lines[n-1]) { // too long: a little smaller, on three lines
		f = s.titles.small
		lines = f.wrap(p.Title, b.w, 3)
	}
	step := f.size * 1.32
	for i, line := range lines {
		s.line(dst, f, b, b.y+s.px(2)+f.size*0.96+float64(i)*step, line, cardText)
	}
	f = s.titles.price
	price := f.clean(p.Price)
	if f.width(price) > b.w {
		f = s.titles.title
		price = f.shorten(price, b.w)
	}
	base := b.y + b.h - f.size*0.2
	s.line(dst, f, b, base, price, cardPrice)
	was := s.titles.was
	x := b.x + f.width(price) + s.px(7)
	if text := was.clean(p.Was); text != "" && price != "" && x+was.width(text) <= b.x+b.w {
		was.draw(dst, x, base, text, image.NewUniform(cardMuted))
		fill(dst, box{x - s.px(1), base - was.size*0.36, was.width(text) + s.px(2), max(1, s.px(1))}, 0, cardMuted)
	}
}

func (s *scene) line(dst draw.Image, f *face, b box, base float64, text string, ink color.Color) {
	f.draw(dst, b.x, base, text, image.NewUniform(ink))
}

// qrBlock draws the code with what it is for below, at the right of a card, and returns where it begins.
func (s *scene) qrBlock(dst draw.Image, card box, bits [][]bool) float64 {
	module := s.qrSide() / len(bits)
	side := float64(module * len(bits))
	label := "Scan to buy"
	if s.chinese() {
		label = "扫码购买"
	}
	f := s.titles.label
	column := max(s.px(qrSize), f.width(label))
	x := card.x + card.w - s.px(cardPad+2) - column
	high := side + s.px(5) + f.size
	y := card.y + (card.h-high)/2
	drawCode(dst, image.Pt(round(x+(column-side)/2), round(y)), bits, module)
	f.draw(dst, x+(column-f.width(label))/2, y+side+s.px(5)+f.size*0.88, label, image.NewUniform(cardMuted))
	return x
}

// drawCode draws every module on whole pixels: nothing blurs what a phone has to read.
func drawCode(dst draw.Image, at image.Point, bits [][]bool, module int) {
	ink := image.NewUniform(cardText)
	for y, row := range bits {
		for x, dark := range row {
			if dark {
				draw.Draw(dst, image.Rect(x*module, y*module, (x+1)*module, (y+1)*module).Add(at), ink, image.Point{}, draw.Src)
			}
		}
	}
}

// chinese reports whether the clip speaks Chinese, and the fonts can.
func (s *scene) chinese() bool {
	if s.titles.label.clean("扫") == "" {
		return false
	}
	for i := range s.pins {
		if han(s.pins[i].Title) {
			return true
		}
	}
	return false
}

// chips draws the other products that are pinned, a picture and a price each, from the left as many as fit.
func (s *scene) chips(dst draw.Image, at image.Point, others []*pinned) {
	x, y, h := float64(at.X), float64(at.Y), s.px(chipHeight)
	f := s.titles.chip
	for _, p := range others {
		price := f.clean(p.Price)
		w := h
		if price != "" {
			w += s.px(4) + f.width(price) + s.px(12)
		}
		if x+w > float64(at.X)+s.cardW {
			break
		}
		fill(dst, box{x, y, w, h}, h/2, glass)
		inset := s.px(4)
		s.thumb(dst, box{x + inset, y + inset, h - 2*inset, h - 2*inset}, h, p)
		f.draw(dst, x+h+s.px(4), y+h/2+f.size*0.36, price, image.NewUniform(white))
		x += w + s.px(chipGap)
	}
}

// caption draws what is said, on a dark ground, centred in a box at its lower edge.
func (s *scene) caption(dst draw.Image, in image.Rectangle, text string) {
	f := s.titles.caption
	padX, padY, step := s.px(14), s.px(7), f.size*1.32
	lines := f.wrap(text, float64(in.Dx())-2*padX, 2)
	if len(lines) == 0 {
		return
	}
	wide := 0.0
	for _, l := range lines {
		wide = max(wide, f.width(l))
	}
	high := step*float64(len(lines)) + 2*padY
	b := box{float64(in.Min.X) + (float64(in.Dx())-wide)/2 - padX, float64(in.Max.Y) - high, wide + 2*padX, high}
	fill(dst, b, s.px(12), glass)
	for i, l := range lines {
		x := float64(in.Min.X) + (float64(in.Dx())-f.width(l))/2
		f.draw(dst, x, b.y+padY+step*float64(i)+step/2+f.size*0.36, l, image.NewUniform(white))
	}
}

// captionHeight is how high the ground of two lines is.
func (s *scene) captionHeight() int {
	return int(math.Ceil(s.titles.caption.size*1.32*2 + 2*s.px(7)))
}
