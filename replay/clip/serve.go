package clip

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// What caches may do. Files never change under their name, but their clip may be deleted.
const (
	cacheFile = "public, max-age=3600"
	cacheText = "public, max-age=60"
	cacheLive = "public, max-age=1"
)

// Serve answers a GET or HEAD for a public file of a clip. Who has the address may see it: that is what sharing is.
//
//	index.m3u8   ts/index.m3u8    multivariant playlist
//	main.m3u8    ts/main.m3u8     media playlist of the segments that the clip touches
//	init-{n}.mp4 {msn}.m4s ts/{msn}.ts   these segments, and no others
//	clip.mp4                      the file; ?download names it after the title
//	poster.jpg                    a picture
//	chapters.vtt                  the chapters in clip time
//
// Every other name is NotFound, and so is everything of a clip that was deleted. Safe for concurrent use.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, id, name string) error {
	const op = "clip.Serve"
	c, err := s.Get(r.Context(), "", id)
	if err != nil {
		return err
	}
	file, container := name, playlist.CMAF
	if rest, ok := strings.CutPrefix(name, "ts/"); ok {
		file, container = rest, playlist.TS
	}
	switch {
	case file == "index.m3u8" || file == "main.m3u8":
		return s.servePlaylist(w, r, &c, file, container)
	case name == "clip.mp4":
		return s.serveFile(w, r, &c)
	case name == "poster.jpg":
		return s.servePoster(w, r, &c)
	case name == "chapters.vtt":
		return s.serveChapters(w, r, &c)
	}
	if n, ok := playlist.ParseName(file); ok && (n.Kind == playlist.TSFile) == (container == playlist.TS) {
		return s.serveMedia(w, r, &c, n, name)
	}
	return errs.New(errs.NotFound, op, "a clip has no file of this name")
}

func (s *Service) servePlaylist(w http.ResponseWriter, r *http.Request, c *Clip, name string, container playlist.Container) error {
	text, final, err := s.playlist(r.Context(), c, name, container)
	if err != nil {
		return err
	}
	cache := cacheLive
	if final {
		cache = cacheText
	}
	serveText(w, r, text, "application/vnd.apple.mpegurl", cache)
	return nil
}

// serveMedia serves files of the recording, those of the clip alone.
func (s *Service) serveMedia(w http.ResponseWriter, r *http.Request, c *Clip, n playlist.Name, name string) error {
	rec, err := s.recording(c.ShowID)
	if err != nil {
		return err
	}
	v, err := viewOf(rec, c.Span)
	if err != nil {
		return err
	}
	if !v.has(n) {
		return errs.New(errs.NotFound, "clip.serveMedia", "the clip has no such segment")
	}
	return s.Archive.ServeMedia(w, r, c.ShowID, name)
}

func (s *Service) serveFile(w http.ResponseWriter, r *http.Request, c *Clip) error {
	const op = "clip.serveFile"
	switch {
	case !c.Kind.File():
		return errs.New(errs.NotFound, op, "an instant clip has no file: play /c/%s/index.m3u8, or make a clip of another kind", c.ID)
	case c.State.Open():
		w.Header().Set("Retry-After", "2")
		return errs.New(errs.Unavailable, op, "the clip is still being made")
	case c.State != Done:
		return errs.New(errs.NotFound, op, "the clip was not made: it is %s", c.State)
	}
	f, st, err := s.open(c.ID, fileName)
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "video/mp4")
	h.Set("Cache-Control", cacheFile)
	h.Set("ETag", etagOf(st))
	if r.URL.Query().Has("download") {
		h.Set("Content-Disposition", disposition(c.Title))
	}
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

// open opens a file of a clip.
func (s *Service) open(id, name string) (*os.File, os.FileInfo, error) {
	f, err := s.root.Open(path.Join(id, name))
	if os.IsNotExist(err) {
		return nil, nil, errs.As(errs.NotFound, "clip.open", err, "the file of the clip is not on this server")
	}
	if err != nil {
		return nil, nil, errs.Wrap("clip.open", err)
	}
	st, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, nil, errs.Wrap("clip.open", err)
	}
	return f, st, nil
}

func etagOf(st os.FileInfo) string {
	return fmt.Sprintf(`"%x-%x"`, st.ModTime().UnixNano(), st.Size())
}

// disposition makes a browser save the file under a name made of the title: of letters, digits and a few signs, whatever the
// title holds, so that it is one name on every system (RFC 6266, with the title's own letters for those who read them).
func disposition(title string) string {
	name := fileTitle(title)
	return mime.FormatMediaType("attachment", map[string]string{"filename": name + ".mp4"})
}

func (s *Service) serveChapters(w http.ResponseWriter, r *http.Request, c *Clip) error {
	doc, err := s.sidecar(r.Context(), c)
	if err != nil {
		return errs.Wrap("clip.serveChapters", err)
	}
	serveText(w, r, chaptersVTT(doc.Chapters), "text/vtt; charset=utf-8", cacheText)
	return nil
}

// serveText serves a text that is rendered for each request.
func serveText(w http.ResponseWriter, r *http.Request, text []byte, typ, cache string) {
	h := w.Header()
	h.Set("Content-Type", typ)
	h.Set("Cache-Control", cache)
	h.Set("ETag", fmt.Sprintf(`"%08x-%d"`, crc32.ChecksumIEEE(text), len(text)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

// sidecarJSON is what a file carries within itself.
func sidecarJSON(doc *Sidecar) []byte {
	b, err := json.Marshal(doc)
	if err != nil {
		return nil // data of events is JSON already
	}
	return b
}
