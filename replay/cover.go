package replay

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// picture is the picture that stands for a show: the server's choice, or that at an instant.
type picture struct {
	name  string // of its file
	at    media.Ticks
	exact bool // the one at the instant, not the first of its segment
}

// defaultPicture is the server's choice.
var defaultPicture = picture{name: posterName}

// cover names the picture of a show after its edits. A cover that a later cut took away counts as none, and so does the
// server's own choice: what was cut out is not to stand on the front page.
func (r *Recording) cover(state *edit.State) picture {
	if at := state.Cover; at != nil && !slices.ContainsFunc(state.Cuts, func(s media.Span) bool { return s.Contains(*at) }) {
		return picture{fmt.Sprintf("poster-%d.jpg", *at), *at, true}
	}
	s, ok := r.posterSegment(nil)
	if !ok || !edit.LeftOut(&s, state.Cuts) {
		return defaultPicture
	}
	if s, ok = r.posterSegment(state.Cuts); !ok {
		return defaultPicture
	}
	return picture{fmt.Sprintf("poster-%d.jpg", s.Start), s.Start, false}
}

// IsCover reports whether name is that of a picture that a merchant chose for a show.
func IsCover(name string) bool {
	at, jpg := strings.CutSuffix(name, ".jpg")
	at, cover := strings.CutPrefix(at, "poster-")
	return jpg && cover && at != "" && strings.Trim(at, "0123456789") == ""
}

// maxCovers is how many of them are kept: undo and redo go between a few, and one that went is made of the recording again.
const maxCovers = 4

// pruneCovers removes the covers of a show that were made before the last ones.
func (a *Archive) pruneCovers(rec *Recording) error {
	entries, err := fs.ReadDir(a.root.FS(), rec.dir)
	if err != nil {
		return err
	}
	var covers []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && IsCover(e.Name()) {
			covers = append(covers, info)
		}
	}
	slices.SortFunc(covers, func(x, y fs.FileInfo) int { return y.ModTime().Compare(x.ModTime()) })
	var failed error
	for _, old := range covers[min(maxCovers, len(covers)):] {
		err := a.root.Remove(path.Join(rec.dir, old.Name()))
		failed = cmp.Or(failed, err)
	}
	return failed
}

// segmentAt finds the segment with the picture at an instant.
func (r *Recording) segmentAt(at media.Ticks) (playlist.Segment, bool) {
	v := r.view()
	i, ok := slices.BinarySearchFunc(v.segments, at, func(s playlist.Segment, at media.Ticks) int {
		switch {
		case s.End() <= at:
			return -1
		case s.Start > at:
			return 1
		}
		return 0
	})
	if !ok || v.segments[i].Gap {
		return playlist.Segment{}, false
	}
	return v.segments[i], true
}

// grabAt makes a JPEG of the picture that is seen at an instant.
func (r *Recording) grabAt(ctx context.Context, program string, p picture) ([]byte, error) {
	const op = "replay.grabAt"
	s, ok := r.segmentAt(p.at)
	if !ok {
		return nil, errs.New(errs.NotFound, op, "nothing was recorded at %d ms", p.at.Milliseconds())
	}
	init, err := r.InitData(s.Init)
	if err != nil {
		return nil, err
	}
	data, err := r.segmentData(s.MSN)
	if err != nil {
		return nil, err
	}
	n := 0
	if p.exact {
		if n, err = pictureAt(init, data, p.at); err != nil {
			return nil, errs.As(errs.NotFound, op, err, "no picture was recorded at %d ms", p.at.Milliseconds())
		}
	}
	return grab(ctx, program, io.MultiReader(bytes.NewReader(init), bytes.NewReader(data)), n)
}

// rounding is what an instant loses on its way through whole milliseconds: the picture that was pointed at may begin so
// much later.
const rounding = media.TicksPerMillisecond

// pictureAt is the number, in the order of presentation, of the picture of a segment that is seen at an instant.
func pictureAt(init, segment []byte, at media.Ticks) (int, error) {
	var in fmp4.Init
	if err := in.Unmarshal(bytes.NewReader(init)); err != nil {
		return 0, err
	}
	i := slices.IndexFunc(in.Tracks, func(t *fmp4.InitTrack) bool { return t.Codec.IsVideo() })
	if i < 0 {
		return 0, fmt.Errorf("no track of pictures")
	}
	var parts fmp4.Parts
	if err := parts.Unmarshal(segment); err != nil {
		return 0, err
	}
	before := 0
	for _, part := range parts {
		for _, track := range part.Tracks {
			if track.ID == in.Tracks[i].ID {
				before += shownBy(track, int64(in.Tracks[i].TimeScale), at+rounding)
			}
		}
	}
	return max(0, before-1), nil
}

// shownBy counts the pictures of a fragment that are presented by an instant.
func shownBy(track *fmp4.PartTrack, timescale int64, at media.Ticks) (n int) {
	time := int64(track.BaseTime)
	for _, s := range track.Samples {
		if media.Rescale(media.Ticks(time+int64(s.PTSOffset)), int64(media.TicksPerSecond), timescale) <= at {
			n++
		}
		time += int64(s.Duration)
	}
	return n
}
