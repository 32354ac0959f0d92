package preview

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ffmpeg"
	"github.com/vitrine-live/vitrine/media"
)

const (
	soundRate = 16_000         // what sound is looked at with
	perPixel  = soundRate / 10 // samples of a point of the waveform
	// noSound is the loudness of silence and of what has no sound.
	noSound = -70.0
)

// Loudness is loudness.json: how loud each second of a show is, by the weighting of ITU-R BS.1770, of all channels mixed
// to one. -70 is silence, or no sound at all.
type Loudness struct {
	Show     string    `json:"show"`
	Complete bool      `json:"complete"`
	Covered  int64     `json:"covered_ms"`
	Step     int64     `json:"step_ms"`
	LUFS     []float64 `json:"lufs"`

	Next int64 `json:"next_segment"` // the segment to go on with
}

// sound makes the waveform and the loudness of one show. It belongs to the goroutine of Service.Run.
type sound struct {
	doc  Loudness
	wave []int8 // lowest and highest of each point
	// keptUntil is up to where, in samples, the above holds after it was read back: what was measured of it before
	// counts.
	keptUntil int64
	filter    weighting
	sum       float64 // of the squares of the second that is open
	count     int
	at        int64 // the sample that comes next
}

func loadSound(show string, loudness, waveform []byte) *sound {
	s := &sound{}
	wave, ok := parseWaveform(waveform)
	if json.Unmarshal(loudness, &s.doc) != nil || s.doc.Show != show || s.doc.Next < 0 || s.doc.Covered < 0 || !ok {
		s.doc, wave = Loudness{}, nil
	}
	s.doc.Show, s.doc.Step, s.wave = show, 1000, wave
	return s
}

// resume finds the segment to go on with so that no second is left half measured.
func (s *sound) resume(segments []playlist.Segment) {
	if s.doc.Next == 0 || s.doc.Complete || len(segments) == 0 {
		return
	}
	seconds := s.doc.Covered / 1000
	s.keptUntil = seconds * soundRate
	s.doc.LUFS = s.doc.LUFS[:min(int(seconds), len(s.doc.LUFS))]
	s.wave = s.wave[:min(len(s.wave), int(seconds)*2*(soundRate/perPixel))]
	from := media.Ticks(seconds) * media.TicksPerSecond
	for i := range segments {
		if segments[i].End() > from {
			s.doc.Next = segments[i].MSN
			return
		}
	}
}

// addSound measures segments, which follow on those before.
func (s *Service) addSound(ctx context.Context, src source, snd *sound, segments []playlist.Segment) error {
	heard := map[int]bool{}
	for _, in := range src.Inits() {
		heard[in.Number] = hasSound(in.Codecs)
	}
	for len(segments) > 0 {
		n := 1
		first := &segments[0]
		for n < len(segments) && follows(&segments[n], &segments[n-1]) {
			n++
		}
		if !first.Gap && heard[first.Init] {
			if err := s.listen(ctx, src, snd, segments[:n]); err != nil {
				return err
			}
		}
		segments = segments[n:]
	}
	return nil
}

// follows reports whether a segment continues the one before: ffmpeg can read both in one run.
func follows(s, before *playlist.Segment) bool {
	return !s.Gap && !before.Gap && s.Init == before.Init && !s.Discontinuity && s.Start == before.End()
}

// listen decodes the sound of segments and measures it.
func (s *Service) listen(ctx context.Context, src source, snd *sound, segments []playlist.Segment) error {
	msns := make([]int64, len(segments))
	for i := range segments {
		msns[i] = segments[i].MSN
	}
	in, err := newStream(src, segments[0].Init, msns, true)
	if err != nil {
		return err
	}
	defer in.Close()
	snd.start(segments[0].Start)
	return ffmpeg.Run(ctx, ffmpeg.Job{
		Program: s.cfg.FFmpeg, Stdin: in, Stdout: &meter{sound: snd, until: sampleAt(segments[len(segments)-1].End())},
		Args: []string{
			"-threads", "1", "-f", "mp4", "-vn", "-i", "pipe:0", "-map", "0:a:0", "-filter_threads", "1",
			"-af", "aresample=" + strconv.Itoa(soundRate) + ":async=1:first_pts=0", "-ac", "1", "-f", "s16le", "pipe:1",
		},
	})
}

// meter is where ffmpeg writes samples to.
type meter struct {
	*sound
	until int64
	odd   []byte
}

func (m *meter) Write(p []byte) (int, error) {
	b := p
	if len(m.odd) > 0 {
		b = append(m.odd, p...)
	}
	for ; len(b) >= 2; b = b[2:] {
		if m.at < m.until {
			m.sample(int16(binary.LittleEndian.Uint16(b)))
		}
	}
	m.odd = bytes.Clone(b)
	return len(p), nil
}

func sampleAt(t media.Ticks) int64 {
	return int64(media.Rescale(t, soundRate, int64(media.TicksPerSecond)))
}

// start goes on at t. What lies between is silence.
func (s *sound) start(t media.Ticks) {
	to := sampleAt(t)
	if to/soundRate != s.at/soundRate {
		s.endSecond()
	}
	s.at, s.filter = to, newWeighting(soundRate)
}

func (s *sound) sample(v int16) {
	at := s.at
	s.at++
	weighted := s.filter.next(float64(v) / 32768)
	if at < s.keptUntil {
		return
	}
	s.point(int(at/perPixel), int8(v>>8))
	s.sum += weighted * weighted
	s.count++
	if s.at%soundRate == 0 {
		s.endSecond()
	}
}

// point widens point n of the waveform.
func (s *sound) point(n int, v int8) {
	for len(s.wave) <= 2*n+1 {
		s.wave = append(s.wave, 0)
	}
	s.wave[2*n], s.wave[2*n+1] = min(s.wave[2*n], v), max(s.wave[2*n+1], v)
}

// endSecond notes the second that the sample before belongs to.
func (s *sound) endSecond() {
	if s.count == 0 {
		return
	}
	s.note()
	s.sum, s.count = 0, 0
}

func (s *sound) note() {
	n := int((s.at - 1) / soundRate)
	for len(s.doc.LUFS) <= n {
		s.doc.LUFS = append(s.doc.LUFS, noSound)
	}
	s.doc.LUFS[n] = loudness(s.sum / float64(s.count))
}

// loudness is that of a mean square (BS.1770-4, formula 2), with one decimal.
func loudness(meanSquare float64) float64 {
	if meanSquare <= 0 {
		return noSound
	}
	return math.Round(10*max(noSound, -0.691+10*math.Log10(meanSquare))) / 10
}

// covered says that everything before t was measured.
func (s *sound) covered(t media.Ticks) {
	s.doc.Covered = t.Milliseconds()
	if s.count > 0 {
		s.note() // so far
	}
	for len(s.doc.LUFS) < int((s.doc.Covered+999)/1000) {
		s.doc.LUFS = append(s.doc.LUFS, noSound)
	}
	if n := int((sampleAt(t)+perPixel-1)/perPixel) - 1; n >= 0 {
		s.point(n, 0)
	}
}

func (s *sound) save(keep func(string, []byte) error) error {
	if s.doc.LUFS == nil {
		s.doc.LUFS = []float64{}
	}
	if err := keep(waveformName, appendWaveform(nil, s.wave)); err != nil {
		return err
	}
	data, err := json.Marshal(s.doc)
	if err != nil {
		return errs.Wrap("preview.save", err)
	}
	return keep(loudnessName, data)
}
