package hls

import (
	"net/http"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// tsCacheSize is how many MPEG-TS segments of a show are kept: viewers of live media ask for the newest few.
const tsCacheSize = 6

// tsCache holds the MPEG-TS segments that were asked for last. Each is made once, however many ask.
type tsCache struct {
	making singleflight.Group

	mu    sync.Mutex
	files []tsFile // least recently used first
}

type tsFile struct {
	msn  int64
	data []byte
}

func (c *tsCache) get(msn int64) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.files, func(f tsFile) bool { return f.msn == msn })
	if i < 0 {
		return nil
	}
	f := c.files[i]
	c.files = append(slices.Delete(c.files, i, i+1), f)
	return f.data
}

func (c *tsCache) put(msn int64, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.files) == tsCacheSize {
		c.files = slices.Delete(c.files, 0, 1)
	}
	c.files = append(c.files, tsFile{msn, data})
}

func (c *tsCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files = nil
}

// dropBefore forgets what left the playlist: nobody may ask again for a long time.
func (c *tsCache) dropBefore(msn int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files = slices.DeleteFunc(c.files, func(f tsFile) bool { return f.msn < msn })
}

func (s *Stream) serveTS(w http.ResponseWriter, r *http.Request, msn int64) {
	data, err := s.tsSegment(msn)
	if err != nil {
		fail(w, r, err)
		return
	}
	s.sendBytes(w, r, classTS, typeTS, [][]byte{data})
}

func (s *Stream) tsSegment(msn int64) ([]byte, error) {
	if data := s.ts.get(msn); data != nil {
		return data, nil
	}
	data, err, _ := s.ts.making.Do(strconv.FormatInt(msn, 10), func() (any, error) {
		if data := s.ts.get(msn); data != nil {
			return data, nil
		}
		return s.remux(msn)
	})
	if err != nil {
		return nil, err
	}
	return data.([]byte), nil
}

// remux makes the MPEG-TS form of a complete segment.
func (s *Stream) remux(msn int64) ([]byte, error) {
	seg, init, known := s.find(msn)
	if !known || seg.info.Gap || msn >= s.live.Load().version.next {
		return nil, errNoFile
	}
	if !init.info.HasTS() {
		return nil, errNoTS
	}
	initData, err := s.initData(seg.info.Init)
	if err != nil {
		return nil, err
	}
	b, err := s.segmentBytes(&seg)
	if err != nil {
		return nil, err
	}
	data, err := s.cfg.TS(initData, b, init.info.Reorder)
	if err != nil {
		s.log.Error("a segment cannot be made into MPEG-TS", "msn", msn, "err", err)
		return nil, errs.As(errs.Internal, "hls.remux", err, "")
	}
	s.metrics.remuxes.Inc()
	s.ts.put(msn, data)
	return data, nil
}
