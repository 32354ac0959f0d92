package hls

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// immutable is the Cache-Control of media files: a name is never used for other bytes.
const immutable = "public, max-age=31536000, immutable"

const (
	typeMP4 = "video/mp4"
	typeTS  = "video/mp2t"
)

var errNoFile = errs.New(errs.NotFound, "hls.Serve", "the show does not have this file, or no longer")

func (s *Stream) serveInit(w http.ResponseWriter, r *http.Request, n int) {
	data, err := s.initData(n)
	if err != nil {
		fail(w, r, err)
		return
	}
	s.sendBytes(w, r, classInit, typeMP4, [][]byte{data})
}

func (s *Stream) initData(n int) ([]byte, error) {
	s.mu.Lock()
	var data []byte
	if init := s.inits[n]; init != nil {
		data = init.data
	}
	s.mu.Unlock()
	if data != nil {
		return data, nil
	}
	if s.archive == nil {
		return nil, errNoFile
	}
	data, err := s.archive.InitData(n)
	return data, errs.As(errs.NotFound, "hls.initData", err, "the show does not have this file")
}

func (s *Stream) serveSegment(w http.ResponseWriter, r *http.Request, msn int64) {
	seg, _, known := s.find(msn)
	v := s.live.Load().version
	switch {
	case v.closed, msn >= v.next, known && seg.info.Gap:
		fail(w, r, errNoFile)
	case known && seg.parts != nil:
		s.sendBytes(w, r, classSegment, typeMP4, seg.parts)
	default:
		s.sendArchived(w, r, classSegment, msn, 0, -1)
	}
}

// servePart sends a part, and waits for it when it is the one that the playlist hints at (6.2.6).
func (s *Stream) servePart(w http.ResponseWriter, r *http.Request, msn int64, part int) {
	v := s.live.Load().version
	if msn == v.next && part == v.openParts() {
		_, err := s.wait(r.Context(), v.blockLimit(), func(v *version) (bool, error) {
			if v.next > msn && part < v.partsOf(msn) || v.next == msn && part < v.openParts() {
				return true, nil
			}
			if v.next > msn || v.ended {
				return false, errNoFile // the segment ended without the part that was hinted at
			}
			return false, nil
		})
		if err != nil {
			fail(w, r, err)
			return
		}
	}
	seg, _, known := s.find(msn)
	switch {
	case !known || part >= len(seg.info.Parts) || seg.info.Parts[part].Gap:
		fail(w, r, errNoFile)
	case seg.parts != nil:
		s.sendBytes(w, r, classPart, typeMP4, seg.parts[part:part+1])
	default:
		p := seg.info.Parts[part]
		s.sendArchived(w, r, classPart, msn, p.Offset, p.Size)
	}
}

// sendBytes sends a file that is in memory, in pieces.
func (s *Stream) sendBytes(w http.ResponseWriter, r *http.Request, class fileClass, contentType string, pieces [][]byte) {
	var size int64
	for _, p := range pieces {
		size += int64(len(p))
	}
	etag := fileHeaders(w, contentType, size)
	if r.Header.Get("Range") != "" {
		s.serveContent(w, r, class, &piecesReader{pieces: pieces, size: size})
		return
	}
	if matches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	s.write(w, r, class, pieces...)
}

// sendArchived sends a segment of the archive, or size bytes of it.
func (s *Stream) sendArchived(w http.ResponseWriter, r *http.Request, class fileClass, msn, offset, size int64) {
	if s.archive == nil || !s.archive.Recorded(msn) {
		fail(w, r, errNoFile)
		return
	}
	f, total, err := s.archive.OpenSegment(msn)
	if err != nil {
		s.log.Warn("a recorded segment cannot be read", "msn", msn, "err", err)
		fail(w, r, errNoFile)
		return
	}
	defer f.Close()
	var content io.ReadSeeker = f
	if size < 0 {
		size = total
	} else {
		content = &section{r: f, offset: offset, size: size}
	}
	fileHeaders(w, typeMP4, size)
	s.serveContent(w, r, class, content)
}

// fileHeaders sets the headers of a media file and returns its entity tag: names are unique within a show.
func fileHeaders(w http.ResponseWriter, contentType string, size int64) string {
	h := w.Header()
	etag := `"` + strconv.FormatInt(size, 36) + `"`
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", immutable)
	h.Set("ETag", etag)
	h.Set("Accept-Ranges", "bytes")
	return etag
}

// write sends pieces of a body. An error is the client's going away.
func (s *Stream) write(w http.ResponseWriter, r *http.Request, class fileClass, pieces ...[]byte) {
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	sent := 0
	for _, p := range pieces {
		n, err := w.Write(p)
		sent += n
		if err != nil {
			break
		}
	}
	s.metrics.sentBytes[class].Add(float64(sent))
}

// serveContent leaves ranges and conditions to net/http, which sends files without copying them.
func (s *Stream) serveContent(w http.ResponseWriter, r *http.Request, class fileClass, content io.ReadSeeker) {
	c := &countingWriter{ResponseWriter: w}
	http.ServeContent(c, r, "", time.Time{}, content)
	s.metrics.sentBytes[class].Add(float64(c.sent))
}

// segmentBytes returns the whole of a complete segment, from memory or the archive.
func (s *Stream) segmentBytes(seg *segment) ([]byte, error) {
	if seg.parts != nil {
		b := make([]byte, 0, seg.info.Size)
		for _, p := range seg.parts {
			b = append(b, p...)
		}
		return b, nil
	}
	if s.archive == nil || !s.archive.Recorded(seg.info.MSN) {
		return nil, errNoFile
	}
	f, size, err := s.archive.OpenSegment(seg.info.MSN)
	if err != nil {
		return nil, errs.As(errs.NotFound, "hls.segmentBytes", err, "the recording of this segment cannot be read")
	}
	defer f.Close()
	b := make([]byte, size)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, errs.As(errs.NotFound, "hls.segmentBytes", err, "the recording of this segment cannot be read")
	}
	return b, nil
}
