package transcode

import (
	"context"
	"fmt"
	"strconv"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// The encoders of H264 that are known, in the order in which one is looked for: hardware first, as it leaves the
// processor to the viewers.
const (
	nvenc        = "h264_nvenc"
	quickSync    = "h264_qsv"
	vaapi        = "h264_vaapi"
	videoToolbox = "h264_videotoolbox"
	v4l2         = "h264_v4l2m2m"
	x264         = "libx264"
)

// Encoders lists every encoder that Config.Encoder may name.
var Encoders = []string{nvenc, quickSync, vaapi, videoToolbox, v4l2, x264}

// vaapiDevice is the first graphics device of Linux.
const vaapiDevice = "/dev/dri/renderD128"

func deviceArguments(encoder string) []string {
	if encoder == vaapi {
		return []string{"-vaapi_device", vaapiDevice}
	}
	return nil
}

// uploadFilter brings pictures into the form that the encoder takes.
func uploadFilter(encoder string) string {
	switch encoder {
	case vaapi:
		return "format=nv12,hwupload"
	case quickSync:
		return "format=nv12"
	}
	return "format=yuv420p"
}

// encoderArguments are those of one rendition: no reordering, no picture held back, key pictures where they are forced.
func encoderArguments(encoder string, r Rendition, fps float64, gop int) []string {
	args := []string{
		"-c:v", encoder, "-bf", "0", "-g", strconv.Itoa(gop),
		"-b:v", strconv.Itoa(r.Bitrate), "-maxrate", strconv.Itoa(r.Bitrate * 6 / 5), "-bufsize", strconv.Itoa(r.Bitrate),
	}
	switch encoder {
	case x264:
		// zerolatency makes x264 count on pictures at an even rate, which it must be told. Slices for threads, its way
		// to use cores without delay, cost quality: there are as many renditions as cores.
		return append(args, "-preset", "veryfast", "-tune", "zerolatency", "-profile:v", "high", "-forced-idr", "1", "-sc_threshold", "0",
			"-x264-params", fmt.Sprintf("sliced-threads=0:threads=1:fps=%.3f", fpsOr(fps)))
	case nvenc:
		return append(args, "-preset", "p3", "-tune", "ull", "-zerolatency", "1", "-delay", "0", "-forced-idr", "1", "-no-scenecut", "1")
	case quickSync:
		return append(args, "-preset", "veryfast", "-async_depth", "1", "-forced_idr", "1")
	case vaapi:
		return append(args, "-async_depth", "1")
	case videoToolbox:
		return append(args, "-realtime", "1")
	}
	return args
}

// findEncoder returns the encoder to use: the configured one, or the first that works here.
func (t *Transcoder) findEncoder(ctx context.Context) (string, error) {
	t.searching.Lock()
	defer t.searching.Unlock()
	if t.encoder != "" {
		return t.encoder, nil
	}
	if t.cfg.Encoder != "auto" {
		t.encoder = t.cfg.Encoder
		return t.encoder, nil
	}
	for _, e := range Encoders {
		if t.TryEncoder(ctx, e) == nil {
			t.log.Info("an encoder for renditions was found", "encoder", e)
			t.encoder = e
			return e, nil
		}
	}
	return "", errs.New(errs.Unavailable, "transcode.findEncoder", "this ffmpeg has no encoder of H264 that works here; install one with libx264 (Debian: apt-get install ffmpeg)")
}
