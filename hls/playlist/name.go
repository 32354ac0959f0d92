package playlist

import (
	"strconv"
	"strings"
)

// Container is how the media of a playlist is packed.
type Container uint8

const (
	// CMAF is fragmented MP4 with initialization segments and partial segments.
	CMAF Container = iota
	// TS is MPEG-TS: the same segments under the same numbers, without initialization segments and parts.
	TS
)

// FileKind is what a file of a show holds.
type FileKind uint8

// The kinds of files of a show.
const (
	InitFile    FileKind = iota + 1 // init-{n}.mp4
	SegmentFile                     // {msn}.m4s
	PartFile                        // {msn}.{part}.m4s
	TSFile                          // {msn}.ts
)

// Name is the name of one file of a show. The same name means the same bytes in live and replay.
type Name struct {
	Kind FileKind
	Init int   // InitFile
	MSN  int64 // the others
	Part int   // PartFile
}

// InitName names initialization segment n.
func InitName(n int) string { return string(appendInitName(nil, n)) }

// SegmentName names segment msn in container c.
func SegmentName(msn int64, c Container) string { return string(appendSegmentName(nil, msn, c)) }

// PartName names part i of segment msn.
func PartName(msn int64, i int) string { return string(appendPartName(nil, msn, i)) }

// ParseName is the inverse of the three above. ok is false for every other name, also for numbers that are not
// written as those write them ("01.m4s"): one file has one name.
func ParseName(s string) (n Name, ok bool) {
	if rest, found := strings.CutSuffix(s, ".m4s"); found {
		msn, part, isPart := strings.Cut(rest, ".")
		n.Kind = SegmentFile
		if isPart {
			n.Kind = PartFile
			i, valid := parseNumber(part)
			if !valid || i > 1<<20 {
				return Name{}, false
			}
			n.Part = int(i)
		}
		n.MSN, ok = parseNumber(msn)
	} else if rest, found := strings.CutSuffix(s, ".ts"); found {
		n.Kind = TSFile
		n.MSN, ok = parseNumber(rest)
	} else if rest, found := strings.CutSuffix(s, ".mp4"); found {
		if rest, found = strings.CutPrefix(rest, "init-"); found {
			var i int64
			i, ok = parseNumber(rest)
			n.Kind, n.Init = InitFile, int(i)
		}
	}
	if !ok {
		return Name{}, false
	}
	return n, true
}

func parseNumber(s string) (int64, bool) {
	if s == "" || len(s) > 15 || (s[0] == '0' && s != "0") || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	v, err := strconv.ParseInt(s, 10, 64)
	return v, err == nil
}

func appendInitName(dst []byte, n int) []byte {
	dst = append(dst, "init-"...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, ".mp4"...)
}

func appendSegmentName(dst []byte, msn int64, c Container) []byte {
	dst = strconv.AppendInt(dst, msn, 10)
	if c == TS {
		return append(dst, ".ts"...)
	}
	return append(dst, ".m4s"...)
}

func appendPartName(dst []byte, msn int64, i int) []byte {
	dst = strconv.AppendInt(dst, msn, 10)
	dst = append(dst, '.')
	dst = strconv.AppendInt(dst, int64(i), 10)
	return append(dst, ".m4s"...)
}
