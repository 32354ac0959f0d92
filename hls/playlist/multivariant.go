package playlist

import (
	"slices"
	"strconv"
	"strings"
)

// Multivariant is a multivariant playlist (4.4.6).
type Multivariant struct {
	Independent bool // EXT-X-INDEPENDENT-SEGMENTS for all segments of all variants
	Container   Container
	Variants    []Variant // at least one; players tend to begin with the first
}

// Variant is one variant stream (4.4.6.2). Fields that are zero are left out, but for URI and Bandwidth, which are
// required.
type Variant struct {
	URI              string  // of the media playlist
	Bandwidth        int     // peak segment bit rate in bit/s: no segment may exceed it
	AverageBandwidth int     // bit/s
	Codecs           string  // RFC 6381
	Width, Height    int     // pixels
	FrameRate        float64 // the highest of the stream, per second
}

// VariantOf describes a stream by its initialization segments: every format that it has anywhere (RFC 6381), each once, its
// largest picture and its highest frame rate. URI and the bit rates are left to be filled in.
func VariantOf(inits []Init) (v Variant) {
	var codecs []string
	for _, in := range inits {
		for codec := range strings.SplitSeq(in.Codecs, ",") {
			if codec != "" && !slices.Contains(codecs, codec) {
				codecs = append(codecs, codec)
			}
		}
		if in.Width*in.Height > v.Width*v.Height {
			v.Width, v.Height = in.Width, in.Height
		}
		v.FrameRate = max(v.FrameRate, in.FrameRate)
	}
	v.Codecs = strings.Join(codecs, ",")
	return v
}

// Independent reports whether every segment can be decoded by itself; gaps do not count.
func Independent(segments []Segment) bool {
	return !slices.ContainsFunc(segments, func(s Segment) bool { return !s.Independent && !s.Gap })
}

// Append renders the playlist behind dst.
func (m *Multivariant) Append(dst []byte) []byte {
	dst = append(dst, "#EXTM3U\n"...)
	version := int64(6)
	if m.Container == TS {
		version = 3
	}
	dst = appendInt(dst, "#EXT-X-VERSION:", version)
	if m.Independent {
		dst = append(dst, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	}
	for i := range m.Variants {
		dst = m.Variants[i].append(dst)
	}
	return dst
}

func (v *Variant) append(dst []byte) []byte {
	dst = append(dst, "#EXT-X-STREAM-INF:BANDWIDTH="...)
	dst = strconv.AppendInt(dst, int64(v.Bandwidth), 10)
	if v.AverageBandwidth > 0 {
		dst = append(dst, ",AVERAGE-BANDWIDTH="...)
		dst = strconv.AppendInt(dst, int64(v.AverageBandwidth), 10)
	}
	if v.Codecs != "" {
		dst = append(dst, ",CODECS="...)
		dst = appendQuoted(dst, v.Codecs)
	}
	if v.Width > 0 && v.Height > 0 {
		dst = append(dst, ",RESOLUTION="...)
		dst = strconv.AppendInt(dst, int64(v.Width), 10)
		dst = append(dst, 'x')
		dst = strconv.AppendInt(dst, int64(v.Height), 10)
	}
	if v.FrameRate > 0 {
		dst = append(dst, ",FRAME-RATE="...)
		dst = strconv.AppendFloat(dst, v.FrameRate, 'f', 3, 64)
	}
	dst = append(dst, '\n')
	dst = append(dst, v.URI...)
	return append(dst, '\n')
}
