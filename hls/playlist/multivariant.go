package playlist

import "strconv"

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
