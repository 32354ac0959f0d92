package mirror

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/replay"
)

const (
	// aheadSegments is how many segments behind one that was fetched are fetched too: whoever plays wants them next.
	aheadSegments = 3
	// maxAhead is how many wait for that; more are not noted, as players ask for them anyway.
	maxAhead = 64
	// maxOthers bounds the files that are brought back with an index.
	maxOthers = 5000
)

// aheadOf is a segment that was fetched.
type aheadOf struct {
	show string
	msn  int64
}

// Fetch brings a file of a show into its folder, checked against the index; what is there stays. Of calls for the same
// file one brings it for all. It implements replay.Copies, which says what it returns.
func (m *Mirror) Fetch(ctx context.Context, showID, name string) error {
	const op = "mirror.Fetch"
	// Other files come with the index: nobody may make us ask the bucket for names that never were.
	if _, named := playlist.ParseName(name); !ids.Valid("show", showID) || !named && name != replay.IndexName || !m.Has(showID) {
		return errs.New(errs.NotFound, op, "there is no copy of this file")
	}
	_, err, _ := m.fetching.Do(showID+"/"+name, func() (any, error) {
		select {
		case m.fetches <- struct{}{}:
			defer func() { <-m.fetches }()
		case <-ctx.Done():
			return nil, errs.As(errs.Unavailable, op, ctx.Err(), "too many files are being fetched: try again")
		}
		if name == replay.IndexName {
			return nil, m.adopt(ctx, showID)
		}
		return nil, m.fetchFile(ctx, showID, name)
	})
	if err == nil {
		m.wantNext(showID, name)
	}
	return errs.Wrap(op, err)
}

// fetchFile brings one file that the index names.
func (m *Mirror) fetchFile(ctx context.Context, showID, name string) error {
	const op = "mirror.fetchFile"
	if _, err := os.Stat(m.path(showID, name)); err == nil {
		return nil
	}
	if err := m.room(); err != nil {
		return err
	}
	sum, err := m.sums.of(m.path(showID, replay.IndexName), name)
	if err != nil {
		return errs.Wrap(op, err)
	}
	if sum == nil {
		return errs.New(errs.NotFound, op, "the recording has no such file")
	}
	began := m.now()
	n, err := download(ctx, m.bucket, folder(showID)+name, m.path(showID, name), sum)
	if errs.KindOf(err) == errs.Conflict {
		m.metrics.Damaged.Inc()
		m.log.Error("a file in the bucket is damaged; `vitrine archive repair` mends what can be mended", "show", showID, "file", name, "error", err)
		return errs.As(errs.Unavailable, op, err, "this part of the recording is damaged")
	}
	if err != nil {
		return err
	}
	m.metrics.Fetched.Inc()
	m.metrics.FetchedBytes.Add(float64(n))
	m.metrics.FetchSeconds.Observe(m.now().Sub(began).Seconds())
	return nil
}

// room refuses to fill the disk with what is kept elsewhere.
func (m *Mirror) room() error {
	m.mu.Lock()
	archive := m.archive
	m.mu.Unlock()
	if archive == nil || m.cfg.Reserve == 0 || archive.FreeSpace() >= m.cfg.Reserve {
		return nil
	}
	return errs.New(errs.Exhausted, "mirror.Fetch", "the disk is full: this part of the recording cannot be fetched for now")
}

// download brings a file from the bucket to path, whole, checked and on the disk, or not at all. Conflict: its bytes are
// not what sum, or the sum that it carries, says.
func download(ctx context.Context, b Bucket, name, path string, sum *replay.FileSum) (size int64, err error) {
	const op = "mirror.download"
	body, size, crc, known, err := b.Download(ctx, name)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if errors.Is(err, os.ErrNotExist) {
		return 0, errs.As(errs.NotFound, op, err, "the recording is gone")
	} else if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	h := crc32.New(castagnoli)
	err = receive(io.TeeReader(body, io.MultiWriter(f, h)), size, sum)
	if err == nil && known && h.Sum32() != crc {
		err = errs.New(errs.Conflict, op, "%s differs from the sum that it carries", name)
	}
	if err := errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return 0, err
	}
	return size, os.Rename(f.Name(), path)
}

// receive reads all of r, which should have size bytes.
func receive(r io.Reader, size int64, sum *replay.FileSum) error {
	const op = "mirror.download"
	if sum != nil && sum.Size != size {
		return errs.New(errs.Conflict, op, "%s has %d bytes instead of %d", sum.Name, size, sum.Size)
	}
	counted := &counter{r: r}
	var err error
	if sum != nil {
		err = sum.Check(counted)
	} else {
		_, err = io.Copy(io.Discard, counted)
	}
	switch {
	case errs.KindOf(err) == errs.Conflict:
		return err
	case counted.n < size:
		return errs.As(errs.Unavailable, op, errors.Join(err, io.ErrUnexpectedEOF), "the bucket broke off")
	}
	return err
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// wantNext notes the segments behind one that was fetched.
func (m *Mirror) wantNext(showID, name string) {
	n, ok := playlist.ParseName(name)
	if !ok || n.Kind != playlist.SegmentFile {
		return
	}
	select {
	case m.ahead <- aheadOf{showID, n.MSN}:
	default:
	}
}

// fetchAhead fetches what players want next until ctx ends.
func (m *Mirror) fetchAhead(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case next := <-m.ahead:
			m.fetchBehind(ctx, next)
		}
	}
}

func (m *Mirror) fetchBehind(ctx context.Context, at aheadOf) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for msn := at.msn + 1; msn <= at.msn+aheadSegments; msn++ {
		name := playlist.SegmentName(msn, playlist.CMAF)
		if sum, err := m.sums.of(m.path(at.show, replay.IndexName), name); err != nil || sum == nil {
			return // the end, or a gap
		}
		_, err, _ := m.fetching.Do(at.show+"/"+name, func() (any, error) { return nil, m.fetchFile(ctx, at.show, name) })
		if err != nil {
			return
		}
	}
}

// adopt makes the folder of a show that only the bucket has, or brings its index up to date: everything but the media,
// the index last, so that a folder with an index is complete.
func (m *Mirror) adopt(ctx context.Context, showID string) error {
	names := map[string]object{}
	err := m.bucket.Walk(ctx, folder(showID), func(name string, size int64, etag string) error {
		if name = strings.TrimPrefix(name, folder(showID)); filepath.Base(name) == name && !replay.IsMedia(name) {
			names[name] = object{size, etag}
		}
		return nil
	})
	if err != nil {
		return err
	}
	index, err := indexOf(ctx, m.bucket, showID, names)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(m.path(showID, ""), 0o755); err != nil {
		return err
	}
	if err := m.adoptOthers(ctx, showID, names); err != nil {
		return err
	}
	return m.adoptIndex(showID, names, index)
}

func (m *Mirror) adoptOthers(ctx context.Context, showID string, names map[string]object) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxFetches)
	n := 0
	for name := range names {
		if name == replay.IndexName || isPiece(name) || replay.IsTemporary(name) || strings.HasPrefix(name, ".") {
			continue
		}
		if n++; n > maxOthers {
			break
		}
		if _, err := os.Stat(m.path(showID, name)); err == nil {
			continue
		}
		g.Go(func() error {
			_, err := download(ctx, m.bucket, folder(showID)+name, m.path(showID, name), nil)
			return err
		})
	}
	return g.Wait()
}

func (m *Mirror) adoptIndex(showID string, names map[string]object, index []byte) error {
	_, whole := names[replay.IndexName]
	st, _ := m.states.load(showID)
	st.Fetched, st.Complete, st.Index = true, whole, int64(len(index))
	st.Ended = lastOf(index)
	if err := m.states.save(showID, &st); err != nil {
		return err
	}
	path := m.path(showID, replay.IndexName)
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(index)
	if err := errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}

// lastOf is when the last segment that an index names ended.
func lastOf(index []byte) (last time.Time) {
	x := replay.NewIndexReader(bytes.NewReader(index))
	for {
		e, err := x.Next()
		if err != nil {
			return last
		}
		if e.Segment && !e.Wall.IsZero() {
			last = e.Wall.Add(e.Duration.Duration())
		}
	}
}

// sumCache keeps what the indexes of a few shows say, as long as they do not grow. Safe for concurrent use.
type sumCache struct {
	mu    sync.Mutex
	shows map[string]*sums // by path of the index
}

type sums struct {
	size  int64
	files map[string]*replay.FileSum
}

// maxSums is how many shows are remembered: 2 MB for one of four hours.
const maxSums = 16

// of returns what the index at path says of a file, nil when it does not know it.
func (c *sumCache) of(path, name string) (*replay.FileSum, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errs.As(errs.NotFound, "mirror.sums", err, "the show has no recording")
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if known := c.shows[path]; known != nil && known.size == st.Size() {
		return known.files[name], nil
	}
	read := &sums{size: st.Size(), files: map[string]*replay.FileSum{}}
	x := replay.NewIndexReader(f)
	for {
		e, err := x.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if e.File != nil {
			read.files[e.File.Name] = e.File
		}
	}
	if c.shows == nil || len(c.shows) >= maxSums {
		c.shows = map[string]*sums{}
	}
	c.shows[path] = read
	return read.files[name], nil
}
