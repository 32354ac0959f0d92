package preview

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"slices"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// maxMasked is how many sheets without what was cut out are remembered: making one costs as much as a hundred that stand on
// the disk, and 64 of them take some 6 MB. One more takes the place of one chosen at random.
const maxMasked = 64

// masks are sheets without the pictures that were cut out of their replays. The zero value is ready. Safe for concurrent use.
type masks struct {
	making singleflight.Group

	mu   sync.Mutex
	made map[string][]byte
}

// get returns a sheet without the pictures that are not in kept. address names what is on it and what is kept.
func (m *masks) get(address string, data []byte, tile size, tiles []int64, kept []media.Span) ([]byte, error) {
	key := fmt.Sprintf("%s %08x %d", address, crc32.ChecksumIEEE(data), len(tiles))
	m.mu.Lock()
	made, ok := m.made[key]
	m.mu.Unlock()
	if ok {
		return made, nil
	}
	v, err, _ := m.making.Do(key, func() (any, error) {
		masked, err := blacken(data, tile, tiles, kept)
		if err == nil {
			m.put(key, masked)
		}
		return masked, err
	})
	if err != nil {
		return nil, err
	}
	return v.([]byte), nil // made above
}

func (m *masks) put(key string, masked []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.made == nil {
		m.made = map[string][]byte{}
	}
	for old := range m.made {
		if len(m.made) < maxMasked {
			break
		}
		delete(m.made, old)
	}
	m.made[key] = masked
}

// blacken takes the tiles from a sheet whose pictures were cut out of the replay, and those of which the storyboard does not
// say yet what they show.
func blacken(data []byte, tile size, tiles []int64, kept []media.Span) ([]byte, error) {
	if len(tiles) >= perSheet && !slices.ContainsFunc(tiles, func(ms int64) bool { return !inside(kept, ms) }) {
		return data, nil
	}
	pic, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	planes, ok := pic.(*image.YCbCr)
	if want := newSheet(tile); !ok || planes.Rect != want.pic.Rect || planes.SubsampleRatio != want.pic.SubsampleRatio {
		return nil, errs.New(errs.Internal, "preview.blacken", "the sheet is of another size than its storyboard says")
	}
	black := bytes.Repeat([]byte{128}, tile.bytes())
	clear(black[:tile.Width*tile.Height])
	s := sheet{tile, planes}
	for n := range perSheet {
		if n >= len(tiles) || !inside(kept, tiles[n]) {
			s.put(n, black)
		}
	}
	return s.jpeg()
}

// without is the loudness of an edited replay: every second of which something was cut out is silence. kept nil: nothing was;
// end is that of the show.
func (d *Loudness) without(kept []media.Span, end media.Ticks) *Loudness {
	if kept == nil {
		return d
	}
	out := *d
	out.LUFS = slices.Clone(d.LUFS)
	for i := range out.LUFS {
		from := media.Ticks(i) * media.TicksPerSecond
		if !within(kept, media.Span{From: from, To: from + media.TicksPerSecond}, end) {
			out.LUFS[i] = noSound
		}
	}
	return &out
}

// silence makes points of a waveform flat of which something was cut out. kept nil: nothing was; end is that of the show.
func silence(points []int8, kept []media.Span, end media.Ticks) []int8 {
	if kept == nil {
		return points
	}
	out := slices.Clone(points)
	const step = media.TicksPerSecond * perPixel / soundRate
	for i := 0; i+1 < len(out); i += 2 {
		from := media.Ticks(i/2) * step
		if !within(kept, media.Span{From: from, To: from + step}, end) {
			out[i], out[i+1] = 0, 0
		}
	}
	return out
}

// within reports whether a span, as far as the show goes, is in one of those that are kept: whole seconds and tenths may reach
// beyond its end.
func within(kept []media.Span, s media.Span, end media.Ticks) bool {
	to := min(s.To, end)
	return slices.ContainsFunc(kept, func(k media.Span) bool { return k.From <= s.From && k.To >= to })
}
