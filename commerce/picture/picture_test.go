package picture

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// gallery keeps pictures in memory.
type gallery struct {
	mu     sync.Mutex
	images map[string]Image
	files  map[string][]byte
}

func newGallery() *gallery { return &gallery{images: map[string]Image{}, files: map[string][]byte{}} }

func (g *gallery) AddImage(_ context.Context, i Image, _ int) (Image, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.images[i.StoreID+i.ID] = i
	return i, nil
}

func (g *gallery) Image(_ context.Context, storeID, id string) (Image, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i, ok := g.images[storeID+id]; ok {
		return i, nil
	}
	return Image{}, errs.New(errs.NotFound, "", "none")
}

func (g *gallery) UnusedImages(context.Context, string) ([]Image, error) { return nil, nil }

func (g *gallery) DeleteImage(_ context.Context, storeID, id string) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.images, storeID+id)
	return true, nil
}

func (g *gallery) Put(_ context.Context, name string, b []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.files[name] = b
	return nil
}

func (g *gallery) Delete(_ context.Context, name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.files, name)
	return nil
}

var corners = []color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 0, 255}}

// quarters is a picture whose quarters have the colours of corners: top left, top right, bottom left, bottom right.
func quarters(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i, c := range corners {
		at := image.Rect(i%2*w/2, i/2*h/2, (i%2+1)*w/2, (i/2+1)*h/2)
		draw.Draw(img, at, image.NewUniform(c), image.Point{}, draw.Src)
	}
	return img
}

func jpegOf(t *testing.T, img image.Image, orientation int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	if orientation == 0 {
		return out.Bytes()
	}
	tiff := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(rune(orientation)) + "\x00\x00\x00\x00\x00\x00")
	body := append([]byte("Exif\x00\x00"), tiff...)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2))
	return append(append(append([]byte{0xff, 0xd8}, segment...), body...), out.Bytes()[2:]...)
}

func TestWidthsOfAPicture(t *testing.T) {
	for _, c := range []struct{ w, h, want int }{{3400, 100, 1600}, {1601, 40, 1600}, {500, 400, 500}, {40, 900, 40}} {
		g := newGallery()
		img, err := New(g, g, nil).Add(t.Context(), "s", jpegOf(t, quarters(c.w, c.h), 0))
		if err != nil {
			t.Fatal(err)
		}
		if img.Width != c.want || img.Ext != "jpg" || len(g.files) != len(Widths) {
			t.Errorf("%+v: %+v", c, img)
		}
		for _, w := range Widths {
			cfg, err := jpeg.DecodeConfig(bytes.NewReader(g.files[img.Name(w)]))
			if err != nil || cfg.Width != min(w, c.w) {
				t.Errorf("%d of %+v: %+v %v", w, c, cfg, err)
			}
		}
	}
}

// Each orientation of Exif shows the same picture, and nothing of the metadata remains.
func TestUpright(t *testing.T) {
	want := [9][4]int{1: {0, 1, 2, 3}, 2: {1, 0, 3, 2}, 3: {3, 2, 1, 0}, 4: {2, 3, 0, 1}, 5: {0, 2, 1, 3}, 6: {2, 0, 3, 1}, 7: {3, 1, 2, 0}, 8: {1, 3, 0, 2}}
	for o := 1; o <= 8; o++ {
		g := newGallery()
		img, err := New(g, g, nil).Add(t.Context(), "s", jpegOf(t, quarters(400, 200), o))
		if err != nil {
			t.Fatal(err)
		}
		if turned := o >= 5; turned != (img.Width == 200) {
			t.Errorf("%d: %dx%d", o, img.Width, img.Height)
		}
		b := g.files[img.Name(1600)]
		if bytes.Contains(b, []byte("Exif")) {
			t.Errorf("%d: metadata is still there", o)
		}
		got, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range []image.Point{{img.Width / 4, img.Height / 4}, {img.Width * 3 / 4, img.Height / 4}, {img.Width / 4, img.Height * 3 / 4}, {img.Width * 3 / 4, img.Height * 3 / 4}} {
			if !near(got.At(at.X, at.Y), corners[want[o][i]]) {
				t.Errorf("orientation %d: corner %d is %v", o, i, got.At(at.X, at.Y))
			}
		}
	}
}

func near(a, b color.Color) bool {
	ar, ag, ab, _ := a.RGBA()
	br, bg, bb, _ := b.RGBA()
	d := func(x, y uint32) bool { return max(x, y)-min(x, y) < 0x1800 }
	return d(ar, br) && d(ag, bg) && d(ab, bb)
}

func TestFormats(t *testing.T) {
	var shining, solid, anim bytes.Buffer
	glass := quarters(100, 100)
	glass.SetRGBA(50, 50, color.RGBA{})
	pal := image.NewPaletted(image.Rect(0, 0, 64, 64), color.Palette{color.Black, color.White})
	err := gif.EncodeAll(&anim, &gif.GIF{Image: []*image.Paletted{pal, pal}, Delay: []int{1, 1}})
	if err != nil || png.Encode(&shining, glass) != nil || png.Encode(&solid, quarters(100, 100)) != nil {
		t.Fatal(err)
	}
	// 32 x 32, red
	webp, err := base64.StdEncoding.DecodeString("UklGRkQAAABXRUJQVlA4IDgAAAAQAwCdASogACAAP3Gy0GA0rimlqAgCkC4JZQDM0BalVAAA/uC5fg0CgAH//BBfiD9QanLDAW4AAA==")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		b   []byte
		ext string
	}{"png": {solid.Bytes(), "jpg"}, "png with alpha": {shining.Bytes(), "png"}, "gif": {anim.Bytes(), "jpg"}, "webp": {webp, "jpg"}} {
		g := newGallery()
		img, err := New(g, g, nil).Add(t.Context(), "s", c.b)
		if err != nil || img.Ext != c.ext {
			t.Errorf("%s: %+v %v", name, img, err)
		}
	}
}

// bomb is a PNG of some bytes that says it is w by h.
func bomb(w, h uint32, depth byte) []byte {
	chunk := func(kind string, data []byte) []byte {
		out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
		out = append(append(out, kind...), data...)
		return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	return append([]byte("\x89PNG\r\n\x1a\n"), append(chunk("IHDR", append(head, depth, 2, 0, 0, 0)), chunk("IDAT", []byte("x"))...)...)
}

func TestHostilePictures(t *testing.T) {
	giant := jpegOf(t, quarters(32, 32), 0)
	at := bytes.Index(giant, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(giant[at+5:], 65000)
	binary.BigEndian.PutUint16(giant[at+7:], 65000)
	hidden := []byte("RIFF\x40\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x1f\x00\x00\x1f\x00\x00VP8L\x08\x00\x00\x00\x2f\xff\xff\xff\x0f\x00\x00\x00")
	g := newGallery()
	p := New(g, g, nil)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for name, b := range map[string][]byte{
		"nothing": {}, "no picture": []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), "png bomb": bomb(60_000, 60_000, 8), "wide png": bomb(12_001, 16, 8),
		"deep png": bomb(4000, 4000, 16), "jpeg that says it is huge": giant, "webp that hides its size": hidden, "tiny": bomb(1, 1, 8),
		"cut off": jpegOf(t, quarters(200, 200), 0)[:600], "too many bytes": append(jpegOf(t, quarters(32, 32), 0), make([]byte, MaxBytes)...),
	} {
		if _, err := p.Add(t.Context(), "s", b); errs.KindOf(err) != errs.Invalid || errs.FieldOf(err) != "image" {
			t.Errorf("%s: %v", name, err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
		t.Errorf("refusing them took %d MiB", n>>20)
	}
	if len(g.files) != 0 {
		t.Errorf("%d files were kept", len(g.files))
	}
}

func TestIDOf(t *testing.T) {
	img := Image{ID: strings.Repeat("0a", 20), Ext: "jpg"}
	if id, ok := IDOf(img.URL(800)); !ok || id != img.ID {
		t.Errorf("%q %v", id, ok)
	}
	for _, url := range []string{"https://other.example" + img.URL(800), "/media/x.jpg", img.URL(800) + "?x"} {
		if _, ok := IDOf(url); ok {
			t.Errorf("%q is taken for ours", url)
		}
	}
}

// Whatever comes in, it is a picture or an error, never a panic.
func FuzzDecode(f *testing.F) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, quarters(32, 32), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add(bomb(32, 32, 8))
	f.Add([]byte("RIFF\x40\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x1f\x00\x00\x1f\x00\x00VP8L\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if img, turn, err := decode(b); err == nil && (turn < 1 || turn > 8 || img.Bounds().Empty()) {
			t.Errorf("turn %d of %v", turn, img.Bounds())
		}
	})
}
