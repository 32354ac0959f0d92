package picture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/jpeg"
	"image/png"
	"regexp"
	"strconv"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Widths are those in which each picture is kept, the largest first. A smaller picture is kept as it is under each name.
var Widths = []int{1600, 800, 300}

// MaxPerStore is how many pictures a store may keep.
const MaxPerStore = 50_000

// jpegQuality is a middle way: below, text on packages frays.
const jpegQuality = 85

// atOnce is how many pictures are decoded at once; others wait.
const atOnce = 1

// Image is a picture of a store.
type Image struct {
	ID        string // of its content
	StoreID   string
	Ext       string // "jpg", or "png" where it lets shine through
	Width     int    // of the largest
	Height    int
	Bytes     int64 // of all widths
	Used      bool  // a product shows it or did: past pins and orders may still
	CreatedAt time.Time
}

// Name is the name of its file in one of the Widths.
func (i *Image) Name(width int) string { return i.ID + "-" + strconv.Itoa(width) + "." + i.Ext }

// URL is its address in one of the Widths.
func (i *Image) URL(width int) string { return "/media/" + i.Name(width) }

var name = regexp.MustCompile(`^/media/([0-9a-f]{40})-[0-9]+\.(?:jpg|png)$`)

// IDOf is the id of the picture at an address of this server; ok is false for other addresses.
func IDOf(url string) (id string, ok bool) {
	m := name.FindStringSubmatch(url)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// blobs keeps files; names are content-addressed.
type blobs interface {
	Put(ctx context.Context, name string, b []byte) error
	Delete(ctx context.Context, name string) error
}

// Store keeps what is known of pictures. Each method is one transaction.
type Store interface {
	AddImage(ctx context.Context, i Image, most int) (Image, error)             // the one that is there already; Exhausted: the store has most
	Image(ctx context.Context, storeID, id string) (Image, error)               // NotFound
	UnusedImages(ctx context.Context, storeID string) ([]Image, error)          // oldest first, at most 1000
	DeleteImage(ctx context.Context, storeID, id string) (last bool, err error) // NotFound; Conflict: it is used
}

// Pictures takes and keeps pictures. Safe for concurrent use.
type Pictures struct {
	store Store
	blobs blobs
	now   func() time.Time
	turns chan struct{} // one for each that is being decoded
}

// New makes Pictures. nil stands for time.Now.
func New(store Store, b blobs, now func() time.Time) *Pictures {
	if now == nil {
		now = time.Now
	}
	return &Pictures{store: store, blobs: b, now: now, turns: make(chan struct{}, atOnce)}
}

// Add keeps a picture of a store: JPEG, PNG, GIF (its first picture) or WebP of at most MaxBytes. The same file again is
// the same picture. Invalid names "image"; Exhausted: the store has MaxPerStore, or the disk is full; Unavailable: ctx
// ended before its turn, or the files cannot be written.
func (p *Pictures) Add(ctx context.Context, storeID string, b []byte) (Image, error) {
	const op = "picture.Add"
	sum := sha256.Sum256(b)
	img := Image{ID: hex.EncodeToString(sum[:20]), StoreID: storeID, CreatedAt: p.now().UTC().Truncate(time.Millisecond)}
	if known, err := p.store.Image(ctx, storeID, img.ID); err == nil {
		return known, nil
	} else if errs.KindOf(err) != errs.NotFound {
		return Image{}, errs.Wrap(op, err)
	}
	files, err := p.render(ctx, &img, b)
	if err != nil {
		return Image{}, errs.Wrap(op, err)
	}
	for i, file := range files {
		if err := p.blobs.Put(ctx, img.Name(Widths[i]), file); err != nil {
			return Image{}, errs.Wrap(op, err)
		}
		img.Bytes += int64(len(file))
	}
	img, err = p.store.AddImage(ctx, img, MaxPerStore)
	return img, errs.Wrap(op, err)
}

// render decodes a picture and encodes it in all Widths, one picture at a time.
func (p *Pictures) render(ctx context.Context, img *Image, b []byte) ([][]byte, error) {
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	case <-ctx.Done():
		return nil, errs.As(errs.Unavailable, "picture.render", ctx.Err(), "the server is busy with other images; try again in a moment")
	}
	decoded, turn, err := decode(b)
	if err != nil {
		return nil, err
	}
	// A picture that lies on its side becomes as wide as it was high: fit it so that no width comes out too wide.
	fit := Widths[0]
	if size := decoded.Bounds().Size(); turn >= 5 && size.Y > 0 {
		fit = max(1, min(size.X, Widths[0]*size.X/size.Y))
	}
	largest := upright(shrink(decoded, fit), turn)
	img.Width, img.Height, img.Ext = largest.Rect.Dx(), largest.Rect.Dy(), "jpg"
	if !largest.Opaque() {
		img.Ext = "png"
	}
	files := make([][]byte, len(Widths))
	for i, w := range Widths {
		if files[i], err = encode(shrink(largest, w), img.Ext); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func encode(img *image.RGBA, ext string) ([]byte, error) {
	var out bytes.Buffer
	if ext == "png" {
		err := png.Encode(&out, img)
		return out.Bytes(), err
	}
	err := jpeg.Encode(&out, img, &jpeg.Options{Quality: jpegQuality})
	return out.Bytes(), err
}

// Unused lists pictures of a store that no product ever showed, oldest first.
func (p *Pictures) Unused(ctx context.Context, storeID string) ([]Image, error) {
	images, err := p.store.UnusedImages(ctx, storeID)
	return images, errs.Wrap("picture.Unused", err)
}

// Delete removes a picture of a store. NotFound; Conflict: a product shows it or did, so past pins and orders may.
func (p *Pictures) Delete(ctx context.Context, storeID, id string) error {
	const op = "picture.Delete"
	img, err := p.store.Image(ctx, storeID, id)
	if err != nil {
		return errs.Wrap(op, err)
	}
	last, err := p.store.DeleteImage(ctx, storeID, id)
	if err != nil || !last { // another store has the same
		return errs.Wrap(op, err)
	}
	for _, w := range Widths {
		if err := p.blobs.Delete(ctx, img.Name(w)); err != nil {
			return errs.Wrap(op, err)
		}
	}
	return nil
}
