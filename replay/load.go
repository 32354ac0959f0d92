package replay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

const (
	indexName = "index.jsonl"
	// maxLine bounds an index line: longer ones are damage.
	maxLine = 64 << 10
)

// OpenRecording reads the recording in the folder of a show, changing nothing. It takes whatever a crash left behind:
// lines that are torn or damaged are skipped, parts whose bytes did not reach the disk are left out with all that came
// after them, and a segment that was open counts as complete with its parts. It returns NotFound when there is no index
// with at least one good line. The Recording must be closed.
func OpenRecording(dir string) (*Recording, error) {
	const op = "replay.OpenRecording"
	root, err := os.OpenRoot(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errs.As(errs.NotFound, op, err, "%s has no recording", filepath.Base(dir))
	}
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	rec, _, err := load(root, ".", filepath.Base(dir), nil)
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	rec.own = true
	return rec, nil
}

// leftovers are what a crash left to be mended before a recording goes on.
type leftovers struct {
	size   int64              // of the index up to the last line that counts
	sealed []playlist.Segment // were open and count as complete, but have no line that says so
	loose  []playlist.Segment // are complete but perhaps only in the memory of the system
}

// load reads the index in the folder dir of root. What is not there is fetched if the folder belongs to an archive that
// keeps copies elsewhere.
func load(root *os.Root, dir, show string, a *Archive) (*Recording, leftovers, error) {
	const op = "replay.load"
	limit := int64(math.MaxInt64)
	for {
		l := loader{rec: &Recording{show: show, root: root, dir: dir, archive: a}}
		if err := l.read(limit); err != nil {
			return nil, leftovers{}, err
		}
		if !l.any {
			return nil, leftovers{}, errs.New(errs.NotFound, op, "%s has no recording", show)
		}
		// Bytes of what is before the damage were found good, so a second reading finds none.
		cut, damaged, err := l.findDamage()
		if err != nil {
			return nil, leftovers{}, err
		}
		if damaged {
			limit = cut
			continue
		}
		left := leftovers{size: l.good}
		from := len(l.rec.segments)
		for len(l.parts) > 0 {
			l.seal()
		}
		left.sealed = l.rec.segments[from:]
		left.loose = l.rec.segments[min(l.durable, int64(len(l.rec.segments))):]
		l.rec.ended = l.rec.ended && len(left.sealed) == 0
		l.rec.noteIndex(l.size, l.written)
		return l.rec, left, nil
	}
}

// loader is the state of reading an index.
type loader struct {
	rec     *Recording
	any     bool                       // there is a good line
	at      int64                      // offset of the next line
	good    int64                      // end of the last good line
	size    int64                      // of the file
	written time.Time                  // likewise
	lost    map[int64]playlist.Segment // segments whose media is lost, as they were

	parts    []pendingPart // of the segment that is open, unparsed
	unproven [][]pendingPart
	durable  int64 // see entry.Durable
}

// pendingPart is a part line that stands alone until its segment is complete.
type pendingPart struct {
	offset int64 // of the line
	line   []byte
}

// read applies the lines of the index that end within limit.
func (l *loader) read(limit int64) error {
	const op = "replay.load"
	f, err := l.rec.openFile(indexName)
	if errs.KindOf(err) == errs.NotFound {
		return errs.As(errs.NotFound, op, err, "%s has no recording", l.rec.show)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil {
		l.size, l.written = st.Size(), st.ModTime()
	}
	r := bufio.NewReaderSize(f, maxLine)
	for {
		b, err := r.ReadSlice('\n')
		l.at += int64(len(b))
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue // the rest of the line will not be whole either
		case errors.Is(err, io.EOF) || err == nil && l.at > limit:
			return nil
		case err != nil:
			return errs.Wrap(op, err)
		}
		if err := l.line(bytes.TrimSuffix(b, []byte("\n")), l.at-int64(len(b))); err != nil {
			return err
		}
	}
}

func (l *loader) line(b []byte, offset int64) error {
	if !checkLine(b) {
		return nil
	}
	l.any, l.good = true, l.at
	if isPart(b) {
		l.parts = append(l.parts, pendingPart{offset, bytes.Clone(b)})
		return nil
	}
	e, err := parseLine(b)
	if err != nil {
		return nil // well checksummed nonsense is no line of ours
	}
	if e.Type == entryMeta && e.Version > indexVersion {
		return errs.New(errs.Unavailable, "replay.load", "%s was recorded by a newer version of Vitrine (index %d)", l.rec.show, e.Version)
	}
	l.apply(&e)
	return nil
}

func (l *loader) apply(e *entry) {
	r := l.rec
	l.durable = max(l.durable, e.Durable)
	switch e.Type {
	case entryTarget:
		r.target, r.part = e.TargetDuration, e.PartTarget
	case entryEpoch:
		r.addEpoch(media.Epoch{ShowTime: e.Start, Wall: fromUnixMilli(e.Wall)})
	case entryInit:
		r.addInit(playlist.Init{
			Number: e.Init, Codecs: e.Codecs, Width: e.Width, Height: e.Height, Reorder: e.Reorder, FrameRate: e.FPS,
		})
	case entrySegment:
		l.fillHole(e.MSN, e.Start)
		l.unproven = append(l.unproven, l.parts)
		l.parts = nil
		r.addSegment(e.segment())
	case entryGap:
		l.parts = nil // what was written of it is gone
		l.fillHole(e.MSN, e.Start)
		r.addSegment(e.segment())
	case entryLost:
		l.lose(e.MSN)
	case entryFound:
		l.find(e.MSN)
	case entryEnd:
		r.ended = true
	}
	if l.proven() {
		l.unproven = nil
	}
}

// lose makes a gap of a segment whose media no copy is left of.
func (l *loader) lose(msn int64) {
	s, ok := l.rec.segment(msn)
	if !ok || s.Gap {
		return
	}
	if l.lost == nil {
		l.lost = map[int64]playlist.Segment{}
	}
	l.lost[msn] = s
	s.Gap, s.Size = true, 0
	l.rec.segments[msn-l.rec.segments[0].MSN] = s
}

// find takes back what lose did.
func (l *loader) find(msn int64) {
	if s, ok := l.lost[msn]; ok {
		l.rec.segments[msn-l.rec.segments[0].MSN] = s
	}
}

// proven reports whether all segments so far are known to be on the disk.
func (l *loader) proven() bool { return l.durable >= int64(len(l.rec.segments)) }

// fillHole keeps the numbers and the timing whole before segment msn when lines of segments were damaged: from their
// parts if those are there, as gaps otherwise.
func (l *loader) fillHole(msn int64, start media.Ticks) {
	r := l.rec
	for len(l.parts) > 0 {
		if e, err := parseLine(l.parts[0].line); err == nil && e.MSN >= msn {
			break
		}
		l.seal()
	}
	if n := len(r.segments); n > 0 && msn == r.nextMSN() && r.end() < start {
		r.segments[n-1].Duration = start - r.segments[n-1].Start // lines of its last parts are damaged
	}
	for missing := msn - r.nextMSN(); missing > 0 && missing < maxHole; missing-- {
		at := r.end()
		s := playlist.Segment{
			MSN: r.nextMSN(), Start: at, Duration: max(0, start-at) / media.Ticks(missing),
			Wall: r.epochs.WallAt(at), Independent: true, Gap: true,
		}
		if n := len(r.segments); n > 0 {
			s.Init = r.segments[n-1].Init
		}
		r.addSegment(s)
	}
}

// maxHole bounds the segments that are made up: three hours of damage are beyond help.
const maxHole = 10_000

// seal makes a complete segment of the first pending parts, those of one segment that follow each other.
func (l *loader) seal() {
	var s playlist.Segment
	n := 0
	for ; n < len(l.parts); n++ {
		e, err := parseLine(l.parts[n].line)
		if err != nil {
			continue
		}
		if s.Parts == nil {
			s = e.segment()
		}
		if e.MSN != s.MSN {
			break
		}
		if e.Offset == s.Size { // else the line of one before it is damaged
			s.Parts = append(s.Parts, e.part())
			s.Size += e.Size
			s.Duration += e.Duration
		}
	}
	l.unproven = append(l.unproven, l.parts[:n])
	l.parts = l.parts[n:]
	if len(s.Parts) == 0 || s.MSN < l.rec.nextMSN() {
		return
	}
	rest := l.parts
	l.parts = nil
	l.fillHole(s.MSN, s.Start)
	l.parts = rest
	l.rec.addSegment(s)
}

// findDamage checks the bytes of the parts that were not known to be on the disk. It returns the offset of the index
// line of the first one that is missing or different. An error says that a copy elsewhere could not be asked: nothing is
// known then of what is not here.
func (l *loader) findDamage() (cut int64, damaged bool, err error) {
	for _, parts := range append(l.unproven, l.parts) {
		for _, p := range parts {
			e, err := parseLine(p.line)
			if err == nil {
				err = l.checkPart(&e)
			}
			if kind := errs.KindOf(err); kind == errs.Unavailable || kind == errs.Exhausted {
				return 0, false, errs.Wrap("replay.load", err)
			}
			if err != nil {
				return p.offset, true, nil
			}
		}
	}
	return 0, false, nil
}

func (l *loader) checkPart(e *entry) error {
	if e.Size < 0 || e.Size > math.MaxInt32 || e.Offset < 0 {
		return errors.New("part out of range")
	}
	f, err := l.rec.openFile(playlist.SegmentName(e.MSN, playlist.CMAF))
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.Size() < e.Offset+e.Size { // before memory is taken for it
		return errors.Join(err, io.ErrUnexpectedEOF)
	}
	b := make([]byte, e.Size)
	if _, err := f.ReadAt(b, e.Offset); err != nil {
		return err
	}
	if checksum(b) != e.CRC {
		return fmt.Errorf("part %d of segment %d is damaged", e.Part, e.MSN)
	}
	return nil
}
