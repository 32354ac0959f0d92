// Package transcode turns samples into samples of another kind, by ffmpeg: the lower renditions of a show's picture (a
// Ladder), and the sound and picture of browsers into what HLS takes (Convert).
//
// Whatever becomes of a process of ffmpeg, the samples that need none are never held up: each process is fed from a
// bounded queue, is ended when it dies, hangs or falls behind, and starts again after a pause.
package transcode

import (
	"log/slog"
	"os/exec"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Transcoder starts what transcodes, within one budget. Make one with New. It is safe for concurrent use.
type Transcoder struct {
	cfg     Config
	log     *slog.Logger
	metrics *Metrics
	budget  budget
	pause   time.Duration // after the first failure of a process

	searching sync.Mutex // held while an encoder is looked for; guards encoder
	encoder   string     // that works here; empty until it was looked for
}

// New returns a Transcoder. It starts nothing and looks for nothing yet, so it serves without ffmpeg: what needs it then
// fails as Unavailable. The error is Invalid when cfg is.
func New(cfg Config, log *slog.Logger, m *Metrics) (*Transcoder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	t := &Transcoder{cfg: cfg, log: log, metrics: m, pause: firstPause}
	t.budget.init(cfg.MaxCost, m)
	return t, nil
}

// Ready tells whether transcoding can be asked for: nil, or an Unavailable error with the remedy.
func (t *Transcoder) Ready() error {
	_, err := t.program()
	return err
}

// program returns the path of ffmpeg.
func (t *Transcoder) program() (string, error) {
	path, err := exec.LookPath(t.cfg.FFmpeg)
	if err != nil {
		return "", errs.As(errs.Unavailable, "transcode.program", err,
			"this server cannot transcode: ffmpeg is not installed (Debian: apt-get install ffmpeg), or transcode.ffmpeg names the wrong file")
	}
	return path, nil
}
