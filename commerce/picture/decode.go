package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	_ "image/gif" // the first picture of an animation
	_ "image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/webp" // makes image.Decode know the format

	"github.com/vitrine-live/vitrine/internal/errs"
)

// What is accepted. Decoding takes up to 8 bytes a pixel (PNG of 16 bits a channel, progressive JPEG): 200 MB at the most.
const (
	MaxBytes  = 10 << 20
	maxPixels = 25_000_000
	maxSide   = 12_000
	minSide   = 16
)

// decode turns what was uploaded into a picture, upright. Its size is read first: a small file that would unfold into a huge
// picture is refused before. Invalid says what is wrong.
func decode(b []byte) (image.Image, int, error) {
	const op, field = "picture.decode", "image"
	if len(b) > MaxBytes {
		return nil, 0, errs.Field(op, field, "the image is larger than %d MiB", MaxBytes>>20)
	}
	cfg, format, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, 0, errs.Field(op, field, "this is no JPEG, PNG, GIF or WebP image, or it is damaged")
	}
	if format == "webp" {
		cfg = larger(cfg, webpFrame(b))
	}
	pixels := int64(cfg.Width) * int64(cfg.Height)
	if deep(cfg.ColorModel) {
		pixels *= 2
	}
	switch {
	case cfg.Width < minSide || cfg.Height < minSide:
		return nil, 0, errs.Field(op, field, "the image is too small: %d x %d", cfg.Width, cfg.Height)
	case cfg.Width > maxSide || cfg.Height > maxSide || pixels > maxPixels:
		return nil, 0, errs.Field(op, field, "the image is too large: %d x %d; send one of at most %d megapixels", cfg.Width, cfg.Height, maxPixels/1_000_000)
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, 0, errs.Field(op, field, "the %s image is damaged", format)
	}
	if size := img.Bounds().Size(); size.X > cfg.Width || size.Y > cfg.Height || size.X < 1 || size.Y < 1 {
		return nil, 0, errs.Field(op, field, "the %s image is damaged", format)
	}
	if format != "jpeg" {
		return img, 1, nil
	}
	return img, orientation(b), nil
}

func deep(m color.Model) bool {
	return m == color.RGBA64Model || m == color.NRGBA64Model || m == color.Gray16Model
}

func larger(a, b image.Config) image.Config {
	a.Width, a.Height = max(a.Width, b.Width), max(a.Height, b.Height)
	return a
}

// webpFrame is the size that the frame within a WebP file gives itself (RFC 9649). The container's canvas, which
// DecodeConfig reports, may be smaller.
func webpFrame(b []byte) (size image.Config) {
	for at := 12; at+8 <= len(b); {
		id, n := string(b[at:at+4]), int(binary.LittleEndian.Uint32(b[at+4:]))
		body := b[at+8:]
		switch {
		case id == "VP8 " && len(body) >= 10:
			size = larger(size, image.Config{
				Width: int(binary.LittleEndian.Uint16(body[6:]) & 0x3fff), Height: int(binary.LittleEndian.Uint16(body[8:]) & 0x3fff),
			})
		case id == "VP8L" && len(body) >= 5:
			bits := binary.LittleEndian.Uint32(body[1:])
			size = larger(size, image.Config{Width: int(bits&0x3fff) + 1, Height: int(bits>>14&0x3fff) + 1})
		}
		if n < 0 || n > len(body) {
			break
		}
		at += 8 + n + n%2
	}
	return size
}
