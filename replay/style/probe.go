package style

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/vitrine-live/vitrine/internal/bmff"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay/mp4"
)

// facts are what has to be known of a file before it is decoded.
type facts struct {
	width, height int     // of the largest picture in it
	changes       bool    // of the picture's size within it
	fps           float64 // the usual one; 0: it has no steady rate
	untagged      bool    // the picture does not say which colours it means
	audio         bool
	seconds       float64 // as the movie's header says
}

// visualFields is what a visual sample entry has before its boxes, with its own header (ISO 14496-12, 12.1.3).
const visualFields = 86

// maxHeader is how large the index of a film may be: hours of samples take a few megabytes.
const maxHeader = 64 << 20

// probe reads the index of an MP4 file. Invalid names the field.
func probe(field, path string) (facts, error) {
	const op = "style.probe"
	f, err := os.Open(path)
	if err != nil {
		return facts{}, errs.As(errs.Internal, op, err, "the media of the clip is not there")
	}
	defer f.Close()
	moov, err := readMoov(f)
	if err != nil {
		return facts{}, errs.Field(op, field, "this is no MP4 file: %v", err)
	}
	var out facts
	if b := bmff.Find(moov, "mvhd"); len(b) >= 20 {
		out.seconds = duration(b)
	}
	_ = bmff.Each(moov, func(b bmff.Box) error { // what is damaged holds nothing
		if b.Is("trak") {
			out.track(bmff.Find(b.Body(), "mdia"))
		}
		return nil
	})
	return out, nil
}

// track reads the media box of a track (8.4).
func (f *facts) track(mdia []byte) {
	handler := bmff.Find(mdia, "hdlr")
	if len(handler) < 12 {
		return
	}
	switch string(handler[8:12]) {
	case "soun":
		f.audio = true
	case "vide":
		if f.width == 0 {
			f.video(mdia)
		}
	}
}

// readMoov finds the moov box of a file and reads what is in it.
func readMoov(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	head := make([]byte, 16)
	for at, size := int64(0), info.Size(); at < size; {
		n, err := f.ReadAt(head, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		h, err := bmff.ReadHeader(head[:n], size-at)
		if err != nil {
			return nil, err
		}
		if !h.Is("moov") {
			at += h.Size
			continue
		}
		if h.Size > maxHeader {
			return nil, fmt.Errorf("an index of %d bytes", h.Size)
		}
		b := make([]byte, h.Size-h.Len)
		_, err = f.ReadAt(b, at+h.Len)
		return b, err
	}
	return nil, errors.New("no index")
}

// duration reads mvhd (8.2.2).
func duration(b []byte) float64 {
	if b[0] == 1 && len(b) >= 32 {
		return float64(binary.BigEndian.Uint64(b[24:])) / float64(max(1, binary.BigEndian.Uint32(b[20:])))
	}
	return float64(binary.BigEndian.Uint32(b[16:])) / float64(max(1, binary.BigEndian.Uint32(b[12:])))
}

// video reads the sample entries (12.1.3) and the rate of a track.
func (f *facts) video(mdia []byte) {
	stbl := bmff.Find(mdia, "minf", "stbl")
	stsd := bmff.Find(stbl, "stsd")
	if len(stsd) < 8 {
		return
	}
	first := true
	for entries := stsd[8:]; len(entries) > 0; {
		entry, rest, err := bmff.Next(entries)
		if err != nil || len(entry) < visualFields {
			break
		}
		w, h := mp4.Dimensions(entry)
		f.changes = f.changes || !first && (w != f.width || h != f.height)
		if w*h > f.width*f.height {
			f.width, f.height = w, h
		}
		if avcC := bmff.Find(entry[visualFields:], "avcC"); first && avcC != nil {
			f.untagged = !tagged(avcC)
		}
		first, entries = false, rest
	}
	f.fps = rate(bmff.Find(stbl, "stts"), timescale(bmff.Find(mdia, "mdhd")))
}

func timescale(mdhd []byte) float64 {
	switch {
	case len(mdhd) >= 24 && mdhd[0] == 1:
		return float64(binary.BigEndian.Uint32(mdhd[20:]))
	case len(mdhd) >= 16:
		return float64(binary.BigEndian.Uint32(mdhd[12:]))
	}
	return 0
}

// tagged reports whether an AVCDecoderConfigurationRecord (ISO 14496-15, 5.3.3) names the matrix of its colours.
func tagged(avcC []byte) bool {
	if len(avcC) < 8 || avcC[5]&31 == 0 {
		return false
	}
	n := int(binary.BigEndian.Uint16(avcC[6:]))
	var sps h264.SPS
	if 8+n > len(avcC) || sps.Unmarshal(avcC[8:8+n]) != nil || sps.VUI == nil {
		return false
	}
	const unspecified = 2
	return sps.VUI.ColourDescriptionPresentFlag && sps.VUI.MatrixCoefficients != unspecified
}

// rate is the frame rate that most of the samples have (8.6.1.2), 0 when fewer than six in ten agree, to a tenth.
func rate(stts []byte, scale float64) float64 {
	if len(stts) < 8 || scale == 0 {
		return 0
	}
	total, counts := 0, map[uint32]int{}
	for b := stts[8:]; len(b) >= 8; b = b[8:] {
		n, delta := int(binary.BigEndian.Uint32(b)), binary.BigEndian.Uint32(b[4:])
		total, counts[delta] = total+n, counts[delta]+n
	}
	best := uint32(0)
	for delta, n := range counts {
		if delta > 0 && n > counts[best] {
			best = delta
		}
	}
	near := 0
	for delta, n := range counts {
		if float64(delta) > 0.9*float64(best) && float64(delta) < 1.1*float64(best) {
			near += n
		}
	}
	if best == 0 || near*10 < total*6 {
		return 0
	}
	return scale / float64(best)
}

// rates are those that players and editors expect, as ffmpeg writes them.
var rates = []struct {
	fps  float64
	text string
}{
	{15, "15"},
	{20, "20"},
	{24000.0 / 1001, "24000/1001"},
	{24, "24"},
	{25, "25"},
	{30000.0 / 1001, "30000/1001"},
	{30, "30"},
	{50, "50"},
	{60000.0 / 1001, "60000/1001"},
	{60, "60"},
}

// steady is the rate that a clip gets: the source's own where it is a usual one, else 30.
func (f *facts) steady() (fps float64, text string) {
	fps, text, closest := 30, "30", 0.02
	for _, r := range rates {
		if off := max(f.fps/r.fps, r.fps/max(f.fps, 1e-9)) - 1; off < closest {
			fps, text, closest = r.fps, r.text, off
		}
	}
	return fps, text
}
