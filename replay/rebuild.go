package replay

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/atomicfile"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// IndexDamage is what is wrong with an index. The zero value is nothing.
type IndexDamage struct {
	Lines    int     // torn, or differ from their checksum
	Missing  []int64 // segments of which no line is left
	Unproven []int64 // segments with lines missing: not all of their bytes have a sum
	Inits    []int   // initialization segments that segments need and no line describes
}

// Any reports whether anything is wrong.
func (d *IndexDamage) Any() bool {
	return d.Lines+len(d.Missing)+len(d.Unproven)+len(d.Inits) > 0
}

// String tells it in words.
func (d *IndexDamage) String() string {
	var words []string
	for _, w := range []struct {
		n    int
		text string
	}{
		{d.Lines, "damaged lines"},
		{len(d.Missing), "segments that no line tells of"},
		{len(d.Unproven), "segments of which lines are missing"},
		{len(d.Inits), "initialization segments that no line describes"},
	} {
		if w.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", w.n, w.text))
		}
	}
	return strings.Join(words, ", ")
}

// InspectIndex looks for damage of an index. Of a show that is not over the last line may be half written, and the last segment
// open.
func InspectIndex(index []byte) IndexDamage {
	x := parseIndex(index)
	d := IndexDamage{Lines: x.bad}
	if !x.ended && x.torn {
		d.Lines--
	}
	if len(x.lines) == 0 {
		d.Lines = max(d.Lines, 1) // not even the one that begins it
	}
	known := map[int]bool{}
	for i := range x.lines {
		if e := &x.lines[i].entry; e.Type == entryInit {
			known[e.Init] = true
		}
	}
	first, last := x.bounds()
	for msn := first; msn <= last; msn++ {
		g := x.groups[msn]
		switch {
		case g == nil:
			d.Missing = append(d.Missing, msn)
			continue
		case !g.proven() && (x.ended || msn < last):
			d.Unproven = append(d.Unproven, msn)
		}
		if n := g.head().Init; !g.gap() && !known[n] && !slices.Contains(d.Inits, n) {
			d.Inits = append(d.Inits, n)
		}
	}
	return d
}

// indexLine is a good line.
type indexLine struct {
	entry
	raw []byte // with its line feed
}

// lineGroup are the lines of one segment. It has one at least.
type lineGroup struct {
	parts []indexLine // in order
	whole *indexLine  // of the segment or the gap; nil: it is missing
}

func (g *lineGroup) gap() bool { return g.whole != nil && g.whole.Type == entryGap }

// head is an entry with what all lines of a segment say.
func (g *lineGroup) head() *entry {
	if g.whole != nil {
		return &g.whole.entry
	}
	return &g.parts[0].entry
}

// sum is how many bytes the parts prove, from the first one on without a hole.
func (g *lineGroup) sum() (n int64) {
	for i := range g.parts {
		if p := &g.parts[i]; p.Offset != n || p.Size <= 0 {
			break
		}
		n += g.parts[i].Size
	}
	return n
}

// proven reports whether all lines are there.
func (g *lineGroup) proven() bool { return g.gap() || g.whole != nil && g.sum() == g.whole.Size }

// parsedIndex are the good lines of an index.
type parsedIndex struct {
	lines  []indexLine
	groups map[int64]*lineGroup
	bad    int
	torn   bool // the last line is
	ended  bool
}

func parseIndex(index []byte) *parsedIndex {
	x := &parsedIndex{}
	for l := range bytes.Lines(index) {
		body, whole := bytes.CutSuffix(l, []byte("\n"))
		e, err := entry{}, errLine
		if whole && len(body) <= maxLine && checkLine(body) {
			e, err = parseLine(body)
		}
		if err != nil {
			x.bad++
			x.torn = !whole
			continue
		}
		x.lines = append(x.lines, indexLine{e, l})
	}
	x.group()
	return x
}

// maxGroups bounds the segments of an index that is looked at: a recording of ten days.
const maxGroups = 1 << 20

func (x *parsedIndex) group() {
	x.groups = map[int64]*lineGroup{}
	for i := range x.lines {
		l := &x.lines[i]
		x.ended = x.ended || l.Type == entryEnd
		if l.Type != entryPart && l.Type != entrySegment && l.Type != entryGap || l.MSN < 0 || l.MSN > maxGroups {
			continue
		}
		g := x.groups[l.MSN]
		if g == nil {
			g = &lineGroup{}
			x.groups[l.MSN] = g
		}
		if l.Type == entryPart {
			g.parts = append(g.parts, *l)
		} else {
			g.whole = l
		}
	}
	for _, g := range x.groups {
		slices.SortStableFunc(g.parts, func(a, b indexLine) int { return cmp.Compare(a.Offset, b.Offset) })
	}
}

// bounds are the first and the last segment; the last is before the first when there is none. A show begins with segment 0.
func (x *parsedIndex) bounds() (first, last int64) {
	last = -1
	for msn := range x.groups {
		last = max(last, msn)
	}
	return 0, last
}

// merge takes up good lines of a copy of the same index. Both have them in the order in which they were written.
func (x *parsedIndex) merge(other *parsedIndex) {
	at := map[string]int{}
	for i := range other.lines {
		at[string(other.lines[i].raw)] = i
	}
	var merged []indexLine
	next := 0
	for _, l := range x.lines {
		if i, both := at[string(l.raw)]; both && i >= next {
			merged = append(merged, other.lines[next:i]...)
			next = i + 1
		} else if both {
			continue // was taken up already
		}
		merged = append(merged, l)
	}
	x.lines = append(merged, other.lines[next:]...)
	x.group()
}

// RebuildIndex makes an index of what is left of one: of its good lines, those of a copy (nil: there is none), and of the media
// itself, which read gives by its name, NotFound for what is not there. What the lines say of media that is still there holds;
// of segments that they do not tell of, the media must agree with its neighbours in time. What nothing is left of becomes a gap.
// done tells what was found where. Conflict: the show is not over, or nothing better can be made of it.
func RebuildIndex(showID string, index, other []byte, read func(name string) ([]byte, error)) (rebuilt []byte, done []string, err error) {
	const op = "replay.RebuildIndex"
	damage := InspectIndex(index)
	x := parseIndex(index)
	if other != nil {
		x.merge(parseIndex(other))
	}
	if !x.ended {
		return nil, nil, errs.New(errs.Conflict, op, "no line says that the show is over: its index is its recorder's alone")
	}
	r := rebuilder{parsedIndex: x, read: read}
	if err := r.run(showID); err != nil {
		return nil, nil, errs.Wrap(op, err)
	}
	left := InspectIndex(r.out)
	if left.Lines > 0 || len(left.Missing) > len(damage.Missing) || len(left.Inits) > len(damage.Inits) || !keeps(index, r.out) {
		return nil, nil, errs.New(errs.Conflict, op, "nothing better can be made of the index")
	}
	return r.out, r.done, nil
}

// keeps reports whether an index says all that another one could prove.
func keeps(before, after []byte) bool {
	then, now := parseIndex(before), parseIndex(after)
	for msn, g := range then.groups {
		n := now.groups[msn]
		switch {
		case n == nil || g.gap() && !n.gap() || g.proven() && !n.proven():
			return false
		case g.proven() && !slices.EqualFunc(g.parts, n.parts, func(a, b indexLine) bool { return bytes.Equal(a.raw, b.raw) }):
			return false
		}
	}
	said := map[string]bool{}
	for i := range now.lines {
		said[string(now.lines[i].raw)] = true
	}
	return !slices.ContainsFunc(then.lines, func(l indexLine) bool { return l.Type != entryPart && !said[string(l.raw)] })
}

// rebuilder writes an index anew.
type rebuilder struct {
	*parsedIndex
	read func(name string) ([]byte, error)
	out  []byte
	done []string

	epochs []media.Epoch
	next   int64         // segment
	begun  int64         // segment whose parts are written already
	prev   *entry        // the segment before
	inits  map[int]entry // described so far
	sounds map[int]lead  // what their times are read by
}

func (r *rebuilder) tell(format string, args ...any) {
	r.done = append(r.done, fmt.Sprintf(format, args...))
}

func (r *rebuilder) run(showID string) error {
	r.inits, r.sounds, r.begun = map[int]entry{}, map[int]lead{}, -1
	for i := range r.lines {
		switch e := &r.lines[i].entry; e.Type {
		case entryEpoch:
			r.epochs = append(r.epochs, media.Epoch{ShowTime: e.Start, Wall: fromUnixMilli(e.Wall)})
		case entryInit:
			r.inits[e.Init] = *e
		}
	}
	meta := slices.IndexFunc(r.lines, func(l indexLine) bool { return l.Type == entryMeta })
	if meta < 0 {
		r.out = appendMeta(showID)
	} else {
		r.out = slices.Clone(r.lines[meta].raw)
	}
	for i := range r.lines {
		l := &r.lines[i]
		var err error
		switch l.Type {
		case entryMeta: // first of all
		case entryPart:
			err = r.begin(l.MSN)
		case entrySegment, entryGap:
			err = r.upTo(l.MSN)
		case entryEnd:
			if err = r.rest(); err == nil {
				r.out = append(r.out, l.raw...)
			}
		default:
			r.out = append(r.out, l.raw...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// upTo writes the segments that were not written yet, up to one.
func (r *rebuilder) upTo(msn int64) error {
	for ; r.next <= msn; r.next++ {
		if err := r.segment(r.next); err != nil {
			return err
		}
	}
	return nil
}

// begin writes the lines of a segment's parts where they stand, if nothing of it is missing: an index of which nothing is lost
// stays as it is.
func (r *rebuilder) begin(msn int64) error {
	g := r.groups[msn]
	if g == nil || g.gap() || !g.proven() || r.next > msn || r.begun == msn {
		return nil
	}
	if err := r.upTo(msn - 1); err != nil {
		return err
	}
	r.begun = msn
	return r.parts(g)
}

func (r *rebuilder) parts(g *lineGroup) error {
	if !g.gap() {
		if err := r.describe(g.head().Init); err != nil {
			return err
		}
	}
	for i := range g.parts {
		r.out = append(r.out, g.parts[i].raw...)
	}
	return nil
}

// rest writes what is left at the end: segments whose lines are damaged but for those of parts, or whose files are there.
func (r *rebuilder) rest() error {
	_, last := r.bounds()
	if err := r.upTo(last); err != nil {
		return err
	}
	for {
		_, err := r.read(playlist.SegmentName(r.next, playlist.CMAF))
		if errs.KindOf(err) == errs.NotFound {
			return nil
		}
		if err == nil {
			err = r.segment(r.next)
		}
		if err != nil {
			return err
		}
		r.next++
	}
}

// segment writes the lines of one segment.
func (r *rebuilder) segment(msn int64) error {
	g := r.groups[msn]
	if g == nil || !g.proven() {
		made, err := r.fromMedia(msn, g)
		if err != nil {
			return err
		}
		switch {
		case made != nil:
			g = made
		case g == nil:
			g = r.hole(msn)
		}
	}
	if g == nil {
		return nil
	}
	if r.begun != msn {
		if err := r.parts(g); err != nil {
			return err
		}
	}
	head := *g.head()
	if g.whole != nil {
		r.out = append(r.out, g.whole.raw...)
	} else {
		head.Duration, head.Size = 0, 0
		for i := range g.parts {
			head.Duration += g.parts[i].Duration
		}
	}
	r.prev = &head
	return nil
}

// hole is a gap where nothing is left of a segment; nil when nobody knows how long it was.
func (r *rebuilder) hole(msn int64) *lineGroup {
	after, n := r.following(msn)
	if r.prev == nil || after == nil {
		return nil
	}
	s := playlist.Segment{MSN: msn, Start: r.prev.Start + r.prev.Duration, Init: r.prev.Init, Independent: true, Gap: true}
	s.Duration = max(0, after.Start-s.Start) / media.Ticks(n)
	s.Wall = fromUnixMilli(r.prev.Wall)
	if !s.Wall.IsZero() {
		s.Wall = s.Wall.Add(r.prev.Duration.Duration())
	}
	r.tell("segment %d is lost with its lines: it is a gap now", msn)
	return &lineGroup{whole: lineOf(appendSegment(&s, 0))}
}

// following is the next segment of which there are lines, and how many segments further it is.
func (r *rebuilder) following(msn int64) (*entry, int64) {
	_, last := r.bounds()
	for n := int64(1); msn+n <= last; n++ {
		if g := r.groups[msn+n]; g != nil {
			return g.head(), n
		}
	}
	return nil, 0
}

// describe writes the line of an initialization segment whose own is gone, if another one is the same: an encoder that comes back
// sends what it sent before.
func (r *rebuilder) describe(n int) error {
	if _, ok := r.inits[n]; ok {
		return nil
	}
	data, err := r.read(playlist.InitName(n))
	if errs.KindOf(err) == errs.NotFound {
		return nil
	} else if err != nil {
		return err
	}
	for _, e := range r.inits {
		if e.Size != int64(len(data)) || e.CRC != checksum(data) {
			continue
		}
		e.Init = n
		r.inits[n] = e
		r.out = append(r.out, appendInit(&playlist.Init{
			Number: n, Codecs: e.Codecs, Width: e.Width, Height: e.Height, Reorder: e.Reorder, FrameRate: e.FPS,
		}, data)...)
		r.tell("initialization segment %d is described like one of the same bytes", n)
		return nil
	}
	return nil
}

// lineOf parses a line that was just made.
func lineOf(raw []byte) *indexLine {
	e, _ := parseLine(bytes.TrimSuffix(raw, []byte("\n"))) // what the writers write can be parsed
	return &indexLine{e, raw}
}

// ReplaceIndex puts an index in the place of the one in a show's folder, which stays beside it under the name that is returned.
func ReplaceIndex(dir string, index []byte) (kept string, err error) {
	const op = "replay.ReplaceIndex"
	path := filepath.Join(dir, indexName)
	old, err := os.ReadFile(path)
	if err != nil {
		return "", fileError(op, err)
	}
	for n := 1; ; n++ {
		kept = fmt.Sprintf("%s.old-%d", indexName, n)
		if _, err := os.Lstat(filepath.Join(dir, kept)); errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	err = atomicfile.Write(filepath.Join(dir, kept), old, 0o644)
	if err == nil {
		err = atomicfile.Write(path, index, 0o644)
	}
	return kept, errs.Wrap(op, err)
}
