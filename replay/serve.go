package replay

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// What caches may do. Media never changes under its name; playlists do as long as the show is on air, and afterwards
// whenever the merchant cuts something out, hides the replay or chooses another cover: soon everybody is to see it.
const (
	cacheMedia  = "public, max-age=31536000, immutable"
	cacheVOD    = "public, max-age=10"
	cacheEvent  = "public, max-age=1"
	cachePoster = "public, max-age=60"
)

// vodAge is that of cacheVOD.
const vodAge = 10 * time.Second

const (
	typePlaylist = "application/vnd.apple.mpegurl"
	typeMP4      = "video/mp4"
	typeTS       = "video/mp2t"
	typeJPEG     = "image/jpeg"
)

// Serve answers a GET or HEAD for a file of a show's replay:
//
//	index.m3u8     ts/index.m3u8    multivariant playlist
//	main.m3u8      ts/main.m3u8     media playlist: EVENT while the show is on air, VOD after it
//	init-{n}.mp4                    initialization segment
//	{msn}.m4s      ts/{msn}.ts      segment
//	poster.jpg                      a picture of the show
//
// and what Config.Beside knows.
//
// Every other name is 404, and so are segments that were cut out of the replay. Who may see it is the caller's business.
// Errors are problem details (RFC 9457). Safe for concurrent use.
func (a *Archive) Serve(w http.ResponseWriter, r *http.Request, showID, name string) {
	a.answer(w, r, showID, name, serving{a: a})
}

// ServeWhole is Serve without the edits of the replay: for those who edit it, and need to see what they cut.
func (a *Archive) ServeWhole(w http.ResponseWriter, r *http.Request, showID, name string) {
	a.answer(w, r, showID, name, serving{a, true})
}

func (a *Archive) answer(w http.ResponseWriter, r *http.Request, showID, name string, as serving) {
	allowOrigins(w.Header())
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		preflight(w)
		return
	default:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		writeProblem(w, http.StatusMethodNotAllowed, "a replay can only be read")
		return
	}
	if err := a.serve(w, r, showID, name, as); err != nil {
		a.refuse(w, r, showID, err)
	}
}

func (a *Archive) serve(w http.ResponseWriter, r *http.Request, showID, name string, as serving) error {
	const op = "replay.Serve"
	if !ids.Valid("show", showID) {
		return errs.New(errs.NotFound, op, "there is no such show")
	}
	rec, err := a.Recording(showID)
	if err != nil {
		return err
	}
	file, ts := strings.CutPrefix(name, "ts/")
	switch file {
	case "index.m3u8", mediaName:
		return as.servePlaylist(w, r, rec, file, container(ts))
	case "poster.jpg":
		if !ts {
			return as.servePoster(w, r, rec)
		}
	}
	if !ts {
		if known, err := as.serveBeside(w, r, rec, file); known {
			return err
		}
	}
	n, ok := playlist.ParseName(file)
	if ok && n.Kind != playlist.InitFile {
		if err := as.mayServe(r.Context(), rec, n.MSN); err != nil {
			return err
		}
	}
	return a.serveMedia(w, r, rec, file, ts)
}

// serveMedia serves one file of media, whatever stands at its address.
func (a *Archive) serveMedia(w http.ResponseWriter, r *http.Request, rec *Recording, file string, ts bool) error {
	n, ok := playlist.ParseName(file)
	switch {
	case ok && n.Kind == playlist.TSFile && ts:
		return a.serveTS(w, r, rec, n.MSN)
	case ok && n.Kind == playlist.SegmentFile && !ts:
		return rec.serveSegment(w, r, n.MSN)
	case ok && n.Kind == playlist.InitFile && !ts:
		return rec.serveInit(w, r, n.Init)
	}
	return errs.New(errs.NotFound, "replay.Serve", "a replay has no file of this name")
}

func container(ts bool) playlist.Container {
	if ts {
		return playlist.TS
	}
	return playlist.CMAF
}

func (r *Recording) serveSegment(w http.ResponseWriter, req *http.Request, msn int64) error {
	if !r.Recorded(msn) {
		return errs.New(errs.NotFound, "replay.Serve", "segment %d is not recorded", msn)
	}
	f, size, err := r.OpenSegment(msn)
	if err != nil {
		return err
	}
	defer f.Close()
	serveMedia(w, req, f, typeMP4, etagOf("s", msn, size))
	return nil
}

func (r *Recording) serveInit(w http.ResponseWriter, req *http.Request, n int) error {
	if _, ok := r.init(n); !ok {
		return errs.New(errs.NotFound, "replay.Serve", "initialization segment %d is not recorded", n)
	}
	f, err := r.openFile(playlist.InitName(n))
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return errs.Wrap("replay.Serve", err)
	}
	serveMedia(w, req, f, typeMP4, etagOf("i", int64(n), st.Size()))
	return nil
}

// etagOf names immutable bytes: a name means the same ones for ever, so it need not say more.
func etagOf(kind string, n, size int64) string {
	return `"` + kind + strconv.FormatInt(n, 10) + "-" + strconv.FormatInt(size, 10) + `"`
}
