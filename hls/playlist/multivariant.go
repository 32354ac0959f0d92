package playlist

import "strconv"

// Multivariant is a multivariant playlist (4.4.6) with one variant stream. Fields that are zero are left out, but for
// URI and Bandwidth, which are required.
type Multivariant struct {
	URI              string  // of the media playlist
	Bandwidth        int     // peak segment bit rate in bit/s: no segment may exceed it
	AverageBandwidth int     // bit/s
	Codecs           string  // RFC 6381
	Width, Height    int     // pixels
	FrameRate        float64 // the highest of the stream, per second
	Independent      bool    // EXT-X-INDEPENDENT-SEGMENTS for all segments
	Container        Container
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
	dst = append(dst, "#EXT-X-STREAM-INF:BANDWIDTH="...)
	dst = strconv.AppendInt(dst, int64(m.Bandwidth), 10)
	if m.AverageBandwidth > 0 {
		dst = append(dst, ",AVERAGE-BANDWIDTH="...)
		dst = strconv.AppendInt(dst, int64(m.AverageBandwidth), 10)
	}
	if m.Codecs != "" {
		dst = append(dst, ",CODECS="...)
		dst = appendQuoted(dst, m.Codecs)
	}
	if m.Width > 0 && m.Height > 0 {
		dst = append(dst, ",RESOLUTION="...)
		dst = strconv.AppendInt(dst, int64(m.Width), 10)
		dst = append(dst, 'x')
		dst = strconv.AppendInt(dst, int64(m.Height), 10)
	}
	if m.FrameRate > 0 {
		dst = append(dst, ",FRAME-RATE="...)
		dst = strconv.AppendFloat(dst, m.FrameRate, 'f', 3, 64)
	}
	dst = append(dst, '\n')
	dst = append(dst, m.URI...)
	return append(dst, '\n')
}
