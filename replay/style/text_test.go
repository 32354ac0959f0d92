package style

import (
	"context"
	"image"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

var systemFonts = sync.OnceValues(func() (*Fonts, error) { return FindFonts(context.Background(), "") })

func fontsOf(t *testing.T) *Fonts {
	t.Helper()
	f, err := systemFonts()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func faceOf(t *testing.T, f *Fonts, size float64) *face {
	t.Helper()
	out, err := f.face(size, true)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPrice(t *testing.T) {
	for _, c := range [][3]string{
		{"199.00", "CNY", "¥199"},
		{"199.50", "CNY", "¥199.50"},
		{"1299999.05", "USD", "$1,299,999.05"},
		{"500", "JPY", "¥500"},
		{"1.250", "KWD", "KWD 1.250"},
		{"0.00", "EUR", "€0"},
		{"1000", "XAU", "XAU 1,000"},
	} {
		if got := Price(c[0], c[1]); got != c[2] {
			t.Errorf("%s %s: %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestWrap(t *testing.T) {
	f := faceOf(t, fontsOf(t), 20)
	if !fontsOf(t).Chinese() {
		t.Skip("no font with Chinese is installed")
	}
	for _, c := range []struct {
		text  string
		width float64
		most  int
		want  []string
	}{
		{"", 100, 2, nil},
		{"short", 100, 2, []string{"short"}},
		{"明前龙井手工炒制", 84, 2, []string{"明前龙井", "手工炒制"}},
		{"明前龙井，手工炒制", 84, 3, []string{"明前龙", "井，手工", "炒制"}}, // a comma never begins a line
		{"明前龙《茶经》", 84, 2, []string{"明前龙", "《茶经》"}},         // a bracket never ends one
		{"明前龙井手工炒制礼盒", 84, 2, []string{"明前龙井", "手工炒…"}},
		{"one two three", 60, 1, []string{"one..."}},
	} {
		if got := f.wrap(c.text, c.width, c.most); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

// Whatever the text: lines are no wider than their box and no more than asked for.
func TestWrapFits(t *testing.T) {
	f := faceOf(t, fontsOf(t), 20)
	img := image.NewRGBA(image.Rect(0, 0, 120, 40))
	rapid.Check(t, func(t *rapid.T) {
		text, width, most := rapid.String().Draw(t, "text"), rapid.Float64Range(40, 400).Draw(t, "width"), rapid.IntRange(1, 4).Draw(t, "most")
		lines := f.wrap(text, width, most)
		if len(lines) > most {
			t.Fatalf("%d lines", len(lines))
		}
		for _, l := range lines {
			if f.width(l) > width {
				t.Fatalf("%q is %v wide", l, f.width(l))
			}
			f.draw(img, 0, 20, l, image.Black)
		}
	})
	for _, text := range hostileTexts() {
		for _, l := range f.wrap(text, 200, 2) {
			f.draw(img, 0, 20, l, image.Black)
		}
	}
}

func TestVisualOrder(t *testing.T) {
	for in, want := range map[string]string{"abc": "abc", "שלום": "םולש", "tea שלום 12": "tea 12 םולש", "שלום tea": "tea םולש", "a שלום b": "a םולש b"} {
		if got := visual(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// Without any font of the system there is still Latin, and Chinese is left out rather than drawn as boxes.
func TestBuiltInFont(t *testing.T) {
	fonts, err := openFonts([2]string{})
	if err != nil || fonts.Chinese() || !strings.Contains(fonts.String(), "built-in") {
		t.Fatal(fonts, err)
	}
	f := faceOf(t, fonts, 20)
	if got := f.clean("茶 Tea 茶 ¥88"); got != "Tea ¥88" {
		t.Errorf("%q", got)
	}
	if _, err := FindFonts(t.Context(), t.TempDir()); fieldOf(err) != "" || err == nil {
		t.Error("a folder is no font:", err)
	}
}

// Smears blur a shadow without moving or losing it.
func TestShadow(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 200, 200))
	shadow(img, box{60, 60, 80, 80}, 10, 20, 0, 1)
	if in, left, right, out := img.RGBAAt(100, 100).A, img.RGBAAt(58, 100).A, img.RGBAAt(141, 100).A, img.RGBAAt(10, 100).A; in < 240 || left < 60 || right < 60 || max(left, right)-min(left, right) > 25 || out != 0 {
		t.Errorf("%d inside, %d and %d beside, %d far off", in, left, right, out)
	}
}
