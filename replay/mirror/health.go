package mirror

import (
	"log/slog"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// health tells the log when what the bucket says of itself changes, and no more than that.
type health struct {
	log     *slog.Logger
	metrics *Metrics
	bucket  string

	mu    sync.Mutex
	says  string // "": all is well
	since time.Time
	known bool
}

func (h *health) note(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	says := ""
	if err != nil {
		if says = errs.MessageOf(err); says == "" {
			says = err.Error()
		}
		h.metrics.Failures.Inc()
		h.metrics.Up.Set(0)
	} else {
		h.metrics.Up.Set(1)
	}
	was, known := h.says, h.known
	h.says, h.known = says, true
	switch {
	case says == was && known:
	case err != nil:
		if was == "" {
			h.since = time.Now()
		}
		h.log.Error("recordings are not copied to the bucket for now; shows and their recording go on", "bucket", h.bucket, "reason", says, "error", err)
	case known:
		h.log.Info("recordings are copied to the bucket again", "bucket", h.bucket, "after", time.Since(h.since).Round(time.Second))
	default:
		h.log.Info("recordings are copied to the bucket", "bucket", h.bucket)
	}
}

func (h *health) failing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.says != ""
}
