// Package ids makes the identifiers that Vitrine hands out.
package ids

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// Crockford's alphabet in lower case: no letter that is easily mistaken for a digit, safe in URLs and file names.
var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// New returns prefix, an underscore and 80 random bits (16 characters): short enough to read aloud, too many to guess
// by trying. Safe for concurrent use.
func New(prefix string) string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return prefix + "_" + encoding.EncodeToString(b[:])
}

// Secret returns prefix, an underscore and 160 random bits (32 characters), for keys and tokens.
func Secret(prefix string) string {
	var b [20]byte
	_, _ = rand.Read(b[:])
	return prefix + "_" + encoding.EncodeToString(b[:])
}

// Valid reports whether id could have come from New with this prefix. It guards file paths made from identifiers.
func Valid(prefix, id string) bool {
	rest, ok := strings.CutPrefix(id, prefix+"_")
	if !ok || len(rest) != 16 {
		return false
	}
	return strings.Trim(rest, "0123456789abcdefghjkmnpqrstvwxyz") == ""
}

// Ordered is New with the second of an instant in front: 30 bits of time and 50 random ones. Such identifiers grow with time,
// which keeps the index of a busy table to its newest pages; they are as hard to guess as an answer from afar allows to try.
func Ordered(prefix string, at time.Time) string {
	var b [10]byte
	_, _ = rand.Read(b[:])
	seconds := uint32(at.Unix()-orderedFrom) << 2 // wraps after 34 years: then they are in another order, no more
	binary.BigEndian.PutUint32(b[:4], seconds|uint32(b[3]&3))
	return prefix + "_" + encoding.EncodeToString(b[:])
}

// orderedFrom is when the time of Ordered begins: 2020-01-01 UTC.
const orderedFrom = 1_577_836_800

// Of returns the identifier with this prefix that stands for a text: the same each time, and another one for any other text
// (80 bits of its SHA-256). What is made under it twice is made once.
func Of(prefix, text string) string {
	sum := sha256.Sum256([]byte(text))
	return prefix + "_" + encoding.EncodeToString(sum[:10])
}
