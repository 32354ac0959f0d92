package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/mp4"
)

// record makes a recording of the film that is as long as asked for.
func (f *clipFilm) record(ctx context.Context, a *replay.Archive, show string, length time.Duration) error {
	t, err := f.tape(ctx, a, show)
	if err != nil {
		return err
	}
	return errors.Join(t.play(ctx, media.FromDuration(length)), t.end())
}

// filmTape is a recording of the film that goes on.
type filmTape struct {
	*clipFilm
	recorder *replay.Recorder
	packager *hls.Packager
	at       media.Ticks
}

// tape begins a recording.
func (f *clipFilm) tape(ctx context.Context, a *replay.Archive, show string) (*filmTape, error) {
	if err := f.prepare(ctx); err != nil {
		return nil, err
	}
	r, resume, err := a.Record(show)
	if err != nil {
		return nil, err
	}
	t := &filmTape{clipFilm: f, recorder: r, packager: hls.NewPackager(hls.Config{}, hls.Resume(resume), r, nil, nil)}
	epoch := media.Epoch{Wall: time.Now().UTC().Truncate(time.Millisecond)}
	t.packager.StartEpoch(epoch)
	r.OnEpoch(epoch)
	return t, t.packager.SetTracks(f.tracks)
}

// play records whole turns of the film, as many as a length takes.
func (t *filmTape) play(ctx context.Context, length media.Ticks) error {
	for end := t.at + length; t.at < end; t.at += filmLength {
		for _, s := range t.samples {
			s.PTS, s.DTS = s.PTS+t.at, s.DTS+t.at
			if err := t.packager.Write(s); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (t *filmTape) end() error {
	t.packager.EndEpoch()
	t.recorder.End()
	return t.recorder.Close()
}

// prepare makes the film and reads it, once.
func (f *clipFilm) prepare(ctx context.Context) error {
	if f.samples != nil {
		return nil
	}
	file, err := f.make(ctx)
	if err != nil {
		return err
	}
	f.tracks, f.samples, err = readFilm(file)
	return err
}

// readFilm reads the tracks and samples of a fragmented MP4 file with H264 and AAC, in the order of decoding, from the
// first picture on.
func readFilm(file []byte) (tracks []media.Track, samples []media.Sample, err error) {
	in, err := mp4.ReadInit(file)
	if err != nil {
		return nil, nil, err
	}
	found, err := mp4.ReadSamples(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, nil, err
	}
	for _, t := range in {
		track, err := filmTrack(t)
		if err != nil {
			return nil, nil, err
		}
		tracks = append(tracks, track)
		origin, first := media.Ticks(0), true
		for i := range found {
			s := &found[i]
			if s.Track != t.ID {
				continue
			}
			ticks := func(v int64) media.Ticks { return media.Rescale(media.Ticks(v), 90_000, int64(t.Timescale)) }
			if first {
				first, origin = false, ticks(s.PTS())
			}
			if pts := ticks(s.PTS()) - origin; pts < filmLength {
				samples = append(samples, media.Sample{
					Kind: t.Codec.Kind(), PTS: pts, DTS: ticks(s.DTS) - origin, Key: s.Sync, Payload: file[s.Offset : s.Offset+s.Size],
				})
			}
		}
	}
	slices.SortStableFunc(samples, func(a, b media.Sample) int { return cmp.Compare(a.DTS, b.DTS) })
	return tracks, samples, nil
}

// filmTrack describes a track by its sample entry.
func filmTrack(t mp4.InitTrack) (media.Track, error) {
	if t.Codec == media.AAC {
		format, ok := mp4.Audio(t.Entry)
		if !ok {
			return media.Track{}, errors.New("the film's sound has no configuration")
		}
		return media.Track{Codec: media.AAC, Audio: &mpeg4audio.AudioSpecificConfig{
			Type: mpeg4audio.ObjectType(format.ObjectType), SampleRate: format.Rate, ChannelConfig: uint8(format.Channels),
		}}, nil
	}
	sets, err := mp4.ParameterSets(t.Entry)
	if err != nil || len(sets) != 2 {
		return media.Track{}, errors.Join(err, errors.New("the film has no parameter sets"))
	}
	return media.Track{Codec: media.H264, SPS: sets[0], PPS: sets[1]}, nil
}
