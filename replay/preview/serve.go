package preview

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
)

// What caches may do: a sheet is the same under its address, until something is cut out of the replay: that is to be gone
// soon, as it is from the playlists.
const (
	cacheFull    = "public, max-age=60"
	cacheGrowing = "no-cache"
)

var sheetPattern = regexp.MustCompile(`^storyboard-[1-9][0-9]{0,4}\.jpg$`)

// Beside serves the files of a show's preview (replay.Beside):
//
//	storyboard.json    its small pictures, in show time
//	storyboard.vtt     the same for players, in play time
//	storyboard-{n}.jpg a sheet of them
//	waveform.dat       the waveform as audiowaveform writes it
//	waveform.json      the same as JSON
//	loudness.json      how loud each second is
//
// Of a show of which nothing was made yet they are empty, and it is made. Of what is not in kept, the spans that the replay
// plays, pictures are black and sound is silence; kept nil: nothing was cut.
func (s *Service) Beside(w http.ResponseWriter, r *http.Request, rec *replay.Recording, name string, kept []media.Span) (known bool, err error) {
	switch {
	case name == storyboardName:
		return true, answer(w, r, s.storyboard(rec).without(kept))
	case name == "storyboard.vtt":
		return true, answerBytes(w, r, "text/vtt; charset=utf-8", cacheGrowing, s.storyboard(rec).VTT(kept))
	case name == loudnessName:
		return true, answer(w, r, s.loudness(rec).without(kept, rec.Duration()))
	case name == waveformName:
		return true, answerBytes(w, r, "application/octet-stream", cacheGrowing, appendWaveform(nil, s.waveform(rec, kept)))
	case name == "waveform.json":
		return true, answerBytes(w, r, "application/json", cacheGrowing, waveformJSON(s.waveform(rec, kept)))
	case sheetPattern.MatchString(name):
		return true, s.serveSheet(w, r, rec, name, kept)
	}
	return false, nil
}

// kept reads what was made. When there is nothing, it is asked for and instead returned.
func (s *Service) kept(rec *replay.Recording, name string, instead []byte) []byte {
	b, err := rec.ReadKept(name)
	if err == nil {
		return b
	}
	if errs.KindOf(err) == errs.NotFound {
		s.Want(rec.Show())
	} else {
		s.Log.Warn("a preview cannot be read", "show", rec.Show(), "name", name, "error", err)
	}
	return instead
}

func (s *Service) storyboard(rec *replay.Recording) *Storyboard {
	b := loadBoard(rec.Show(), s.kept(rec, storyboardName, nil))
	if b.doc.Sheets == nil {
		b.doc.Sheets = []Sheet{}
	}
	return &b.doc
}

func (s *Service) loudness(rec *replay.Recording) *Loudness {
	d := &Loudness{}
	if json.Unmarshal(s.kept(rec, loudnessName, nil), d) != nil || d.LUFS == nil {
		*d = Loudness{LUFS: []float64{}}
	}
	d.Show, d.Step = rec.Show(), 1000
	return d
}

// Loudness returns how loud each second of a show is, as far as it is known. It may be empty.
func (s *Service) Loudness(showID string) ([]float64, error) {
	rec, err := s.Archive.Recording(showID)
	if err != nil {
		return nil, errs.Wrap("preview.Loudness", err)
	}
	return s.loudness(rec).LUFS, nil
}

func (s *Service) waveform(rec *replay.Recording, kept []media.Span) []int8 {
	points, _ := parseWaveform(s.kept(rec, waveformName, nil))
	return silence(points, kept, rec.Duration())
}

func (s *Service) serveSheet(w http.ResponseWriter, r *http.Request, rec *replay.Recording, name string, kept []media.Span) error {
	const op = "preview.serveSheet"
	data, err := rec.ReadKept(name)
	if errs.KindOf(err) == errs.NotFound {
		return errs.New(errs.NotFound, op, "the storyboard has no such sheet")
	} else if err != nil {
		return err
	}
	doc := s.storyboard(rec)
	i, address := doc.find(name, kept)
	if kept != nil {
		if i < 0 { // nobody knows what its pictures are of
			return errs.New(errs.NotFound, op, "the storyboard has no such sheet")
		}
		if data, err = s.masked.get(rec.Show()+"/"+address, data, doc.Tile, doc.Sheets[i].Tiles, kept); err != nil {
			return errs.Wrap(op, err)
		}
	}
	cache := cacheGrowing
	// The address that the storyboard gives names a picture that stays, full or not.
	if _, query, _ := strings.Cut(address, "?"); i >= 0 && query == r.URL.RawQuery {
		cache = cacheFull
	}
	return answerBytes(w, r, "image/jpeg", cache, data)
}

// find returns the number of the sheet with the file name, -1 when there is none, and the address that it has with cuts.
func (d *Storyboard) find(name string, kept []media.Span) (int, string) {
	for i, sheet := range d.without(kept).Sheets {
		if path, _, _ := strings.Cut(sheet.URL, "?"); path == name {
			return i, sheet.URL
		}
	}
	return -1, ""
}

// answer serves v as JSON.
func answer(w http.ResponseWriter, r *http.Request, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return errs.Wrap("preview.answer", err)
	}
	return answerBytes(w, r, "application/json", cacheGrowing, data)
}

// leastPacked is the size from which text is worth packing.
const leastPacked = 1024

func answerBytes(w http.ResponseWriter, r *http.Request, typ, cache string, data []byte) error {
	h := w.Header()
	h.Set("Content-Type", typ)
	h.Set("Cache-Control", cache)
	tag := fmt.Sprintf("%08x-%d", crc32.ChecksumIEEE(data), len(data))
	if typ != "image/jpeg" {
		h.Set("Vary", "Accept-Encoding")
		if len(data) >= leastPacked && r.Header.Get("Range") == "" && acceptsGzip(r) {
			var b bytes.Buffer
			z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level is valid
			_, _ = z.Write(data)                            // a buffer takes everything
			_ = z.Close()
			data, tag = b.Bytes(), tag+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3): a weight of 0 is a refusal.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q := strings.TrimRight(strings.ReplaceAll(params, " ", ""), ".0")
			return q != "q="
		}
	}
	return false
}
