package playlist

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/media"
)

// micros rounds a position to microseconds. Durations are differences of rounded positions, so that a sum of them is
// off by half a microsecond at most, however long the show.
func micros(t media.Ticks) int64 { return int64(media.Rescale(t, 100, 9)) }

// ceilMicros never says less than t: no part may be longer than PART-TARGET.
func ceilMicros(t media.Ticks) int64 { return (int64(t)*100 + 8) / 9 }

func appendInf(dst []byte, start, end media.Ticks) []byte {
	dst = append(dst, "#EXTINF:"...)
	dst = appendSeconds(dst, micros(end)-micros(start))
	return append(dst, ",\n"...)
}

// appendSeconds writes microseconds as seconds with six decimals.
func appendSeconds(dst []byte, us int64) []byte {
	dst = strconv.AppendInt(dst, us/1_000_000, 10)
	dst = append(dst, '.')
	for div := int64(100_000); div > 0; div /= 10 {
		dst = append(dst, byte('0'+us/div%10))
	}
	return dst
}

// appendShort writes microseconds as seconds without needless zeros: a value that is chosen, not measured.
func appendShort(dst []byte, us int64) []byte {
	dst = appendSeconds(dst, us)
	for dst[len(dst)-1] == '0' && dst[len(dst)-2] != '.' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func appendDate(dst []byte, t time.Time) []byte {
	return t.UTC().Round(time.Millisecond).AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}

func appendInt(dst []byte, tag string, v int64) []byte {
	dst = append(dst, tag...)
	dst = strconv.AppendInt(dst, v, 10)
	return append(dst, '\n')
}

// appendQuoted writes a quoted-string (4.2), which cannot hold a double quote or a line feed and knows no escape, and
// no control character as no playlist line may (4.1). They become what reads best: a prime, a space.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"':
			dst = append(dst, '\'')
		case r < 0x20 || (r >= 0x7F && r < 0xA0):
			dst = append(dst, ' ')
		default:
			dst = utf8.AppendRune(dst, r) // invalid UTF-8 becomes U+FFFD
		}
	}
	return append(dst, '"')
}
