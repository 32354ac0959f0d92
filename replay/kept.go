package replay

import "github.com/vitrine-live/vitrine/internal/memo"

// cached is what is made for a show when somebody asks for it, a playlist or an MPEG-TS segment, with the bytes it takes.
type cached interface{ size() int64 }

func newCache(limit int64, m *Metrics) *memo.Cache[cached] {
	return memo.New(memo.Config[cached]{
		Limit: limit, Size: cached.size, Hits: m.CacheHits, Misses: m.CacheMisses, Bytes: m.CacheBytes,
	})
}
