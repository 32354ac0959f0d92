package replay

import (
	"path"
	"sync/atomic"
	"time"
)

// outdatedAfter is how often the index of a recording that nobody records is looked at for changes by others: the
// command that repairs, or a fetched one that grew meanwhile.
const outdatedAfter = 5 * time.Second

// indexState is what is known of the file that a Recording was read from.
type indexState struct {
	size    atomic.Int64 // bytes; 0: unknown
	written atomic.Int64 // Unix nanoseconds; 0: unknown
	checked atomic.Int64 // Unix nanoseconds
}

func (r *Recording) noteIndex(size int64, written time.Time) {
	r.index.size.Store(size)
	r.index.written.Store(written.UnixNano())
	r.index.checked.Store(time.Now().UnixNano())
}

// outdated reports whether the index says something else than this Recording does.
func (r *Recording) outdated(now time.Time) bool {
	last := r.index.checked.Load()
	if now.Sub(time.Unix(0, last)) < outdatedAfter || !r.index.checked.CompareAndSwap(last, now.UnixNano()) {
		return false
	}
	size, written := r.indexFile()
	return r.index.size.Load() > 0 && size > 0 && (size != r.index.size.Load() || written.UnixNano() != r.index.written.Load())
}

// indexFile is 0 when there is no index.
func (r *Recording) indexFile() (size int64, written time.Time) {
	st, err := r.root.Stat(path.Join(r.dir, indexName))
	if err != nil {
		return 0, time.Time{}
	}
	return st.Size(), st.ModTime()
}
