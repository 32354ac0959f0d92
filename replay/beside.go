package replay

import (
	"errors"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// Beside serves what is made of a recording and kept beside its media. kept are the spans that the replay plays, in order,
// whole segments each; nil for all of it. It reports false for names that it does not know; then nothing was written. It
// must be safe for concurrent use.
type Beside func(w http.ResponseWriter, r *http.Request, rec *Recording, name string, kept []media.Span) (known bool, err error)

// serveBeside serves what Config.Beside knows.
func (s serving) serveBeside(w http.ResponseWriter, r *http.Request, rec *Recording, name string) (known bool, err error) {
	if s.a.cfg.Beside == nil {
		return false, nil
	}
	state, err := s.edits(r.Context(), rec)
	if err != nil {
		return true, err
	}
	var kept []media.Span
	if len(state.Cuts) > 0 {
		if kept = edit.MapOf(edit.Keep(rec.Segments(), state.Cuts)).Spans(); kept == nil {
			kept = []media.Span{} // nothing is left
		}
	}
	return s.a.cfg.Beside(w, r, rec, name, kept)
}

// OnAir returns the recordings that are being recorded now, in no order.
func (a *Archive) OnAir() []*Recording {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]*Recording, 0, len(a.recorders))
	for _, r := range a.recorders {
		all = append(all, r.rec)
	}
	return all
}

// Keep writes a file beside the media of a show, whole or not at all, durable when it returns; it goes when the recording
// is deleted. A file of that name is replaced. One name must not be written by two at once. Exhausted: the space that
// recordings leave free would be touched. NotFound: the show has no folder any more.
func (a *Archive) Keep(showID, name string, data []byte) error {
	const op = "replay.Keep"
	if !besideName(name) {
		return errs.New(errs.Invalid, op, "%q cannot stand beside a recording", name)
	}
	if !a.hasSpace(false) {
		return errs.New(errs.Exhausted, op, "less than the reserve is free on the disk of the recordings")
	}
	d, err := openDisk(a.root, showID)
	if err != nil {
		return fileError(op, err)
	}
	f := files{disk: d}
	return errs.Wrap(op, errors.Join(f.writeWhole(name, data), d.close()))
}

// OpenKept opens a file that Keep wrote. NotFound: there is none.
func (r *Recording) OpenKept(name string) (io.ReadSeekCloser, error) {
	if !besideName(name) {
		return nil, errs.New(errs.NotFound, "replay.OpenKept", "a replay has no file of this name")
	}
	return r.openFile(name)
}

// ReadKept reads a file that Keep wrote. NotFound: there is none.
func (r *Recording) ReadKept(name string) ([]byte, error) {
	f, err := r.OpenKept(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return b, errs.Wrap("replay.ReadKept", err)
}

// besideName reports whether a file of this name belongs neither to the recorder nor outside of the folder.
func besideName(name string) bool {
	_, own := playlist.ParseName(name)
	return name != "" && !own && name != indexName && name != posterName && !strings.ContainsAny(name, `/\`) &&
		!strings.HasPrefix(name, ".") && !strings.HasSuffix(name, tempSuffix)
}

// Recorded tells when the recording of a show was last written to, without reading it; the zero time when there is none.
func (a *Archive) Recorded(showID string) time.Time {
	if !ids.Valid("show", showID) {
		return time.Time{}
	}
	st, err := a.root.Stat(path.Join(showID, indexName))
	if err != nil {
		return time.Time{}
	}
	return st.ModTime()
}

// Here reports whether the media of the recording is on this disk, and was not left to copies elsewhere.
func (r *Recording) Here() bool {
	segments := r.Segments()
	for i := range segments {
		if !segments[i].Gap {
			return r.exists(playlist.SegmentName(segments[i].MSN, playlist.CMAF))
		}
	}
	return true
}
