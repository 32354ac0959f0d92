package transcode

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/transcode/nut"
)

// job is what a worker has ffmpeg do.
type job struct {
	name    string // as logs and metrics call it
	kind    media.Kind
	codec   media.Codec // of the input
	stream  nut.Stream  // the input
	outputs int
	picture bool    // it takes an encoder of pictures
	cost    float64 // in cores, by estimate; 0: what it takes tells nothing of ladders
	nice    int
	make    func(encoder string) []string // the arguments that make the outputs
}

// ladderNice is the priority of what may fail before the source does.
const ladderNice = 5

// maxGOP is how many pictures may pass without a key picture; usually the source's key pictures come sooner.
const maxGOP = 600

// arguments are those of the whole command. -copyts keeps the clock; probing would wait for pictures to come.
func (j *job) arguments(encoder string) []string {
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-copyts"}
	args = append(args, deviceArguments(encoder)...)
	if j.codec == media.AV1 {
		args = append(args, "-flags", "low_delay") // dav1d would hold a picture for each of its threads
	}
	args = append(args, "-probesize", "32", "-analyzeduration", "0", "-threads", "1", "-f", "nut", "-i", "pipe:0")
	return append(args, j.make(encoder)...)
}

// write writes a sample of the input, at is its time in the process.
func (j *job) write(w *nut.Writer, s media.Sample, at media.Ticks) error {
	f := nut.Frame{PTS: int64(at), Key: s.Key, Data: s.Payload}
	switch j.codec {
	case media.H264, media.HEVC:
		f.Data = startCodes(s.Payload)
	case media.Opus:
		f.PTS = int64(media.Rescale(at, opusRate, int64(media.TicksPerSecond)))
	}
	return w.Write(f)
}

// ladderJob makes the renditions of a plan out of the source.
func ladderJob(source media.Track, fps float64, plan []Rendition) job {
	plan = slices.Clone(plan)
	return job{
		name: "ladder", kind: media.Video, codec: source.Codec, stream: videoStream(source), outputs: len(plan), picture: true, nice: ladderNice,
		make: func(encoder string) []string {
			args := []string{"-filter_complex", graph(encoder, plan)}
			for i, r := range plan {
				args = append(args, "-map", fmt.Sprintf("[v%d]", i))
				args = append(args, encoderArguments(encoder, r, fps, maxGOP)...)
				args = append(args, outputArguments(i)...)
			}
			return args
		},
	}
}

// pictureJob makes H264 of a picture that HLS does not take, at its own size. What is no 2 s apart has key pictures as
// the source has; a publisher that sends them more seldom gets its own.
func pictureJob(source media.Track) job {
	r := Preset{ShortSide: 720, Bitrate: 2_500_000}.rendition(Source{Width: source.Width, Height: source.Height})
	r.Width, r.Height = even(source.Width, 1), even(source.Height, 1)
	plan := []Rendition{r}
	return job{
		name: "picture", kind: media.Video, codec: source.Codec, stream: videoStream(source), outputs: 1, picture: true,
		make: func(encoder string) []string {
			args := []string{"-filter_complex", graph(encoder, plan), "-map", "[v0]"}
			args = append(args, encoderArguments(encoder, r, 0, 2*usualFPS)...)
			return append(args, outputArguments(0)...)
		},
	}
}

// graph decodes once and scales for each rendition.
func graph(encoder string, plan []Rendition) string {
	var b strings.Builder
	b.WriteString("[0:v:0]")
	if len(plan) > 1 {
		fmt.Fprintf(&b, "split=%d", len(plan))
		for i := range plan {
			fmt.Fprintf(&b, "[s%d]", i)
		}
	}
	for i, r := range plan {
		if len(plan) > 1 {
			fmt.Fprintf(&b, ";[s%d]", i)
		}
		fmt.Fprintf(&b, "scale=%d:%d,setsar=sar:max=100,%s[v%d]", r.Width, r.Height, uploadFilter(encoder), i)
	}
	return b.String()
}

// outputArguments are those of output i: every picture keeps its tick and leaves at once.
func outputArguments(i int) []string {
	return []string{
		"-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-force_key_frames", "source",
		"-f", "nut", "-flush_packets", "1", fmt.Sprintf("pipe:%d", 3+i),
	}
}

// videoStream describes a track of pictures as NUT does.
func videoStream(t media.Track) nut.Stream {
	s := nut.Stream{Class: nut.Video, Num: 1, Den: uint32(media.TicksPerSecond), Width: t.Width, Height: t.Height}
	switch t.Codec {
	case media.H264:
		s.Tag, s.Extra = nut.TagH264, annexB(t.SPS, t.PPS)
	case media.HEVC:
		s.Tag, s.Extra = nut.TagHEVC, annexB(t.VPS, t.SPS, t.PPS)
	case media.AV1:
		s.Tag, s.Extra = nut.TagAV1, sizedOBU(t.SequenceHeader)
	case media.VP8:
		s.Tag = nut.TagVP8
	}
	if size, err := SourceOf(t, 0); err == nil {
		s.Width, s.Height = size.Width, size.Height
	}
	return s
}

// sizedOBU gives an OBU its size field (AV1, 5.3.2).
func sizedOBU(obu []byte) []byte {
	if len(obu) == 0 || obu[0]&2 != 0 {
		return obu
	}
	head := 1
	if obu[0]&4 != 0 && len(obu) > 1 { // it has an extension
		head = 2
	}
	out := append([]byte{obu[0] | 2}, obu[1:head]...)
	return append(binary.AppendUvarint(out, uint64(len(obu)-head)), obu[head:]...)
}

// SourceOf reads the size of the picture out of a track's parameters, and the rate of pictures too where fps is 0 and
// they tell it. The error is Invalid when they cannot be read.
func SourceOf(t media.Track, fps float64) (Source, error) {
	s := Source{Codec: t.Codec, FPS: fps}
	var err error
	var told float64
	switch t.Codec {
	case media.H264:
		var p h264.SPS
		if err = p.Unmarshal(t.SPS); err == nil {
			s.Width, s.Height, told = p.Width(), p.Height(), p.FPS()
		}
	case media.HEVC:
		var p h265.SPS
		if err = p.Unmarshal(t.SPS); err == nil {
			s.Width, s.Height, told = p.Width(), p.Height(), p.FPS()
		}
	case media.AV1:
		var p av1.SequenceHeader
		if err = p.Unmarshal(t.SequenceHeader); err == nil {
			s.Width, s.Height = p.Width(), p.Height()
		}
	case media.VP8:
		s.Width, s.Height = t.Width, t.Height
	default:
		err = fmt.Errorf("%s is no picture", t.Codec)
	}
	if err == nil && (s.Width < 2 || s.Height < 2) {
		err = fmt.Errorf("a picture of %dx%d", s.Width, s.Height)
	}
	if s.FPS <= 0 && told <= 120 {
		s.FPS = told
	}
	return s, errs.As(errs.Invalid, "transcode.SourceOf", err, "the parameters of the %s picture cannot be read", t.Codec)
}
