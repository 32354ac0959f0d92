package preview

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// The binary form of waveforms that audiowaveform writes and peaks.js reads, version 2: little-endian words, then points.
const (
	waveVersion   = 2
	wave8Bit      = 1 // flag
	waveHeader    = 24
	waveChannels  = 1
	maxWavePoints = 100 * 3600 * 10 // a hundred hours
)

// appendWaveform renders points, which are the lowest and highest of each.
func appendWaveform(b []byte, points []int8) []byte {
	for _, v := range []uint32{waveVersion, wave8Bit, soundRate, perPixel, uint32(len(points) / 2), waveChannels} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	for _, v := range points {
		b = append(b, byte(v))
	}
	return b
}

// parseWaveform reads what appendWaveform wrote.
func parseWaveform(b []byte) (points []int8, ok bool) {
	if len(b) < waveHeader {
		return nil, false
	}
	word := func(n int) uint32 { return binary.LittleEndian.Uint32(b[4*n:]) }
	n := word(4)
	if word(0) != waveVersion || word(1) != wave8Bit || word(2) != soundRate || word(3) != perPixel || word(5) != waveChannels ||
		n > maxWavePoints || len(b) != waveHeader+2*int(n) {
		return nil, false
	}
	points = make([]int8, 2*n)
	for i, v := range b[waveHeader:] {
		points[i] = int8(v)
	}
	return points, true
}

// waveformJSON is the same as JSON, as audiowaveform writes it.
func waveformJSON(points []int8) []byte {
	var b strings.Builder
	b.Grow(128 + 4*len(points))
	b.WriteString(`{"version":2,"channels":1,"sample_rate":` + strconv.Itoa(soundRate) + `,"samples_per_pixel":` + strconv.Itoa(perPixel) +
		`,"bits":8,"length":` + strconv.Itoa(len(points)/2) + `,"data":[`)
	for i, v := range points {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(int(v)))
	}
	b.WriteString("]}")
	return []byte(b.String())
}

// hasSound reports whether a list of codecs (RFC 6381) has sound.
func hasSound(codecs string) bool {
	for c := range strings.SplitSeq(codecs, ",") {
		for _, prefix := range []string{"mp4a", "opus", "Opus", "ac-3", "ec-3", "fLaC"} {
			if strings.HasPrefix(c, prefix) {
				return true
			}
		}
	}
	return false
}
