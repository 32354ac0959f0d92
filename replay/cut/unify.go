package cut

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ffmpeg"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/mp4"
)

// finishSound makes one stretch of sound of what was chosen.
func (t *take) finishSound(ctx context.Context, temp string, ff Encoder) error {
	err := t.unifySound(ctx, temp, ff)
	t.audio = settled(t.audio)
	return err
}

// settled leaves out an access unit where one publish ends and the next begins, when more than half of one is too much
// by then: some players count samples and look at no times.
func settled(audio []sample) []sample {
	kept := audio[:0]         // it never has more than was looked at
	counted := media.Ticks(0) // where the sample after the last kept one begins by counting
	for _, x := range audio {
		length := media.Rescale(media.Ticks(x.length), int64(media.TicksPerSecond), x.rate)
		for n := len(kept) - 1; n > 0 && kept[n].run != x.run && counted-x.at > length/2; n-- {
			counted -= media.Rescale(media.Ticks(kept[n].length), int64(media.TicksPerSecond), kept[n].rate)
			kept = kept[:n]
		}
		if len(kept) == 0 || x.at-counted > 2*length { // players know a hole when they see one
			counted = x.at
		}
		kept = append(kept, x)
		counted += length
	}
	return kept
}

// unifySound encodes the sound of the shorter runs again where its parameters change within a clip, as they do when the
// anchor comes back with another device: a second sample entry says what is needed, but browsers play what follows it at
// a wrong pitch or not at all. Without ffmpeg, and for sound that it cannot encode alike, the second sample entry has to
// do.
func (t *take) unifySound(ctx context.Context, temp string, ff Encoder) error {
	target, mixed := t.mainSound()
	if !mixed {
		return nil
	}
	want, ok := mp4.Audio(t.entries[sound][target])
	if _, err := ffmpeg.Find(ff.Program); err != nil || !ok || want.ObjectType != 2 || want.Channels == 0 || want.Channels > 2 {
		return nil
	}
	defer os.Remove(temp)
	unified := make([]sample, 0, len(t.audio)+len(t.audio)/8) // a rate may be higher
	for rest := t.audio; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].entry == rest[0].entry && rest[n].run == rest[0].run {
			n++
		}
		run := rest[:n]
		rest = rest[n:]
		if run[0].entry != target {
			var err error
			if run, err = t.convertSound(ctx, run, target, want, temp, ff); err != nil {
				return err
			}
		}
		for _, x := range run {
			if len(unified) == 0 || x.at > unified[len(unified)-1].at {
				unified = append(unified, x)
			}
		}
	}
	t.audio = unified
	return nil
}

// mainSound is the sample entry of most of the sound; mixed is false when it is that of all.
func (t *take) mainSound() (entry int, mixed bool) {
	length := map[int]media.Ticks{}
	for i := range t.audio {
		x := &t.audio[i]
		length[x.entry] += x.soundEnd() - x.at
		if length[x.entry] > length[entry] || i == 0 {
			entry = x.entry
		}
	}
	return entry, len(length) > 1
}

// convertSound encodes a run of sound with other parameters.
func (t *take) convertSound(ctx context.Context, run []sample, entry int, want mp4.AudioFormat, temp string, ff Encoder) ([]sample, error) {
	first, last := &run[0], &run[len(run)-1]
	part := take{source: t.source, audio: run, passing: true, shown: media.Span{From: first.at, To: last.soundEnd()}}
	if _, err := part.write(ctx, temp, &Meta{}, nil); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	args := []string{
		"-i", temp, "-map", "0:a:0", "-c:a", "aac", "-profile:a", "aac_low", "-b:a", fmt.Sprintf("%dk", 96*want.Channels),
		"-ar", strconv.Itoa(want.Rate), "-ac", strconv.Itoa(want.Channels), "-movflags", "empty_moov+default_base_moof+frag_keyframe", "-f", "mp4", "pipe:1",
	}
	if err := ffmpeg.Run(ctx, ffmpeg.Job{Program: ff.Program, Args: args, Stdout: &out}); err != nil {
		return nil, errs.Wrap(t.op, err)
	}
	f, err := readFragmented(out.Bytes())
	if err != nil {
		return nil, errs.As(errs.Internal, t.op, err, "what ffmpeg encoded cannot be read")
	}
	got, ok := mp4.Audio(f.track.Entry)
	if !ok || got != want || len(f.samples) < 2 {
		return run, nil // the second sample entry has to do
	}
	return placeSound(run, f, entry, want), nil
}

// placeSound puts encoded sound in the place of a run. The first access unit only prepares the second: what is decoded
// is late by one.
func placeSound(run []sample, f *fragmented, entry int, want mp4.AudioFormat) (made []sample) {
	rate, last := int64(want.Rate), run[len(run)-1].soundEnd()
	units := rescale(run[0].units, run[0].rate, rate)
	for i, s := range f.samples[1:] {
		x := run[min(i*len(run)/len(f.samples), len(run)-1)] // it lies where that does
		x.units = units + int64(i)*1024
		x.at = media.Ticks(x.units * int64(media.TicksPerSecond) / rate)
		x.pts, x.length, x.rate, x.entry = x.at, 1024, rate, entry
		if x.at >= last {
			break
		}
		x.data, x.size = slices.Clone(f.file[s.Offset:s.Offset+s.Size]), s.Size
		made = append(made, x)
	}
	return made
}

// readFragmented reads a fragmented file with one track.
func readFragmented(file []byte) (*fragmented, error) {
	tracks, err := mp4.ReadInit(file)
	if err != nil {
		return nil, err
	}
	samples, err := mp4.ReadSamples(bytes.NewReader(file), int64(len(file)))
	return &fragmented{file: file, track: tracks[0], samples: samples}, err
}
