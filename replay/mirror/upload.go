package mirror

import (
	"cmp"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay"
)

const (
	// stepFiles is how many files of one show are uploaded before the others have their turn.
	stepFiles = 64
	// slowest is the rate in bytes a second below which an upload is given up: it would be faster anew.
	slowest = 8 << 10
)

// uploadAll uploads what is missing of the shows on air, then of the others, step by step, so that those on air never
// wait for a backlog.
func (m *Mirror) uploadAll(ctx context.Context) error {
	var failed error
	for {
		onAir := m.onAir()
		more, err := m.step(ctx, onAir, true)
		if err != nil && outside(err) {
			m.gauge()
			return err
		}
		failed = cmp.Or(err, failed)
		rest, err := m.step(ctx, m.resting(onAir), false)
		if err != nil && outside(err) {
			m.gauge()
			return err
		}
		failed = cmp.Or(err, failed)
		if !more && !rest || ctx.Err() != nil || failed != nil {
			break
		}
	}
	if failed == nil {
		m.rested = m.now()
	}
	m.gauge()
	return failed
}

func (m *Mirror) onAir() []string {
	m.mu.Lock()
	archive := m.archive
	m.mu.Unlock()
	if archive == nil {
		return nil
	}
	return recorded(archive)
}

// recorded lists the shows that are being recorded.
func recorded(archive *replay.Archive) (shows []string) {
	for _, rec := range archive.OnAir() {
		shows = append(shows, rec.Show())
	}
	return shows
}

// resting are the shows that are not on air and due to be looked at: those with something left to do always, all of them
// once a minute. Newer ones come first.
func (m *Mirror) resting(onAir []string) []string {
	due := m.now().Sub(m.rested) >= restInterval
	var shows []string
	for _, id := range m.local() {
		if s := m.work[id]; !slices.Contains(onAir, id) && !m.gone(id) && (due || s == nil || s.onAir || s.unfinished()) {
			shows = append(shows, id)
		}
	}
	modified := func(id string) int64 {
		if st, err := os.Stat(m.path(id, "")); err == nil {
			return st.ModTime().UnixNano()
		}
		return 0
	}
	slices.SortFunc(shows, func(a, b string) int { return cmp.Compare(modified(b), modified(a)) })
	return shows
}

// step uploads some files of each show. more says that there are others.
func (m *Mirror) step(ctx context.Context, shows []string, onAir bool) (more bool, err error) {
	var mu sync.Mutex
	var failed error
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxShows)
	for _, id := range shows {
		if m.gone(id) {
			continue
		}
		s := m.work[id]
		if s == nil {
			s = &show{m: m, id: id}
			m.work[id] = s
		}
		g.Go(func() error {
			left, err := s.step(ctx, onAir)
			mu.Lock()
			defer mu.Unlock()
			more = more || left
			if err != nil && !outside(err) { // a file here: the other shows go on
				failed = cmp.Or(failed, err)
				return nil
			}
			return err
		})
	}
	err = g.Wait()
	return more, cmp.Or(err, failed)
}

// gauge tells how far behind the bucket is.
func (m *Mirror) gauge() {
	pending, oldest := 0, time.Time{}
	for _, s := range m.work {
		pending += len(s.pending)
		if len(s.pending) > 0 && !s.pending[0].at.IsZero() && (oldest.IsZero() || s.pending[0].at.Before(oldest)) {
			oldest = s.pending[0].at
		}
	}
	m.metrics.Pending.Set(float64(pending))
	lag := 0.0
	if !oldest.IsZero() {
		lag = max(0, m.now().Sub(oldest).Seconds())
	}
	m.metrics.LagSeconds.Set(lag)
}

// upload stores a file of a show if the bucket does not have the same already. sum is what the index says of it, nil for
// files that it does not know.
func (m *Mirror) upload(ctx context.Context, showID, name string, sum *replay.FileSum, have *object) error {
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	f, err := os.Open(m.path(showID, name))
	if err != nil {
		return err
	}
	defer f.Close()
	size, crc, err := sumOf(f, sum)
	if err != nil {
		return err
	}
	if have != nil && have.size == size {
		same, err := m.same(ctx, folder(showID)+name, f, crc, have)
		if same || err != nil {
			return err
		}
	}
	return m.put(ctx, folder(showID)+name, f, size, crc)
}

// sumOf reads a file, checks it against its sums if it has some, and goes back to its beginning.
func sumOf(f *os.File, sum *replay.FileSum) (size int64, crc uint32, err error) {
	h := crc32.New(castagnoli)
	content := io.TeeReader(f, h)
	if sum != nil {
		size, err = sum.Size, sum.Check(content)
	} else {
		size, err = io.Copy(io.Discard, content)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	return size, h.Sum32(), err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// put stores a file, unless that takes for ever.
func (m *Mirror) put(ctx context.Context, name string, r Content, size int64, crc uint32) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute+time.Duration(size/slowest)*time.Second)
	defer cancel()
	if err := m.bucket.Upload(ctx, name, r, size, crc); err != nil {
		return err
	}
	m.metrics.Uploaded.Inc()
	m.metrics.UploadedBytes.Add(float64(size))
	return nil
}

// same reports whether the object has the bytes of f, as its MD5 or the CRC-32C that it carries says.
func (m *Mirror) same(ctx context.Context, name string, f *os.File, crc uint32, have *object) (bool, error) {
	if sum, err := md5Of(f); err != nil || sum == have.etag {
		return err == nil, err
	}
	size, stored, known, err := m.bucket.Stat(ctx, name)
	if errs.KindOf(err) == errs.NotFound {
		return false, nil
	}
	return err == nil && known && stored == crc && size == have.size, err
}

// damaged notes that a file here is not what its index says, once.
func (s *show) damaged(name string, err error) {
	if s.bad[name] {
		return
	}
	if s.bad == nil {
		s.bad = map[string]bool{}
	}
	s.bad[name] = true
	s.m.metrics.Damaged.Inc()
	s.m.log.Error("a recorded file is damaged and is not copied to the bucket; `vitrine archive repair` mends what can be mended",
		"show", s.id, "file", name, "error", err)
}

// isDamage reports whether err says that a file here is not there or not what it should be.
func isDamage(err error) bool {
	k := errs.KindOf(err)
	return k == errs.Conflict || k == errs.NotFound || errors.Is(err, os.ErrNotExist)
}
