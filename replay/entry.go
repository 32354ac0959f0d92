package replay

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash/crc32"
	"strconv"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// indexVersion is the version of the index that this package writes. A reader refuses later ones and skips types of
// entries that it does not know.
const indexVersion = 1

// The types of index entries.
const (
	entryMeta    = "meta"    // the first: version and show
	entryTarget  = "target"  // the target duration, once it is decided, and the part target
	entryEpoch   = "epoch"   // a new mapping of show time to the wall clock
	entryInit    = "init"    // an initialization segment whose file is complete
	entryPart    = "part"    // bytes that stand in the file of an open segment
	entrySegment = "segment" // a complete segment
	entryGap     = "gap"     // a segment whose media is missing
	entryEnd     = "end"     // the show is over
	entryLost    = "lost"    // no good copy is left of a complete segment: it is a gap
	entryFound   = "found"   // one turned up again
)

// entry is one line of an index: a JSON object whose last member, c, is the CRC-32C of everything before it. Lines are
// self-contained, so that one that is damaged takes no other with it. Times are in ticks, wall in Unix milliseconds.
type entry struct {
	Type string

	// meta
	Version int
	Show    string

	// target
	TargetDuration int
	PartTarget     media.Ticks

	// init
	Codecs  string
	Width   int
	Height  int
	Reorder media.Ticks
	FPS     float64

	// epoch (start and wall), part, segment, gap
	MSN           int64
	Start         media.Ticks
	Duration      media.Ticks // of the part in a part entry
	Wall          int64
	Init          int // its number, also in an init entry
	Discontinuity bool
	Independent   bool // of the segment

	// part
	Part            int
	Offset          int64
	PartIndependent bool

	Size int64  // of the bytes of an init, part or segment
	CRC  uint32 // CRC-32C of the bytes of an init or part

	// Durable is how many segments from the first on were known to be on the disk, not only handed to the system, when
	// a segment, gap or end entry was written. After a crash, bytes of later ones are checked against their CRC.
	Durable int64
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// line builds an index line by hand: two a second for every publisher make reflection a cost worth saving.
type line []byte

func newLine(dst []byte, typ string) line {
	return append(append(append(line(dst), `{"type":"`...), typ...), '"')
}

func (l line) int(name string, v int64) line {
	l = append(append(append(l, `,"`...), name...), `":`...)
	return strconv.AppendInt(l, v, 10)
}

func (l line) float(name string, v float64) line {
	l = append(append(append(l, `,"`...), name...), `":`...)
	return strconv.AppendFloat(l, v, 'g', -1, 64)
}

// str writes a string that may need escapes.
func (l line) str(name, v string) line {
	quoted, _ := json.Marshal(v) // a string always can be
	l = append(append(append(l, `,"`...), name...), `":`...)
	return append(l, quoted...)
}

func (l line) flag(name string, v bool) line {
	if !v {
		return l
	}
	return append(append(append(l, `,"`...), name...), `":true`...)
}

// sealSize is what seal adds before the line feed.
const sealSize = len(`,"c":"00000000"}`)

// seal closes the object with its checksum and ends the line. start is where the line begins in l.
func (l line) seal(start int) []byte {
	sum := binary.BigEndian.AppendUint32(nil, checksum(l[start:]))
	l = append(l, `,"c":"`...)
	l = hex.AppendEncode(l, sum)
	return append(l, `"}`+"\n"...)
}

// checkLine reports whether b, a line without its line feed, is whole and unharmed.
func checkLine(b []byte) bool {
	n := len(b) - sealSize
	if n < 0 || !bytes.HasPrefix(b[n:], []byte(`,"c":"`)) || !bytes.HasSuffix(b, []byte(`"}`)) {
		return false
	}
	var sum [4]byte
	if _, err := hex.Decode(sum[:], b[n+6:n+14]); err != nil {
		return false
	}
	return binary.BigEndian.Uint32(sum[:]) == checksum(b[:n])
}

// isPart tells part entries, most of an index, from others without parsing them.
func isPart(b []byte) bool { return bytes.HasPrefix(b, []byte(`{"type":"`+entryPart+`"`)) }

func appendMeta(show string) []byte {
	return newLine(nil, entryMeta).int("version", indexVersion).str("show", show).seal(0)
}

func appendTarget(seconds int, part media.Ticks) []byte {
	return newLine(nil, entryTarget).int("target_duration", int64(seconds)).int("part_target", int64(part)).seal(0)
}

func appendEpoch(e media.Epoch) []byte {
	return newLine(nil, entryEpoch).int("start", int64(e.ShowTime)).int("wall", unixMilli(e.Wall)).seal(0)
}

func appendInit(in *playlist.Init, data []byte) []byte {
	return newLine(nil, entryInit).int("init", int64(in.Number)).str("codecs", in.Codecs).
		int("width", int64(in.Width)).int("height", int64(in.Height)).int("reorder", int64(in.Reorder)).float("fps", in.FrameRate).
		int("size", int64(len(data))).int("crc", int64(checksum(data))).seal(0)
}

// appendPart appends the line of a part behind dst.
func appendPart(dst []byte, s *playlist.Segment, p *playlist.Part, crc uint32) []byte {
	return newLine(dst, entryPart).segment(s).int("part", int64(p.Index)).int("dur", int64(p.Duration)).
		int("off", p.Offset).int("size", p.Size).flag("part_ind", p.Independent).int("crc", int64(crc)).seal(len(dst))
}

// appendSegment makes the line of a segment that is complete or a gap.
func appendSegment(s *playlist.Segment, durable int64) []byte {
	typ := entrySegment
	if s.Gap {
		typ = entryGap
	}
	return newLine(nil, typ).segment(s).int("dur", int64(s.Duration)).int("size", s.Size).int("durable", durable).seal(0)
}

func appendEnd(durable int64) []byte {
	return newLine(nil, entryEnd).int("durable", durable).seal(0)
}

func (l line) segment(s *playlist.Segment) line {
	return l.int("msn", s.MSN).int("start", int64(s.Start)).int("wall", unixMilli(s.Wall)).
		int("init", int64(s.Init)).flag("disc", s.Discontinuity).flag("ind", s.Independent)
}

// segment is the segment that a segment, gap or part entry speaks of, without parts.
func (e *entry) segment() playlist.Segment {
	s := playlist.Segment{
		MSN: e.MSN, Start: e.Start, Wall: fromUnixMilli(e.Wall), Init: e.Init,
		Discontinuity: e.Discontinuity, Independent: e.Independent, Gap: e.Type == entryGap,
	}
	if e.Type != entryPart {
		s.Duration, s.Size = e.Duration, e.Size
	}
	return s
}

func (e *entry) part() playlist.Part {
	return playlist.Part{
		Index: e.Part, Duration: e.Duration, Independent: e.PartIndependent, Offset: e.Offset, Size: e.Size,
	}
}

func unixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromUnixMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
