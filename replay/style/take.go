package style

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"os"
	"strconv"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ffmpeg"
)

// maxMark is the longer side of a watermark as it is kept: more never shows.
const maxMark = 1024

// minMark is the shortest side of a watermark.
const minMark = 16

// takeWatermark decodes a picture and keeps it as a PNG file: what is no picture of it is dropped.
func takeWatermark(asset *Asset, upload, made string) error {
	const op = "style.takeWatermark"
	b, err := os.ReadFile(upload)
	if err != nil {
		return errs.As(errs.Internal, op, err, "the file cannot be read")
	}
	img, err := decode("file", b)
	if err != nil {
		return err
	}
	if size := img.Bounds().Size(); size.X < minMark || size.Y < minMark {
		return errs.Field(op, "file", "the image is too small: %d x %d", size.X, size.Y)
	}
	img = shrink(img, maxMark)
	asset.Width, asset.Height = img.Bounds().Dx(), img.Bounds().Dy()
	var out bytes.Buffer
	if err := png.Encode(&out, straight(img)); err != nil {
		return errs.Wrap(op, err)
	}
	return errs.As(errs.Internal, op, os.WriteFile(made, out.Bytes(), 0o640), "the file cannot be kept")
}

// What a video may be made of. Playlists are no videos: they would have ffmpeg read other files of the server, or addresses.
const (
	videoFormats = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,avi,flv,mpeg,asf,gif"
	maxPixels    = 4096 * 2304
	maxVideoSide = 1920
	// longestTake ends the decoding of a video that was made to take for ever.
	longestTake = 5 * time.Minute
	slack       = 500 * time.Millisecond // some frames more than MaxVideoLength are forgiven
)

// takeVideo encodes a video anew, no larger than it will be shown: H264 and AAC, upright, at a steady rate.
func (a *Assets) takeVideo(ctx context.Context, asset *Asset, upload, made string) error {
	const op = "style.takeVideo"
	ctx, cancel := context.WithTimeoutCause(ctx, longestTake, errs.Field(op, "file", "the video takes too long to decode; send one of at most 1920 x 1080"))
	defer cancel()
	threads := strconv.Itoa(a.config.Threads)
	side := strconv.Itoa(maxVideoSide)
	err := ffmpeg.Run(ctx, ffmpeg.Job{Program: a.config.FFmpeg, Args: []string{
		"-threads", threads, "-max_pixels", strconv.Itoa(maxPixels), "-protocol_whitelist", "file", "-format_whitelist", videoFormats,
		"-i", "file:" + upload, "-map", "0:v:0", "-map", "0:a:0?", "-map_metadata", "-1", "-map_chapters", "-1", "-t", fmt.Sprint((MaxVideoLength + 2*time.Second).Seconds()),
		"-vf", "scale=w=trunc(iw*sar/2)*2:h=trunc(ih/2)*2:out_color_matrix=bt709:out_range=tv,setsar=1,scale=w=min(iw\\," + side + "):h=min(ih\\," + side + "):force_original_aspect_ratio=decrease:force_divisible_by=2,format=yuv420p",
		"-fps_mode", "cfr", "-fpsmax", "60", "-c:v", "libx264", "-preset", "veryfast", "-crf", "17", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
		"-c:a", "aac", "-b:a", "192k", "-ar", "48000", "-ac", "2", "-threads", threads, "-movflags", "+faststart", "-f", "mp4", made,
	}})
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errs.KindOf(err) != errs.Internal:
		return err
	default:
		return errs.As(errs.Invalid, op, err, "this is no video that can be read; send an MP4, MOV, WebM or MKV file of at most 4096 x 2304")
	}
	f, err := probe("file", made)
	if err != nil || f.width == 0 {
		return errs.Field(op, "file", "the video has no picture")
	}
	length := time.Duration(f.seconds * float64(time.Second))
	if length > MaxVideoLength+slack {
		return errs.Field(op, "file", "the video is longer than %d seconds", int(MaxVideoLength.Seconds()))
	}
	asset.Width, asset.Height, asset.Millis = f.width, f.height, length.Milliseconds()
	return nil
}
