package style

import (
	"image"
	"image/draw"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/bidi"
)

// maxRunes is how much of a text is looked at: no title fills more of a card.
const maxRunes = 400

// ellipsis stands for what is left out. Fonts for Chinese set the one character "…" in the middle of the line, where Latin
// does not expect it.
func ellipsis(text string) string {
	if han(text) {
		return "…"
	}
	return "..."
}

// cut reports whether a line ends in an ellipsis.
func (f *face) cut(line string) bool {
	return strings.HasSuffix(line, "…") || strings.HasSuffix(line, "...")
}

// face sets text in one size. It belongs to one goroutine.
type face struct {
	fonts []*sfnt.Font
	faces []font.Face
	thick fixed.Int26_6 // how far to the right it is drawn a second time; 0: once
	size  float64
	buf   sfnt.Buffer
}

// face opens the fonts in a size of pixels. The bold one falls back to a thickened regular one.
func (f *Fonts) face(size float64, bold bool) (*face, error) {
	out := &face{fonts: f.regular, size: size}
	if bold {
		out.fonts = f.bold
		if f.synthetic {
			out.thick = fixed.Int26_6(size * 64 / 22)
		}
	}
	for _, one := range out.fonts {
		opened, err := opentype.NewFace(one, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
		if err != nil {
			return nil, err
		}
		out.faces = append(out.faces, opened)
	}
	return out, nil
}

// with is the font that has a character, -1 for none.
func (f *face) with(r rune) int {
	for i, one := range f.fonts {
		if g, err := one.GlyphIndex(&f.buf, r); err == nil && g != 0 {
			return i
		}
	}
	return -1
}

// clean takes out of a text all that cannot be drawn: line breaks become spaces, characters without a glyph vanish.
func (f *face) clean(text string) string {
	var out strings.Builder
	space, n := false, 0
	for _, r := range text {
		if n++; n > maxRunes {
			break
		}
		switch {
		case unicode.IsSpace(r):
			space = out.Len() > 0
		case !unicode.IsGraphic(r) || f.with(r) < 0:
		default:
			if space {
				out.WriteByte(' ')
			}
			out.WriteRune(r)
			space = false
		}
	}
	return out.String()
}

// walk calls each with every glyph of a text that is drawn, and where its origin is.
func (f *face) walk(text string, each func(r rune, i int, at fixed.Int26_6)) fixed.Int26_6 {
	at, before, last := fixed.Int26_6(0), rune(-1), -1
	for _, r := range text {
		i := f.with(r)
		if i < 0 {
			continue
		}
		if i == last {
			at += f.faces[i].Kern(before, r)
		}
		if each != nil {
			each(r, i, at)
		}
		advance, _ := f.faces[i].GlyphAdvance(r)
		at += advance + f.thick/2
		before, last = r, i
	}
	return at
}

// width is how wide a line is, in pixels.
func (f *face) width(text string) float64 { return float64(f.walk(text, nil)) / 64 }

// draw sets a line of text that begins at x and stands on y.
func (f *face) draw(dst draw.Image, x, y float64, text string, ink image.Image) {
	f.walk(visual(text), func(r rune, i int, at fixed.Int26_6) {
		dot := fixed.Point26_6{X: fixed.Int26_6(x*64) + at, Y: fixed.Int26_6(y * 64)}
		for _, shift := range []fixed.Int26_6{0, f.thick} {
			box, mask, from, _, ok := f.faces[i].Glyph(dot.Add(fixed.Point26_6{X: shift}), r)
			if ok {
				draw.DrawMask(dst, box, ink, image.Point{}, mask, from, draw.Over)
			}
			if f.thick == 0 {
				break
			}
		}
	})
}

// visual is a line in the order of the eye: scripts that run to the left are turned round (UAX 9).
func visual(line string) string {
	if !strings.ContainsFunc(line, leftward) {
		return line
	}
	var p bidi.Paragraph
	if _, err := p.SetString(line); err != nil {
		return line
	}
	order, err := p.Order()
	if err != nil {
		return line
	}
	var out []string
	swap := 0 // where a stretch begins that runs to the left
	for i := range order.NumRuns() {
		run := order.Run(i)
		text := run.String()
		switch {
		case run.Direction() == bidi.RightToLeft:
			text = bidi.ReverseString(text)
		case p.IsLeftToRight() && strings.ContainsFunc(text, unicode.IsLetter): // numbers belong to what is around them
			slices.Reverse(out[swap:])
			swap = len(out) + 1
		}
		out = append(out, text)
	}
	slices.Reverse(out[min(swap, len(out)):])
	return strings.Join(out, "")
}

func leftward(r rune) bool {
	p, _ := bidi.LookupRune(r)
	return p.Class() == bidi.R || p.Class() == bidi.AL
}

// wrap breaks a text into at most so many lines of a width; what is too much ends in an ellipsis.
func (f *face) wrap(text string, width float64, most int) []string {
	var lines []string
	line := ""
	rest := pieces(f.clean(text))
	for len(rest) > 0 && len(lines) < most {
		piece := rest[0]
		switch {
		case f.width(strings.TrimRight(line+piece, " ")) <= width:
			line, rest = line+piece, rest[1:]
		case line != "":
			lines, line = append(lines, strings.TrimRight(line, " ")), ""
		default: // a word longer than the line
			n := f.fits(piece, width)
			lines, rest[0] = append(lines, piece[:n]), piece[n:]
		}
	}
	if len(lines) < most && line != "" {
		return append(lines, strings.TrimRight(line, " "))
	}
	if len(rest) > 0 && len(lines) > 0 {
		lines[most-1] = f.shorten(lines[most-1]+rest[0], width)
	}
	return lines
}

// fits is how many bytes of a word fit into a width, one character at least.
func (f *face) fits(word string, width float64) int {
	n := 0
	for i, r := range word {
		end := i + len(string(r))
		if n > 0 && f.width(word[:end]) > width {
			break
		}
		n = end
	}
	return n
}

// shorten leaves out the end of a line so that it fits with an ellipsis.
func (f *face) shorten(line string, width float64) string {
	runes, dots := []rune(line), ellipsis(line)
	for len(runes) > 0 && f.width(string(runes)+dots) > width {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ,，、。.:：;；-(（") + dots
}

const (
	never  = "，。、；：！？）》」』】〉…—·”’%％),.;:!?]}~～" // never begin a line
	nevers = "（《「『【〈“‘([{¥￥$"                  // never end one
)

// pieces are the parts of a text that lines may be broken between: words with the space behind them, and characters of
// scripts that break anywhere, together with the punctuation that must not be parted from them.
func pieces(text string) []string {
	var out []string
	open := false // the last piece takes more
	for _, r := range text {
		alone := anywhere(r)
		switch {
		case r == ' ' || strings.ContainsRune(never, r):
			if len(out) == 0 {
				out = append(out, "")
			}
			out[len(out)-1] += string(r)
			open = r != ' ' && open
		case open && !alone, len(out) > 0 && endsOpen(out[len(out)-1]):
			out[len(out)-1] += string(r)
			open = !alone
		default:
			out = append(out, string(r))
			open = !alone
		}
	}
	return out
}

func endsOpen(piece string) bool {
	for _, r := range nevers {
		if strings.HasSuffix(piece, string(r)) {
			return true
		}
	}
	return false
}

// anywhere reports whether lines may be broken before and after a character.
func anywhere(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xff60
}

// han reports whether a text has Chinese characters.
func han(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}
