package picture

import (
	"image"

	"golang.org/x/image/draw"
)

// shrink makes a picture that is at most so wide, or as wide as it is. Pixels are averaged by whole factors first, strip by
// strip, so that no more memory is needed than for the result; what remains is less than a half.
func shrink(src image.Image, width int) *image.RGBA {
	small := average(src, max(1, src.Bounds().Dx()/width))
	w, h := small.Rect.Dx(), small.Rect.Dy()
	if w <= width {
		return small
	}
	dst := image.NewRGBA(image.Rect(0, 0, width, max(1, (h*width+w/2)/w)))
	draw.ApproxBiLinear.Scale(dst, dst.Rect, small, small.Rect, draw.Src, nil)
	return dst
}

// average makes one pixel of each square of k by k. What is left over at the right and at the bottom falls away.
func average(src image.Image, k int) *image.RGBA {
	b := src.Bounds()
	w, h := max(1, b.Dx()/k), max(1, b.Dy()/k)
	dst, strip := image.NewRGBA(image.Rect(0, 0, w, h)), image.NewRGBA(image.Rect(0, 0, b.Dx(), min(k, b.Dy())))
	for y := range h {
		draw.Draw(strip, strip.Rect, src, image.Pt(b.Min.X, b.Min.Y+y*k), draw.Src)
		averageStrip(dst.Pix[dst.PixOffset(0, y):][:4*w], strip, k)
	}
	return dst
}

func averageStrip(row []uint8, strip *image.RGBA, k int) {
	rows, cols := strip.Rect.Dy(), strip.Rect.Dx()
	for x := range len(row) / 4 {
		var sum [4]int
		n := 0
		for sy := range rows {
			for sx := x * k; sx < min(x*k+k, cols); sx++ {
				p := strip.Pix[strip.PixOffset(sx, sy):][:4]
				sum[0], sum[1], sum[2], sum[3] = sum[0]+int(p[0]), sum[1]+int(p[1]), sum[2]+int(p[2]), sum[3]+int(p[3])
				n++
			}
		}
		for c := range 4 {
			row[4*x+c] = uint8((sum[c] + n/2) / n)
		}
	}
}
