package cut

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ffmpeg"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/mp4"
)

// fragmented is what ffmpeg made: a fragmented MP4 file with one track.
type fragmented struct {
	file    []byte
	track   mp4.InitTrack
	samples []mp4.Sample
}

// quality is the constant rate factor: no difference to the recording can be seen.
const quality = "16"

// reencode decodes samples, from an IDR on, and encodes the frames of the group.
func (e *encoding) reencode(ctx context.Context, samples []sample, g group) (*fragmented, error) {
	codec := e.codecs[pictures][samples[0].entry]
	options, err := e.options(codec, samples[0].entry)
	if err != nil {
		return nil, err
	}
	origin, err := e.writeGroup(ctx, samples)
	if err != nil {
		return nil, err
	}
	args := []string{"-copyts"}
	if e.encoder.Threads > 0 {
		args = append(args, "-threads", strconv.Itoa(e.encoder.Threads))
	}
	args = append(args, "-i", e.temp, "-map", "0:v:0",
		"-vf", fmt.Sprintf(`select=between(pts\,%d\,%d)`, g.first-origin, g.last-origin),
		"-fps_mode", "passthrough", "-enc_time_base", "1:90000")
	args = append(args, options...)
	if e.encoder.Threads > 0 {
		args = append(args, "-threads", strconv.Itoa(e.encoder.Threads))
	}
	args = append(args, "-video_track_timescale", "90000", "-movflags", "empty_moov+default_base_moof+frag_keyframe", "-f", "mp4", "pipe:1")
	var out bytes.Buffer
	if err := ffmpeg.Run(ctx, ffmpeg.Job{Program: e.encoder.Program, Args: args, Stdout: &out}); err != nil {
		return nil, errs.Wrap(e.op, err)
	}
	f, err := readFragmented(out.Bytes())
	return f, errs.As(errs.Internal, e.op, err, "what ffmpeg encoded cannot be read")
}

// writeGroup writes the file that is decoded. Its edit list makes origin the beginning of its timeline.
func (e *encoding) writeGroup(ctx context.Context, samples []sample) (origin media.Ticks, err error) {
	order := displayed(samples)
	last := order[len(order)-1]
	part := take{source: e.source, video: samples, passing: true}
	part.visible = media.Span{From: order[0].pts, To: last.pts + media.Ticks(max(last.length, 1))}
	part.shown = part.visible
	_, err = part.write(ctx, e.temp, &Meta{}, nil)
	return part.visible.From, err
}

// options are the arguments of the encoder for frames like those of a sample entry.
func (e *encoding) options(codec media.Codec, entry int) ([]string, error) {
	common := []string{"-crf", quality, "-preset", "veryfast", "-bf", "0", "-g", "100000"}
	switch codec {
	case media.H264:
		sets, err := mp4.ParameterSets(e.entries[pictures][entry])
		if err != nil {
			return nil, errs.As(errs.Internal, e.op, err, "the recording is damaged")
		}
		id, err := freeID(sets)
		if err != nil {
			return nil, errs.As(errs.Invalid, e.op, err, "these pictures cannot be cut exactly; choose a copy")
		}
		options := append([]string{"-c:v", "libx264", "-sc_threshold", "0", "-x264-params", fmt.Sprintf("sps-id=%d", id)}, common...)
		return append(options, profile(sets)...), nil
	case media.HEVC:
		return append([]string{"-c:v", "libx265", "-tag:v", "hvc1", "-x265-params", "log-level=error:scenecut=0:keyint=100000"}, common...), nil
	}
	return nil, errs.Field(e.op, "kind", "pictures in %v cannot be cut exactly; choose a copy, whose players hide what is before its first frame", codec)
}

// profile asks for what players of the recording can decode.
func profile(sets [][]byte) []string {
	for _, s := range sets {
		if len(s) < 4 || s[0]&0x1F != 7 {
			continue
		}
		name := map[byte]string{66: "baseline", 77: "main", 100: "high", 110: "high10", 122: "high422", 244: "high444"}[s[1]]
		if name == "" {
			return nil
		}
		return []string{"-profile:v", name}
	}
	return nil
}

// describe returns the sample entry of frames that took the place of those with a sample entry.
func (e *encoding) describe(entry int, f *fragmented) (int, error) {
	if f.track.Codec != media.H264 {
		return e.entry(f.track), nil
	}
	sets, err := mp4.ParameterSets(f.track.Entry)
	if err != nil {
		return 0, errs.As(errs.Internal, e.op, err, "what ffmpeg encoded cannot be read")
	}
	var sps, pps [][]byte
	for _, s := range sets {
		if len(s) > 0 && s[0]&0x1F == 7 {
			sps = append(sps, s)
		} else {
			pps = append(pps, s)
		}
	}
	both, err := mp4.WithParameterSets(e.entries[pictures][entry], sps, pps)
	if err != nil {
		return 0, errs.As(errs.Internal, e.op, err, "the parameters of the encoded frames do not fit")
	}
	e.entries[pictures][entry] = both
	return entry, nil
}

// freeID is an identifier that no SPS and no PPS has, so that a decoder can have those of encoded frames beside them
// (ISO 14496-10, 7.4.2.1: an SPS has one from 0 to 31).
func freeID(sets [][]byte) (int, error) {
	taken := map[int]bool{}
	for _, s := range sets {
		if len(s) == 0 {
			continue
		}
		skip := 1 // the header of the NAL unit; seq_parameter_set_id stands behind profile and level
		if s[0]&0x1F == 7 {
			skip = 4
		}
		id, err := readUE(s[min(skip, len(s)):])
		if err != nil {
			return 0, err
		}
		taken[id] = true
	}
	for id := range 32 {
		if !taken[id] {
			return id, nil
		}
	}
	return 0, fmt.Errorf("all identifiers of parameter sets are taken")
}

// readUE reads an unsigned Exp-Golomb code (9.1) of at most 8 bits of value.
func readUE(b []byte) (int, error) {
	bit := func(i int) int { return int(b[i/8]>>(7-i%8)) & 1 }
	zeros := 0
	for zeros < 9 && zeros < len(b)*8 && bit(zeros) == 0 {
		zeros++
	}
	if zeros == 9 || 2*zeros+1 > len(b)*8 {
		return 0, fmt.Errorf("identifier of a parameter set is out of range")
	}
	v := 1
	for i := range zeros {
		v = v<<1 | bit(zeros+1+i)
	}
	return v - 1, nil
}
