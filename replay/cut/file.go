package cut

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/mp4"
)

// domain is whose custom tags a clip has.
const domain = "live.vitrine"

// write makes the file.
func (t *take) write(ctx context.Context, path string, meta *Meta, p Progress) (Result, error) {
	movie, pieces := t.movie(meta)
	head, err := movie.Head()
	if err != nil {
		return Result{}, errs.Wrap(t.op, err)
	}
	w := writer{source: &t.source, ctx: ctx, progress: p, total: int64(len(head)), passing: t.passing}
	for i := range pieces {
		w.total += pieces[i].size
	}
	if err := w.write(path, head, pieces); err != nil {
		return Result{}, w.explain(err)
	}
	return Result{
		Span: t.shown, Frames: t.frames, Bytes: w.total, Encoded: t.encoded, Video: len(t.video) > 0, Audio: len(t.audio) > 0,
	}, nil
}

// piece is bytes of a file that lie together where they come from.
type piece struct {
	segment      int
	offset, size int64
	data         []byte // nil: those of the segment
}

// movie describes the file: its tracks, and where its media comes from.
func (t *take) movie(meta *Meta) (*mp4.Movie, []piece) {
	m := &mp4.Movie{Created: t.wall(), Tags: meta.tags()}
	var lists [][]sample
	if len(t.video) > 0 {
		m.Tracks = append(m.Tracks, t.videoTrack())
		lists = append(lists, t.video)
	}
	if len(t.audio) > 0 {
		m.Tracks = append(m.Tracks, t.audioTrack())
		lists = append(lists, t.audio)
	}
	whole := media.Span{To: t.shown.Len()}
	late := max(0, t.shown.From-t.wanted.From) // the file begins with a whole frame, which may come after the in-point
	for _, c := range meta.Chapters {
		if span := (media.Span{From: c.Span.From - late, To: c.Span.To - late}).Intersect(whole); !span.Empty() {
			m.Chapters = append(m.Chapters, mp4.Chapter{Span: span, Title: c.Title})
		}
	}
	var pieces []piece
	m.Chunks, pieces = interleave(lists)
	return m, pieces
}

// wall is when the clip was on air, to the second.
func (t *take) wall() time.Time { return t.rec.Epochs().WallAt(t.shown.From).Truncate(time.Second) }

// tags are what players and libraries are told.
func (m *Meta) tags() mp4.Tags {
	tags := mp4.Tags{Title: m.Title, Comment: m.Comment}
	if len(m.Sidecar) > 0 {
		tags.Custom = append(tags.Custom, mp4.Custom{Domain: domain, Name: "sidecar", Value: string(m.Sidecar)})
	}
	type link struct {
		From  int64  `json:"from_ms"`
		To    int64  `json:"to_ms"`
		Title string `json:"title"`
		Link  string `json:"link"`
	}
	var links []link
	for _, c := range m.Chapters {
		if c.Link != "" {
			links = append(links, link{c.Span.From.Milliseconds(), c.Span.To.Milliseconds(), c.Title, c.Link})
		}
	}
	if b, err := json.Marshal(links); err == nil && len(links) > 0 {
		tags.Custom = append(tags.Custom, mp4.Custom{Domain: domain, Name: "links", Value: string(b)})
	}
	return tags
}

// interleave puts the samples in the order of the recording, which has sound beside the pictures it belongs to.
func interleave(lists [][]sample) (chunks []mp4.Chunk, pieces []piece) {
	last := -1
	for next := make([]int, len(lists)); ; {
		k := earliest(lists, next)
		if k < 0 {
			return chunks, pieces
		}
		x := &lists[k][next[k]]
		next[k]++
		if len(x.prefix) > 0 {
			pieces = append(pieces, piece{size: int64(len(x.prefix)), data: x.prefix})
		}
		lies := len(pieces) > 0 && pieces[len(pieces)-1].joins(x)
		if lies {
			pieces[len(pieces)-1].size += x.size
		} else {
			pieces = append(pieces, piece{segment: x.segment, offset: x.offset, size: x.size, data: x.data})
		}
		if lies && k == last {
			chunks[len(chunks)-1].Samples++
		} else {
			chunks = append(chunks, mp4.Chunk{Track: k, Samples: 1})
		}
		last = k
	}
}

// joins reports whether x lies behind the piece.
func (p *piece) joins(x *sample) bool {
	return p.data == nil && x.data == nil && p.segment == x.segment && p.offset+p.size == x.offset
}

// earliest is the list whose next sample comes first in the recording; -1 when all are used up.
func earliest(lists [][]sample, next []int) int {
	best := -1
	for k := range lists {
		if next[k] == len(lists[k]) {
			continue
		}
		if best < 0 || before(&lists[k][next[k]], &lists[best][next[best]]) {
			best = k
		}
	}
	return best
}

func before(a, b *sample) bool {
	return cmp.Or(cmp.Compare(a.segment, b.segment), cmp.Compare(a.offset, b.offset)) < 0
}

// writer writes a file.
type writer struct {
	*source
	ctx         context.Context //nolint:containedctx // lives as long as one call of write
	progress    Progress
	done, total int64
	passing     bool

	open    io.ReadSeekCloser // the segment that is being copied
	segment int
}

// write makes the file beside its place and puts it there when it is on the disk.
func (w *writer) write(path string, head []byte, pieces []piece) (err error) {
	temp := path + ".part"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if w.open != nil {
			_ = w.open.Close()
		}
		if err != nil {
			_ = f.Close()
			_ = os.Remove(temp)
		}
	}()
	if err := w.advance(f.Write(head)); err != nil {
		return err
	}
	for i := range pieces {
		if err := w.copy(f, &pieces[i]); err != nil {
			return err
		}
	}
	if w.passing {
		return errors.Join(f.Close(), os.Rename(temp, path))
	}
	if err := errors.Join(f.Sync(), f.Close(), os.Rename(temp, path)); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// copy appends a piece. Where the system can, bytes of files do not pass through this process.
func (w *writer) copy(f *os.File, p *piece) error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if p.data != nil {
		return w.advance(f.Write(p.data))
	}
	if w.open == nil || w.segment != p.segment {
		if w.open != nil {
			_ = w.open.Close()
		}
		var err error
		if w.open, _, err = w.rec.OpenSegment(w.segments[p.segment].MSN); err != nil {
			w.open = nil
			return err
		}
		w.segment = p.segment
	}
	if _, err := w.open.Seek(p.offset, io.SeekStart); err != nil {
		return err
	}
	n, err := io.CopyN(f, w.open, p.size)
	return w.advance(int(n), err)
}

func (w *writer) advance(n int, err error) error {
	w.done += int64(n)
	if w.progress != nil && err == nil {
		w.progress(w.done, w.total)
	}
	return err
}

// explain classifies an error of writing.
func (w *writer) explain(err error) error {
	switch {
	case w.ctx.Err() != nil:
		return err
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return errs.As(errs.Exhausted, w.op, err, "the disk is full: the clip needs %d MB; free some space and try again", w.total>>20+1)
	case errors.Is(err, io.EOF):
		return errs.As(errs.Internal, w.op, err, "the recording is damaged: a segment is shorter than it was")
	}
	return errs.Wrap(w.op, err)
}

// syncFolder makes a new name last.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
