package replay

import (
	"net/http"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// FreeSpace is how many bytes can still be written to the disk of a folder.
func FreeSpace(dir string) (int64, error) { return freeSpace(dir) }

// ServeMedia answers for one file of media of a show (init-{n}.mp4, {msn}.m4s, ts/{msn}.ts), for what names it at an address of
// its own and has decided already who may see it. NotFound for every other name.
func (a *Archive) ServeMedia(w http.ResponseWriter, r *http.Request, showID, name string) error {
	const op = "replay.ServeMedia"
	if !ids.Valid("show", showID) {
		return errs.New(errs.NotFound, op, "there is no such show")
	}
	rec, err := a.Recording(showID)
	if err != nil {
		return err
	}
	file, ts := name, false
	if len(name) > 3 && name[:3] == "ts/" {
		file, ts = name[3:], true
	}
	n, ok := playlist.ParseName(file)
	switch {
	case ok && n.Kind == playlist.TSFile && ts:
		return a.serveTS(w, r, rec, n.MSN)
	case ok && n.Kind == playlist.SegmentFile && !ts:
		return rec.serveSegment(w, r, n.MSN)
	case ok && n.Kind == playlist.InitFile && !ts:
		return rec.serveInit(w, r, n.Init)
	}
	return errs.New(errs.NotFound, op, "there is no file of this name")
}
