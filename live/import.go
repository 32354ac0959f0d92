package live

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
)

const (
	// importLag is how much of an import may wait for the disk: a recorder pauses, and loses media, when four times as
	// much waits.
	importLag = 4 << 20
	// importLook is how often the disk is looked at while it is behind.
	importLook = 5 * time.Millisecond
)

// importer packages a film into the recording of a show. It is for one goroutine.
type importer struct {
	ctx      context.Context //nolint:containedctx // the packager's sink has none
	lay      func(*importer) error
	packager *hls.Packager // nil, as the recorder, until something can be shown
	recorder *replay.Recorder
	progress func(media.Ticks)
	created  time.Time

	epochs  media.Epochs
	pending bool // an epoch begins with the next sample that can
	wall    time.Time
	tracks  []media.Track
	offset  media.Ticks // show time minus the film's
	failed  error
}

// makeShow reads the film at the job's address into a recording and, when all of it is there, makes the show. The show
// is in the store last, so that nobody meets a half one.
func (im *Imports) makeShow(ctx context.Context, j *importJob) error {
	const op = "live.import"
	film, err := im.Open(ctx, j.url)
	if err != nil {
		return err
	}
	defer film.Close()
	im.update(j, func(s *Import) { s.Expected = film.Duration() })

	i := &importer{
		ctx: ctx, created: j.state.CreatedAt, lay: func(i *importer) error { return im.lay(i, j.show) },
		progress: func(t media.Ticks) { im.update(j, func(s *Import) { s.Imported = t }) },
	}
	duration, err := i.read(film)
	if err == nil && duration <= 0 {
		err = errs.New(errs.Invalid, op, "there is no picture and no sound at the address that could be imported")
	}
	if err != nil {
		if i.recorder != nil {
			_ = i.recorder.Close() // it is removed
		}
		return err
	}
	i.recorder.End()
	if err := i.recorder.Close(); err != nil {
		return errs.As(errs.Unavailable, op, err, "the recording could not be written; look at the disk")
	}
	return errs.Wrap(op, im.Rooms.Store.CreateShow(ctx, i.show(j, duration)))
}

// lay lays the importer's way to the disk.
func (im *Imports) lay(i *importer, show string) error {
	recorder, resume, err := im.Archive.Record(show)
	if err != nil {
		return err
	}
	i.recorder = recorder
	i.packager = hls.NewPackager(im.Rooms.cfg.HLS, hls.Resume(resume), i, im.Log, nil)
	return nil
}

// show is what the film became.
func (i *importer) show(j *importJob, duration media.Ticks) Show {
	return Show{
		ID: j.show, RoomID: j.state.RoomID, Title: j.state.Title, State: Ended, CreatedAt: i.created, Duration: duration, Epochs: i.epochs,
		StartedAt: i.epochs[0].Wall, EndedAt: i.epochs.WallAt(duration).Truncate(time.Millisecond),
	}
}

// read packages the whole film and returns how long it lasts.
func (i *importer) read(film Film) (media.Ticks, error) {
	if err := film.Read(i.ctx, i.begin, i.write); err != nil {
		return 0, err
	}
	if i.epochs == nil {
		return 0, nil
	}
	duration := i.packager.EndEpoch()
	if err := i.recorderState(); err != nil {
		return 0, err
	}
	i.progress(duration)
	return duration, i.failed
}

// begin notes that a stretch of the film begins.
func (i *importer) begin(wall time.Time, tracks []media.Track) error {
	for k := range tracks {
		if c := tracks[k].Codec; c == media.Opus || c == media.VP8 {
			return errs.New(errs.Invalid, "live.import", "the show has %v, which HLS players do not all play; import one with AAC sound", c)
		}
	}
	i.pending, i.wall, i.tracks = true, wall, tracks
	return nil
}

// write packages one sample. Samples before the first key frame of a stretch cannot be shown.
func (i *importer) write(s media.Sample) error {
	if i.pending {
		if s.Kind == media.Video && !s.Key || s.Kind == media.Audio && i.pictures() {
			return nil
		}
		if err := i.startEpoch(s); err != nil {
			return err
		}
	}
	s.PTS += i.offset
	s.DTS += i.offset
	if err := i.packager.Write(s); err != nil {
		return err
	}
	return i.failed
}

func (i *importer) pictures() bool {
	for k := range i.tracks {
		if i.tracks[k].Kind() == media.Video {
			return true
		}
	}
	return false
}

// startEpoch points show time at the first sample of a stretch. Without a date of the origin it goes on by the one
// before, and the first one begins when the import did.
func (i *importer) startEpoch(first media.Sample) error {
	if i.packager == nil {
		if err := i.lay(i); err != nil {
			return err
		}
	}
	at := i.packager.EndEpoch()
	wall := i.wall
	switch {
	case !wall.IsZero():
	case len(i.epochs) > 0:
		wall = i.epochs.WallAt(at)
	default:
		wall = i.created
	}
	e := media.Epoch{ShowTime: at, Wall: wall.UTC().Truncate(time.Millisecond)}
	i.packager.StartEpoch(e)
	if err := i.packager.SetTracks(i.tracks); err != nil {
		return err
	}
	i.recorder.OnEpoch(e)
	i.epochs = append(i.epochs, e)
	i.offset, i.pending = at-first.PTS, false
	return nil
}

// OnInit implements hls.Sink.
func (i *importer) OnInit(init playlist.Init, data []byte) { i.recorder.OnInit(init, data) }

// OnPart implements hls.Sink. A publisher's packager must never wait here; an import's waits for the disk, since it has
// nobody to keep up with.
func (i *importer) OnPart(seg playlist.Segment, part playlist.Part, data []byte) {
	i.recorder.OnPart(seg, part, data)
	if i.failed == nil {
		i.failed = i.waitForDisk()
	}
}

// OnSegment implements hls.Sink.
func (i *importer) OnSegment(seg playlist.Segment) {
	i.recorder.OnSegment(seg)
	i.progress(seg.End())
}

func (i *importer) waitForDisk() error {
	for i.recorder.Status().LagBytes > importLag {
		t := time.NewTimer(importLook)
		select {
		case <-t.C:
		case <-i.ctx.Done():
			t.Stop()
			return context.Cause(i.ctx)
		}
	}
	return i.recorderState()
}

// recorderState reports a recording that has a hole already.
func (i *importer) recorderState() error {
	if st := i.recorder.Status(); st.Paused || st.Gaps > 0 {
		return errs.New(errs.Unavailable, "live.import", "the recording cannot be written: %s", st.Reason)
	}
	return nil
}
