package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/preview"
)

// processorTime is what this process and its children that ended have used.
func processorTime() (sum time.Duration, err error) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			return 0, err
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum, nil
}

// packaged are the calls of a packager, kept so that recorders can be given them at their time.
type packaged struct {
	calls []packagedCall
	bytes int64
}

type packagedCall struct {
	at   media.Ticks
	call func(r *replay.Recorder)
}

func (p *packaged) OnInit(in playlist.Init, data []byte) {
	p.calls = append(p.calls, packagedCall{p.last(), func(r *replay.Recorder) { r.OnInit(in, data) }})
}

func (p *packaged) OnPart(seg playlist.Segment, part playlist.Part, data []byte) {
	p.bytes += part.Size
	at := seg.Start
	for i := range seg.Parts {
		at += seg.Parts[i].Duration
	}
	p.calls = append(p.calls, packagedCall{max(at, p.last()), func(r *replay.Recorder) { r.OnPart(seg, part, data) }})
}

func (p *packaged) OnSegment(seg playlist.Segment) {
	p.calls = append(p.calls, packagedCall{max(seg.End(), p.last()), func(r *replay.Recorder) { r.OnSegment(seg) }})
}

func (p *packaged) last() media.Ticks {
	if len(p.calls) == 0 {
		return 0
	}
	return p.calls[len(p.calls)-1].at
}

var _ hls.Sink = (*packaged)(nil)

// pack packages the film for as long as shows are recorded.
func (b *clipBench) pack(epoch media.Epoch) (*packaged, error) {
	all := &packaged{}
	p := hls.NewPackager(hls.Config{}, hls.Resume{}, all, nil, nil)
	p.StartEpoch(epoch)
	if err := p.SetTracks(b.film.tracks); err != nil {
		return nil, err
	}
	end := media.FromDuration(b.taped)
	for turn := media.Ticks(0); turn < end; turn += filmLength {
		for _, s := range b.film.samples {
			if s.PTS, s.DTS = s.PTS+turn, s.DTS+turn; s.DTS >= end {
				continue
			}
			if err := p.Write(s); err != nil {
				return nil, err
			}
		}
	}
	p.EndEpoch()
	return all, nil
}

// tape records shows in real time and prints what each costs.
func (b *clipBench) tape(ctx context.Context, a *replay.Archive) error {
	if b.taped == 0 {
		return nil
	}
	epoch := media.Epoch{Wall: time.Now().UTC().Truncate(time.Millisecond)}
	all, err := b.pack(epoch)
	if err != nil {
		return err
	}
	recorders := make([]*replay.Recorder, b.streams)
	for i := range recorders {
		if recorders[i], _, err = a.Record(ids.New("show")); err != nil {
			return err
		}
	}
	before, err := processorTime()
	if err != nil {
		return err
	}
	failed := make([]error, len(recorders))
	var wg sync.WaitGroup
	for i, r := range recorders {
		phase := 2 * time.Second * time.Duration(i) / time.Duration(len(recorders)) // their segments do not end all at once
		wg.Go(func() { failed[i] = all.playTo(ctx, r, epoch, phase) })
	}
	wg.Wait()
	after, err := processorTime()
	if err := errors.Join(append(failed, err)...); err != nil {
		return err
	}
	gaps := 0
	for _, r := range recorders {
		gaps += r.Status().Gaps
	}
	seconds := b.taped.Seconds()
	fmt.Fprintf(b.stdout, "recorder  %d streams of %.1f Mbit/s for %v in real time: %.2f %% of one core each, %d gaps\n",
		b.streams, float64(all.bytes)*8/1e6/seconds, b.taped, 100*(after-before).Seconds()/seconds/float64(b.streams), gaps)
	return nil
}

// playTo gives a recorder what was packaged, each call at its time, and waits until it is on the disk.
func (p *packaged) playTo(ctx context.Context, r *replay.Recorder, epoch media.Epoch, phase time.Duration) error {
	began := time.Now().Add(phase)
	r.OnEpoch(epoch)
	for i := range p.calls {
		if wait := time.Until(began.Add(p.calls[i].at.Duration())); wait > 0 {
			select {
			case <-ctx.Done():
				return errors.Join(ctx.Err(), r.Close())
			case <-time.After(wait):
			}
		}
		p.calls[i].call(r)
	}
	r.End()
	return r.Close()
}

// paintEvery is how much of a show on air its storyboard waits for: whole turns of the film, with a segment to spare.
const paintEvery = 2 * filmLength

// paint makes the storyboard and the waveform of a show while it is recorded, and prints what they cost.
func (b *clipBench) paint(ctx context.Context, a *replay.Archive) error {
	if b.watched == 0 {
		return nil
	}
	show := ids.New("show")
	t, err := b.film.tape(ctx, a, show)
	if err != nil {
		return err
	}
	s := preview.New(preview.Config{FFmpeg: b.film.program}, preview.Deps{Archive: newShowsOnly{a}})
	var worked time.Duration
	catchUp := func() error {
		before, err := processorTime()
		s.CatchUp(ctx)
		after, afterErr := processorTime()
		worked += after - before
		return errors.Join(err, afterErr, ctx.Err())
	}
	for t.at < media.FromDuration(b.watched) {
		if err := t.play(ctx, paintEvery); err != nil {
			return err
		}
		for t.recorder.Status().LagBytes > 0 { // the recorder's work is not the storyboard's
			time.Sleep(time.Millisecond)
		}
		if err := catchUp(); err != nil {
			return err
		}
	}
	if err := errors.Join(t.end(), catchUp()); err != nil {
		return err
	}
	rec, err := a.Recording(show)
	if err != nil {
		return err
	}
	kept, err := rec.ReadKept("storyboard.json")
	var board preview.Storyboard
	if err := errors.Join(err, json.Unmarshal(kept, &board)); err != nil {
		return fmt.Errorf("no storyboard was made (is ffmpeg installed?): %w", err)
	}
	tiles := 0
	for i := range board.Sheets {
		tiles += len(board.Sheets[i].Tiles)
	}
	fmt.Fprintf(b.stdout, "storyboard %d pictures of %v, and the waveform: %.1f s of processor for an hour of show (later than 20 minutes it has fewer pictures)\n",
		tiles, t.at.Duration(), worked.Seconds()/t.at.Duration().Hours())
	return nil
}

// newShowsOnly is an archive whose older shows nobody looks for.
type newShowsOnly struct{ *replay.Archive }

func (newShowsOnly) Shows() ([]string, error) { return nil, nil }
