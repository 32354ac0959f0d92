package clip

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ffmpeg"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
)

const (
	// posterTimeout ends a program that hangs on one picture.
	posterTimeout = 30 * time.Second
	// posterAfter is how far into a clip its picture is taken: at a cut the first one is often in between.
	posterAfter = media.TicksPerSecond
)

// servePoster serves the picture of a clip. It is made when it is first asked for; the client waits for it.
func (s *Service) servePoster(w http.ResponseWriter, r *http.Request, c *Clip) error {
	if !c.HasFile() { // then it is a picture of the recording, and goes with it
		if _, err := s.recording(c.ShowID); errs.KindOf(err) == errs.NotFound {
			return err
		}
	}
	f, st, err := s.open(c.ID, posterName)
	if errs.KindOf(err) == errs.NotFound {
		// Whoever asked first may hang up; the picture is for all.
		_, err, _ = s.posters.Do(c.ID, func() (any, error) { return nil, s.makePoster(context.WithoutCancel(r.Context()), c) })
		if err == nil {
			f, st, err = s.open(c.ID, posterName)
		}
	}
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Cache-Control", cacheFile)
	h.Set("ETag", etagOf(st))
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

// makePoster makes the picture of a clip: of its file, if it has one, as a styled one looks like nothing else.
func (s *Service) makePoster(ctx context.Context, c *Clip) error {
	const op = "clip.poster"
	s.grabs <- struct{}{}
	defer func() { <-s.grabs }()
	ctx, cancel := context.WithTimeout(ctx, posterTimeout)
	defer cancel()
	after := min(posterAfter, c.Span.Len()/3)
	var picture limited
	var err error
	if c.HasFile() {
		err = s.grab(ctx, nil, s.path(c.ID, fileName), after, &picture)
	} else {
		err = s.grabRecorded(ctx, c, c.Span.From+after, &picture)
	}
	if errs.KindOf(err) == errs.Unavailable || errs.KindOf(err) == errs.NotFound {
		return errs.Wrap(op, err)
	}
	if err != nil || picture.Len() == 0 || picture.over {
		return errs.As(errs.NotFound, op, errors.Join(err, errors.New("no picture came out")), "no picture could be made of this clip")
	}
	return errs.Wrap(op, s.keepPoster(c.ID, picture.Bytes()))
}

func (s *Service) keepPoster(id string, picture []byte) error {
	if err := s.room(int64(len(picture))); err != nil {
		return err
	}
	if err := s.root.MkdirAll(id, 0o750); err != nil {
		return err
	}
	part := path.Join(id, posterName+".part")
	return errors.Join(s.root.WriteFile(part, picture, 0o640), s.root.Rename(part, path.Join(id, posterName)))
}

// grabRecorded takes the picture at a show time out of the recording.
func (s *Service) grabRecorded(ctx context.Context, c *Clip, at media.Ticks, picture io.Writer) error {
	const op = "clip.poster"
	rec, err := s.recording(c.ShowID)
	if err != nil {
		return err
	}
	for _, seg := range segmentsOf(rec.Segments(), media.Span{From: at, To: c.Span.To}) {
		if seg.Gap || !seg.Independent || !pictured(rec, seg.Init) {
			continue
		}
		stream, done, err := streamOf(rec, seg)
		if err != nil {
			return err
		}
		defer done()
		return s.grab(ctx, stream, "pipe:0", max(0, at-seg.Start), picture)
	}
	return errs.New(errs.NotFound, op, "the clip has no picture")
}

func pictured(rec *replay.Recording, init int) bool {
	for _, in := range rec.Inits() {
		if in.Number == init {
			return in.Width > 0
		}
	}
	return false
}

// streamOf is a segment that can be read by itself.
func streamOf(rec *replay.Recording, seg playlist.Segment) (io.Reader, func(), error) {
	init, err := rec.InitData(seg.Init)
	if err != nil {
		return nil, nil, err
	}
	f, _, err := rec.OpenSegment(seg.MSN)
	if err != nil {
		return nil, nil, err
	}
	return io.MultiReader(bytes.NewReader(init), f), func() { _ = f.Close() }, nil
}

// grab makes a JPEG of the picture so far into a stream.
func (s *Service) grab(ctx context.Context, stdin io.Reader, input string, after media.Ticks, picture io.Writer) error {
	args := []string{"-threads", "1"}
	if stdin != nil {
		args = append(args, "-f", "mp4")
	}
	args = append(args, "-i", input)
	if after > 0 {
		args = append(args, "-ss", strconv.FormatFloat(after.Seconds(), 'f', 3, 64))
	}
	args = append(args, "-map", "0:v:0", "-frames:v", "1", "-vf", "scale='min(1280,iw)':-2", "-q:v", "3", "-f", "mjpeg", "pipe:1")
	return ffmpeg.Run(ctx, ffmpeg.Job{Program: s.cfg.FFmpeg, Args: args, Stdin: stdin, Stdout: picture})
}

// maxPoster is more than any picture takes.
const maxPoster = 8 << 20

// limited keeps the first bytes of a program's output.
type limited struct {
	bytes.Buffer
	over bool
}

func (b *limited) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxPoster {
		b.over = true
		return len(p), nil
	}
	return b.Buffer.Write(p)
}
