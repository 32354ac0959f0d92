package transcode

import (
	"slices"
	"strings"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Config says with what to transcode, and how much. The zero value is the default.
type Config struct {
	// FFmpeg is the program, a path or a name that is looked for in PATH. Default "ffmpeg". Version 5.1 or newer.
	FFmpeg string
	// Encoder is what codes H264: one of Encoders, or "auto", which takes the first of them that works on this machine
	// and is the default.
	Encoder string
	// MaxCost is how many processor cores all transcoding together may take, by estimate. 0 stands for three quarters
	// of those that the process may use. A ladder that would go beyond it is refused.
	MaxCost float64
}

func (c Config) withDefaults() Config {
	if c.FFmpeg == "" {
		c.FFmpeg = "ffmpeg"
	}
	if c.Encoder == "" {
		c.Encoder = "auto"
	}
	if c.MaxCost == 0 {
		c.MaxCost = defaultBudget()
	}
	return c
}

// Validate returns an Invalid error that names the first field out of its range, or nil.
func (c Config) Validate() error {
	const op = "transcode.Config"
	if c.Encoder != "" && c.Encoder != "auto" && !slices.Contains(Encoders, c.Encoder) {
		return errs.Field(op, "encoder", "%q is none of auto, %s", c.Encoder, strings.Join(Encoders, ", "))
	}
	if c.MaxCost < 0 {
		return errs.Field(op, "max_cost", "%v cores is negative", c.MaxCost)
	}
	return nil
}
