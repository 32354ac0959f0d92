package clip

import (
	"context"
	"net/http"
	"path/filepath"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// File makes the file of a clip at path and returns what goes with it, of a recording alone: without a queue, a store or a
// server. The recording may still be written to. Progress takes 0 to 1, and nil.
//
// Of deps only Shows, Timeline, Chapters, Maker and Link count, and all but Maker may be nil: then the clip knows no more
// than the recording does, which has neither products nor chapters nor events, and neither a title nor a room.
//
// Invalid: the interval is none, or a clip of the kind cannot be made alone. NotFound: no such chapter. Otherwise errors are
// those of the Maker.
func File(ctx context.Context, rec *replay.Recording, deps Deps, w Want, path string, progress func(float64)) (Clip, *Sidecar, error) {
	const op = "clip.File"
	if w.Kind != Copy && w.Kind != Exact {
		return Clip{}, nil, errs.Field(op, "kind", "without a server only clips of the kinds %s and %s can be made", Copy, Exact)
	}
	s := alone(rec, deps)
	w.ShowID = rec.Show()
	c, err := s.resolve(ctx, &w)
	if err != nil {
		return Clip{}, nil, errs.Wrap(op, err)
	}
	c.State = Running
	doc, err := s.sidecar(ctx, &c)
	if err != nil {
		return Clip{}, nil, errs.Wrap(op, err)
	}
	doc.Poster, doc.HLS, doc.HLSFrom = "", nil, 0 // are at addresses of a server
	made, err := s.Maker.Make(ctx, Job{Clip: &c, Recording: rec, Sidecar: doc, Path: path, Progress: progress})
	if err != nil {
		return Clip{}, nil, errs.Wrap(op, err)
	}
	c.State, c.Progress, c.DoneAt = Done, 1, s.now()
	c.Result, c.Bytes, c.Encoded, c.Lead = made.Span, made.Bytes, made.Encoded, made.Lead
	doc.State, doc.MP4, doc.MP4From = c.State, new(filepath.Base(path)), c.Lead.Milliseconds()
	return c, doc, nil
}

// alone is a Service that has one recording, and neither a store nor a folder.
func alone(rec *replay.Recording, deps Deps) *Service {
	deps.Archive = lone{rec}
	if deps.Timeline == nil {
		deps.Timeline = silent{}
	}
	if deps.Shows == nil {
		deps.Shows = func(context.Context, string) (Show, error) {
			return Show{ID: rec.Show(), Title: rec.Show(), Epochs: rec.Epochs()}, nil
		}
	}
	if deps.Chapters == nil {
		deps.Chapters = func(context.Context, string) ([]edit.Chapter, error) { return nil, nil }
	}
	return newService(Config{}, deps)
}

// lone is an archive of one recording that nobody watches.
type lone struct{ rec *replay.Recording }

func (l lone) Recording(string) (*replay.Recording, error) { return l.rec, nil }

func (l lone) Has(showID string) bool { return showID == l.rec.Show() }

func (l lone) ServeMedia(http.ResponseWriter, *http.Request, string, string) error {
	return errs.New(errs.NotFound, "clip.ServeMedia", "nothing is served here")
}

// silent is a timeline on which nothing happened.
type silent struct{}

func (silent) Events(context.Context, string, int64, int) ([]overlay.Event, error) { return nil, nil }
