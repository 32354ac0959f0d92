package e2e

import (
	"image"
	"slices"
	"testing"
)

// rect is a place in a picture of the page.
type rect struct{ X, Y, Width, Height float64 }

// cardRect is where the featured card stands, whether or not it is visible now: the page has room for it at the bottom.
func (b *browser) cardRect(t *testing.T) (r rect) {
	t.Helper()
	b.eval(t, `(() => {
		const c = document.querySelector('.pins .card[data-featured]') ;
		const had = c.getAttribute('data-visible');
		c.style.animation = 'none';
		c.setAttribute('data-visible', 'true');
		const { x, y, width, height } = c.getBoundingClientRect();
		c.setAttribute('data-visible', had);
		return { X: x, Y: y, Width: width, Height: height };
	})()`, &r)
	if r.Width < 100 || r.Height < 30 {
		t.Fatalf("the card is at %+v", r)
	}
	return r
}

// videoRect is where the whole picture of the video is, also what is cropped.
func (b *browser) videoRect(t *testing.T) (r rect) {
	t.Helper()
	b.eval(t, `(() => {
		const v = document.querySelector('video');
		const { x, y, width, height } = v.getBoundingClientRect();
		const fit = getComputedStyle(v).objectFit === 'cover' ? Math.max : Math.min;
		const scale = fit(width / v.videoWidth, height / v.videoHeight);
		const w = v.videoWidth * scale, h = v.videoHeight * scale;
		return { X: x + (width - w) / 2, Y: y + (height - h) / 2, Width: w, Height: h };
	})()`, &r)
	return r
}

// glimpse is what a composited picture of the page shows.
type glimpse struct {
	n    int
	card bool
}

// film is what was composited while filming, and where to look in it.
type film struct {
	picture
	card, video rect
	shots       []shot
}

// checkCards wants the card to come with frames wants[0], wants[2] ... and to go with the others.
func checkCards(t *testing.T, when string, f film, wants []int) {
	t.Helper()
	var glimpses []glimpse
	unreadable := 0
	for _, sh := range f.shots {
		g, ok := f.look(sh.image(t))
		if !ok {
			unreadable++
			continue
		}
		glimpses = append(glimpses, g)
	}
	var errs []int
	for i, want := range wants {
		off, ok := offBy(glimpses, want, i%2 == 0)
		if !ok {
			t.Errorf("%s: the card never changed around frame %d", when, want)
			continue
		}
		errs = append(errs, off)
	}
	t.Logf("%s: %d pictures, %d unreadable; cards off by %v frames", when, len(f.shots), unreadable, errs)
	if len(errs) == 0 {
		return
	}
	abs := make([]int, len(errs))
	for i, e := range errs {
		abs[i] = max(e, -e)
	}
	slices.Sort(abs)
	if median, worst := abs[len(abs)/2], abs[len(abs)-1]; median > 1 || worst > 2 {
		t.Errorf("%s: cards are off by %d frames at the median, %d at worst", when, median, worst)
	}
}

// offBy says by how many frames the card changed later than frame want; a change between two pictures is judged in
// favour, by as many frames as the film has not seen between them.
func offBy(gs []glimpse, want int, comes bool) (off int, ok bool) {
	for i := 1; i < len(gs); i++ {
		before, after := gs[i-1], gs[i]
		if after.n < want-pinStays/2 || after.n > want+pinStays/2 || before.card == comes || after.card != comes {
			continue
		}
		switch {
		case want > after.n:
			return after.n - want, true
		case want <= before.n:
			return before.n + 1 - want, true
		}
		return 0, true
	}
	return 0, false
}

// look reads a composited picture: the frame's number, and whether the bright card covers the grey.
func (f film) look(img image.Image) (glimpse, bool) {
	size := img.Bounds().Size()
	scale := float64(size.X) / viewWidth
	luma := func(x, y float64) float64 {
		c := img.At(int(x*scale), int(y*scale))
		r, g, b, _ := c.RGBA()
		return (0.299*float64(r) + 0.587*float64(g) + 0.114*float64(b)) / 257
	}
	v, card := f.video, f.card
	n, ok := f.read(func(x, y float64) float64 {
		return luma(v.X+x*v.Width/float64(f.width), v.Y+y*v.Height/float64(f.height))
	})
	bright, all := 0, 0
	for y := card.Y + 4; y < card.Y+card.Height-4; y += 3 {
		for x := card.X + 6; x < card.X+card.Width-6; x += 3 {
			all++
			if luma(x, y) > 200 {
				bright++
			}
		}
	}
	return glimpse{n, bright*4 > all}, ok
}
