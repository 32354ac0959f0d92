package preview

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ffmpeg"
	"github.com/vitrine-live/vitrine/media"
)

const (
	columns, rows = 5, 5
	perSheet      = columns * rows
	// longSide is of a tile in pixels: sharp on a phone's screen, 40 KB a sheet.
	longSide     = 192
	sheetQuality = 72
)

// interval is how far apart the tiles around an instant of a show are. It grows with the show, as a finger on a bar of the
// same width covers more of it; so a show of four hours has 87 sheets, and no tile is ever made anew.
func interval(at media.Ticks) media.Ticks {
	const minute = 60 * media.TicksPerSecond
	switch {
	case at < 20*minute:
		return 2 * media.TicksPerSecond
	case at < 60*minute:
		return 5 * media.TicksPerSecond
	case at < 240*minute:
		return 10 * media.TicksPerSecond
	}
	return 20 * media.TicksPerSecond
}

// slack is by how much a tile may come early: segments are not cut to the frame.
const slack = media.TicksPerSecond / 4

// shot is a picture to be taken: the first of a segment.
type shot struct {
	msn  int64
	init int
	at   media.Ticks
}

// shots chooses the pictures among segments. due is from when on the next one is wanted; where the picture changes, with a
// new publish, it may come earlier.
func shots(segments []playlist.Segment, video map[int]bool, due media.Ticks) []shot {
	var all []shot
	for i := range segments {
		s := &segments[i]
		want := due
		if s.Discontinuity {
			want -= interval(s.Start)/2 - slack
		}
		if s.Gap || !s.Independent || !video[s.Init] || s.Start < want {
			continue
		}
		all = append(all, shot{s.MSN, s.Init, s.Start})
		due = s.Start + interval(s.Start) - slack
	}
	return all
}

// size is of a tile in pixels.
type size struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

// fit is the size of a tile for pictures of w by h: the long side is given, both are even.
func fit(w, h int) size {
	if w <= 0 || h <= 0 {
		return size{longSide, longSide * 9 / 16}
	}
	even := func(long, short int) int { return max(32, (longSide*short/long+1)&^1) }
	if w >= h {
		return size{longSide, even(w, h)}
	}
	return size{even(h, w), longSide}
}

// sane reports whether fit could have said so, or nothing is known yet.
func (s size) sane() bool {
	return s == size{} || min(s.Width, s.Height) >= 32 && max(s.Width, s.Height) == longSide && s.Width%2 == 0 && s.Height%2 == 0
}

// bytes is what a tile takes as planes of 4:2:0.
func (s size) bytes() int { return s.Width * s.Height * 3 / 2 }

// take makes the tiles of shots, which have one initialization segment, with one run of ffmpeg. When that gives another
// number of pictures than was asked for, each shot has a run of its own, so that no tile shows another instant than
// it says; those of which none can be made are left out.
func (s *Service) take(ctx context.Context, src source, all []shot, tile size) ([]shot, [][]byte, error) {
	tiles, err := s.decode(ctx, src, all, tile)
	if err != nil && (ctx.Err() != nil || errs.KindOf(err) == errs.Unavailable) {
		return nil, nil, err
	}
	if err == nil && len(tiles) == len(all) {
		return all, tiles, nil
	}
	if len(all) == 1 {
		return nil, nil, err
	}
	var taken []shot
	tiles = tiles[:0]
	for i := range all {
		_, one, oneErr := s.take(ctx, src, all[i:i+1], tile)
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		if len(one) == 1 {
			taken, tiles = append(taken, all[i]), append(tiles, one[0])
		} else if oneErr != nil {
			err = oneErr
		}
	}
	if len(taken) == 0 {
		return nil, nil, err
	}
	return taken, tiles, nil
}

// decode runs ffmpeg on the first fragments of the segments: only their keyframes are decoded.
func (s *Service) decode(ctx context.Context, src source, all []shot, tile size) ([][]byte, error) {
	msns := make([]int64, len(all))
	for i := range all {
		msns[i] = all[i].msn
	}
	in, err := newStream(src, all[0].init, msns, false)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	// The first picture of each fragment: shots are a second or more apart, parts shorter than that.
	filter := fmt.Sprintf("select='isnan(prev_selected_t)+gte(t-prev_selected_t\\,0.9)',"+
		"scale=%[1]d:%[2]d:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=area:out_color_matrix=bt601:out_range=pc,format=yuvj420p,"+
		"pad=%[1]d:%[2]d:-1:-1,setsar=1", tile.Width, tile.Height)
	out := bytes.NewBuffer(make([]byte, 0, len(all)*tile.bytes()))
	err = ffmpeg.Run(ctx, ffmpeg.Job{
		Program: s.cfg.FFmpeg, Stdin: in, Stdout: out,
		Args: []string{
			"-threads", "1", "-skip_frame", "nokey", "-skip_loop_filter", "all", "-f", "mp4", "-i", "pipe:0", "-map", "0:v:0", "-filter_threads", "1", "-vf", filter,
			"-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1",
		},
	})
	if err != nil {
		return nil, err
	}
	n := out.Len() / tile.bytes()
	tiles := make([][]byte, n)
	for i := range tiles {
		tiles[i] = out.Bytes()[i*tile.bytes() : (i+1)*tile.bytes()]
	}
	return tiles, nil
}

// sheet is the picture that tiles are put into.
type sheet struct {
	tile size
	pic  *image.YCbCr
}

func newSheet(tile size) *sheet {
	s := &sheet{tile, image.NewYCbCr(image.Rect(0, 0, columns*tile.Width, rows*tile.Height), image.YCbCrSubsampleRatio420)}
	for i := range s.pic.Cb {
		s.pic.Cb[i], s.pic.Cr[i] = 128, 128 // black
	}
	return s
}

// put draws tile number n, 0 to perSheet-1: the planes of a picture one after another.
func (s *sheet) put(n int, planes []byte) {
	x, y := n%columns*s.tile.Width, n/columns*s.tile.Height
	w, h := s.tile.Width, s.tile.Height
	copyPlane(s.pic.Y[y*s.pic.YStride+x:], s.pic.YStride, planes, w, h)
	chroma := y/2*s.pic.CStride + x/2
	copyPlane(s.pic.Cb[chroma:], s.pic.CStride, planes[w*h:], w/2, h/2)
	copyPlane(s.pic.Cr[chroma:], s.pic.CStride, planes[w*h*5/4:], w/2, h/2)
}

func copyPlane(dst []byte, stride int, src []byte, w, h int) {
	for row := range h {
		copy(dst[row*stride:row*stride+w], src[row*w:])
	}
}

func (s *sheet) jpeg() ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, s.pic, &jpeg.Options{Quality: sheetQuality})
	return b.Bytes(), err
}
