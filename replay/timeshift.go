package replay

import (
	"net/http"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// ServeTimeShift answers a GET or HEAD with the multivariant playlist by which a show is watched from its beginning while
// it is on air: the same segments that its replay has. prefix leads from the address that is served to the replay's folder.
// Unavailable: nothing is recorded yet. Safe for concurrent use.
func (a *Archive) ServeTimeShift(w http.ResponseWriter, r *http.Request, showID, prefix string, ts bool) {
	allowOrigins(w.Header())
	if err := a.serveTimeShift(w, r, showID, prefix, container(ts)); err != nil {
		a.refuse(w, r, showID, err)
	}
}

func (a *Archive) serveTimeShift(w http.ResponseWriter, r *http.Request, showID, prefix string, c playlist.Container) error {
	rec, err := a.Recording(showID)
	if err != nil {
		return err
	}
	view := rec.view()
	if len(view.segments) == 0 {
		return errs.New(errs.Unavailable, "replay.ServeTimeShift", "the first seconds of the show are still being recorded")
	}
	if c == playlist.TS {
		prefix += "ts/"
		if !view.hasTS() {
			return errNoTS
		}
		view.keepTS()
	}
	out := newText(view.multivariantOf(c, prefix+"main.m3u8"))
	out.serve(w, r, typePlaylist, cacheEvent)
	return nil
}
