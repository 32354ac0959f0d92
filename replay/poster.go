package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/memo"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/edit"
)

const (
	posterName = "poster.jpg"
	// posterAfter is how far into a show its picture is looked for: the first seconds are often black.
	posterAfter = 4 * media.TicksPerSecond
	// posterTimeout ends a program that hangs on one picture.
	posterTimeout = 30 * time.Second
	// posterRetry is how long a show that no picture could be made of is left alone.
	posterRetry = time.Minute
	maxPoster   = 8 << 20
)

// posters makes a picture of each show with ffmpeg: one at a time and at low priority, as nobody waits for it who is
// not looking at a page. Safe for concurrent use.
type posters struct {
	archive *Archive
	ctx     context.Context //nolint:containedctx // ends with the archive, whoever asked for a picture
	turn    chan struct{}   // one picture at a time
	jobs    sync.WaitGroup

	mu     sync.Mutex
	closed bool
	making map[memo.Key]*posterJob
	failed map[memo.Key]posterFailure // not long ago
}

// posterJob is a picture in the making. err is valid once done is closed.
type posterJob struct {
	done chan struct{}
	err  error
}

type posterFailure struct {
	at  time.Time
	err error
}

func newPosters(ctx context.Context, a *Archive) *posters {
	return &posters{
		archive: a, ctx: ctx, turn: make(chan struct{}, 1),
		making: map[memo.Key]*posterJob{}, failed: map[memo.Key]posterFailure{},
	}
}

// wait waits for the pictures in the making. The context of newPosters must be done.
func (p *posters) wait() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.jobs.Wait()
}

// offer makes the picture of a show in the background, once, when the show is long enough or over.
func (p *posters) offer(rec *Recording) {
	if rec.Duration() < 2*posterAfter && !rec.Ended() || rec.offered.Swap(true) || rec.exists(posterName) {
		return
	}
	_, _ = p.start(rec, defaultPicture) // run logs what goes wrong
}

// start begins to make the picture of a show unless that is under way, or was tried just now.
func (p *posters) start(rec *Recording, want picture) (*posterJob, error) {
	key := memo.Key{Group: rec.show, Name: want.name}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if j := p.making[key]; j != nil {
		return j, nil
	}
	if f, ok := p.failed[key]; ok && time.Since(f.at) < posterRetry {
		return nil, f.err
	}
	j := &posterJob{done: make(chan struct{})}
	p.making[key] = j
	p.jobs.Go(func() { p.run(rec, want, j) })
	return j, nil
}

func (p *posters) run(rec *Recording, want picture, j *posterJob) {
	key := memo.Key{Group: rec.show, Name: want.name}
	defer close(j.done)
	select {
	case p.turn <- struct{}{}:
		j.err = p.make(rec, want)
		<-p.turn
	case <-p.ctx.Done():
		j.err = errClosed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.making, key)
	maps.DeleteFunc(p.failed, func(k memo.Key, f posterFailure) bool {
		return k == key || time.Since(f.at) >= posterRetry
	})
	if j.err == nil {
		return
	}
	p.failed[key] = posterFailure{time.Now(), j.err}
	if errs.KindOf(j.err) != errs.NotFound && p.ctx.Err() == nil {
		p.archive.log.Warn("no poster could be made", "show", rec.show, "error", j.err)
	}
}

// make makes a picture of a show, unless it is there already.
func (p *posters) make(rec *Recording, want picture) error {
	const op = "replay.poster"
	if rec.exists(want.name) {
		return nil
	}
	program, err := exec.LookPath(p.archive.cfg.FFmpeg)
	if err != nil {
		return errs.As(errs.NotFound, op, err, "this server makes no posters: ffmpeg is not installed")
	}
	if want == defaultPicture {
		s, ok := rec.posterSegment(nil)
		if !ok {
			return errs.New(errs.NotFound, op, "the show has no picture yet that a poster could be made of")
		}
		want.at = s.Start
	}
	made, err := rec.grabAt(p.ctx, program, want)
	if err != nil {
		return errs.As(errs.NotFound, op, err, "no poster could be made of this show")
	}
	if err := p.archive.writePoster(rec, want.name, made); err != nil {
		return errs.Wrap(op, err)
	}
	if err := p.archive.pruneCovers(rec); err != nil {
		p.archive.log.Warn("covers that are not used any more could not be removed", "show", rec.show, "error", err)
	}
	return nil
}

// posterSegment is the first segment with a picture some seconds into the show, or at its beginning, that is not cut out.
func (r *Recording) posterSegment(cuts []media.Span) (found playlist.Segment, ok bool) {
	v := r.view()
	for _, s := range v.segments {
		in, known := r.init(s.Init)
		if edit.LeftOut(&s, cuts) || s.Gap || !s.Independent || !known || in.Width == 0 {
			continue
		}
		if !ok || s.Start >= posterAfter {
			found, ok = s, true
		}
		if s.Start >= posterAfter {
			break
		}
	}
	return found, ok
}

// grab runs ffmpeg to make a JPEG of picture n of stream, 0 for the first that is presented.
func grab(ctx context.Context, program string, stream io.Reader, n int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, posterTimeout)
	defer cancel()
	args := []string{
		program, "-hide_banner", "-loglevel", "error", "-threads", "1", "-f", "mp4", "-i", "pipe:0",
		"-map", "0:v:0", "-frames:v", "1", "-vf", fmt.Sprintf("select=gte(n\\,%d),scale='min(1280,iw)':-2", n), "-q:v", "3", "-f", "mjpeg", "pipe:1",
	}
	if nice, err := exec.LookPath("nice"); err == nil {
		args = append([]string{nice, "-n", "19"}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = time.Second
	cmd.Stdin = stream
	var picture, complaint limitedBuffer
	cmd.Stdout, cmd.Stderr = &picture, &complaint
	// That ffmpeg stops reading once it has its picture is no failure, so only the exit status and the picture count.
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) || picture.Len() == 0 || picture.over {
		return nil, fmt.Errorf("ffmpeg: %w: %s", errors.Join(err, context.Cause(ctx)), strings.TrimSpace(complaint.String()))
	}
	return picture.Bytes(), nil
}

// limitedBuffer keeps the first bytes of a program's output.
type limitedBuffer struct {
	bytes.Buffer
	over bool
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxPoster {
		b.over = true
		return len(p), nil
	}
	return b.Buffer.Write(p)
}

// writePoster puts the picture into the show's folder, whole or not at all.
func (a *Archive) writePoster(rec *Recording, name string, picture []byte) error {
	d, err := openDisk(a.root, rec.dir)
	if err != nil {
		return err
	}
	f := files{disk: d}
	return errors.Join(f.writeWhole(name, picture), d.close())
}

// servePoster serves the picture of a show. It is made when it is not there; the client waits for it. A cover that cannot
// be made leaves the picture that was there before.
func (s serving) servePoster(w http.ResponseWriter, r *http.Request, rec *Recording) error {
	const op = "replay.servePoster"
	state, err := s.edits(r.Context(), rec)
	if err != nil {
		return err
	}
	want := rec.cover(&state)
	err = s.a.posters.await(r.Context(), rec, want)
	if err != nil && want.exact && r.Context().Err() == nil {
		state.Cover = nil
		want = rec.cover(&state)
		err = s.a.posters.await(r.Context(), rec, want)
	}
	if err != nil {
		return err
	}
	f, err := rec.openFile(want.name)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return errs.Wrap(op, err)
	}
	h := w.Header()
	h.Set("Content-Type", typeJPEG)
	h.Set("Cache-Control", cachePoster)
	h.Set("ETag", etagOf("p"+strconv.FormatInt(int64(want.at), 36)+"-", st.ModTime().UnixMilli(), st.Size()))
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

// await waits until a picture of a show is there.
func (p *posters) await(ctx context.Context, rec *Recording, want picture) error {
	if rec.exists(want.name) {
		return nil
	}
	if rec.Duration() < posterAfter && !rec.Ended() {
		return errs.New(errs.NotFound, "replay.servePoster", "the show is too young for a poster")
	}
	j, err := p.start(rec, want)
	if err != nil {
		return err
	}
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		return ctx.Err()
	}
}
