package mirror

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/replay"
)

// trimLoop lets go of local media from time to time until ctx ends.
func (m *Mirror) trimLoop(ctx context.Context) {
	t := time.NewTicker(trimInterval)
	defer t.Stop()
	for {
		m.saveWatched()
		if err := m.Trim(ctx); err != nil && ctx.Err() == nil && !outside(err) { // Sync tells of the bucket
			m.log.Warn("local copies could not be let go", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// staleTemporary is the age at which nobody is writing a file any more.
const staleTemporary = 6 * time.Hour

// candidate is a show whose media is here.
type candidate struct {
	show  string
	bytes int64
	used  time.Time // when somebody last watched it, or it ended
}

// Trim lets go of the local media of shows that are over and in the bucket: of what is older than Config.KeepLocal, then
// of what was watched longest ago until Config.MaxLocal and Config.MinFree are kept. Before anything goes the bucket is
// asked whether it has every file of it.
func (m *Mirror) Trim(ctx context.Context) error {
	m.mu.Lock()
	archive := m.archive
	m.mu.Unlock()
	if archive == nil {
		return nil
	}
	shows, total := m.candidates(recorded(archive))
	m.metrics.LocalBytes.Set(float64(total))
	missing := max(0, m.cfg.MinFree-archive.FreeSpace())
	now := m.now()
	for _, c := range shows {
		old := m.cfg.KeepLocal > 0 && now.Sub(c.used) > m.cfg.KeepLocal
		crowded := m.cfg.MaxLocal > 0 && total > m.cfg.MaxLocal
		if !old && !crowded && missing <= 0 {
			break // they are in the order in which they leave
		}
		freed, err := m.trimShow(ctx, archive, &c)
		if err != nil {
			return err
		}
		total -= freed
		missing -= freed
	}
	m.metrics.LocalBytes.Set(float64(total))
	return nil
}

// candidates are the shows that may leave, those used longest ago first, and the bytes of all media here.
func (m *Mirror) candidates(onAir []string) (shows []candidate, total int64) {
	for _, id := range m.local() {
		bytes := m.mediaBytes(id)
		total += bytes
		st, ok := m.states.load(id)
		if bytes == 0 || !ok || !st.Complete || m.gone(id) || slices.Contains(onAir, id) {
			continue
		}
		used := st.Ended
		m.mu.Lock()
		if at := m.watched[id]; at.After(used) {
			used = at
		}
		m.mu.Unlock()
		shows = append(shows, candidate{show: id, bytes: bytes, used: used})
	}
	slices.SortFunc(shows, func(a, b candidate) int { return cmp.Or(a.used.Compare(b.used), strings.Compare(a.show, b.show)) })
	return shows, total
}

func (m *Mirror) mediaBytes(showID string) (sum int64) {
	entries, err := os.ReadDir(m.path(showID, ""))
	if err != nil {
		return 0
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue
		}
		switch {
		case replay.IsMedia(e.Name()):
			sum += info.Size()
		case replay.IsTemporary(e.Name()) && m.now().Sub(info.ModTime()) > staleTemporary:
			_ = os.Remove(m.path(showID, e.Name())) // whoever wrote it was killed
		}
	}
	return sum
}

// trimShow lets go of the media of a show, if the bucket has all of it.
func (m *Mirror) trimShow(ctx context.Context, archive *replay.Archive, c *candidate) (freed int64, err error) {
	have := map[string]int64{}
	err = m.bucket.Walk(ctx, folder(c.show), func(name string, size int64, _ string) error {
		have[strings.TrimPrefix(name, folder(c.show))] = size
		return nil
	})
	if err != nil {
		return 0, err
	}
	entries, err := os.ReadDir(m.path(c.show, ""))
	if err != nil {
		return 0, ignoreMissing(err)
	}
	_, safe := have[replay.IndexName]
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !replay.IsMedia(e.Name()) {
			continue
		}
		size, ok := have[e.Name()]
		safe = safe && ok && size == info.Size()
	}
	if !safe {
		m.log.Error("the bucket lacks files of a show that it had: the local ones stay and are compared anew", "show", c.show, "bucket", m.bucket.String())
		m.states.remove(c.show)
		m.forgetWork(c.show)
		return 0, nil
	}
	freed, err = archive.DropLocal(c.show)
	m.metrics.TrimmedBytes.Add(float64(freed))
	if err == nil {
		m.log.Info("local media of a show is let go; the bucket has it", "show", c.show, "bytes", freed)
	}
	return freed, err
}

// forgetWork makes the next round begin anew with a show.
func (m *Mirror) forgetWork(showID string) {
	m.round.Lock()
	defer m.round.Unlock()
	delete(m.work, showID)
}
