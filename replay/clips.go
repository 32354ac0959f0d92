package replay

import (
	"net/http"
	"strings"

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
	file, ts := strings.CutPrefix(name, "ts/")
	return a.serveMedia(w, r, rec, file, ts)
}
