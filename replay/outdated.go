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
	checked atomic.Int64 // Unix nanoseconds
}

func (r *Recording) noteIndex(size int64) {
	r.index.size.Store(size)
	r.index.checked.Store(time.Now().UnixNano())
}

// outdated reports whether the index says more than this Recording does.
func (r *Recording) outdated(now time.Time) bool {
	last := r.index.checked.Load()
	if now.Sub(time.Unix(0, last)) < outdatedAfter || !r.index.checked.CompareAndSwap(last, now.UnixNano()) {
		return false
	}
	known, size := r.index.size.Load(), r.indexFileSize()
	return known > 0 && size > 0 && size != known
}

// indexFileSize is 0 when there is no index.
func (r *Recording) indexFileSize() int64 {
	st, err := r.root.Stat(path.Join(r.dir, indexName))
	if err != nil {
		return 0
	}
	return st.Size()
}
