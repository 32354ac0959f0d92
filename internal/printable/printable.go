// Package printable cuts what strangers call themselves to what fits a log line.
package printable

import (
	"strings"
	"unicode"
)

// most is the longest text, in bytes.
const most = 120

// Clip returns the printable characters of s, at most 120 bytes of them, as valid UTF-8.
func Clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
