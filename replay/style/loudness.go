package style

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/vitrine-live/vitrine/internal/ffmpeg"
)

// What the sound is brought to (EBU R128, ITU-R BS.1770).
const (
	targetLUFS = -16.0
	// The limiter works at four times the rate, so on true peaks, and leaves half a decibel to what AAC adds to them.
	peakCeiling = -2.0
	silentLUFS  = -69.0 // ebur128 says -70 when all was below its gate
	maxGain     = 30.0
	// At most so often the limited sound is measured again, for limiting takes loudness away.
	maxRounds = 3
	closeLUFS = 0.3
)

// loudness is what a stretch of sound is.
type loudness struct {
	lufs float64
	peak float64 // true, dBTP
}

// levelled are the filters that bring the sound of a file to targetLUFS: a steady gain, so that nothing of how it was spoken
// is lost, and a limiter only where peaks would go beyond the ceiling. "" leaves it as it is.
func (j *job) levelled(ctx context.Context, path string) (string, error) {
	was, err := j.loudnessOf(ctx, path, "")
	if err != nil || was.lufs < silentLUFS {
		return "", err
	}
	gain := min(max(targetLUFS-was.lufs, -maxGain), maxGain)
	if was.peak+gain <= peakCeiling {
		return amplify(gain), nil
	}
	for range maxRounds {
		now, err := j.loudnessOf(ctx, path, limited(gain))
		if err != nil {
			return "", err
		}
		off := targetLUFS - now.lufs
		if math.Abs(off) <= closeLUFS || gain+off > maxGain {
			break
		}
		gain += off
	}
	return limited(gain), nil
}

func amplify(gain float64) string { return fmt.Sprintf(",volume=%.2fdB", gain) }

func limited(gain float64) string {
	return fmt.Sprintf("%s,aresample=192000,alimiter=limit=%.4f:attack=5:release=60:level=disabled,aresample=48000", amplify(gain), math.Pow(10, peakCeiling/20))
}

// loudnessOf measures the sound of a file behind some filters.
func (j *job) loudnessOf(ctx context.Context, path, filters string) (loudness, error) {
	var last meter
	err := ffmpeg.Run(ctx, ffmpeg.Job{
		Program: j.config.FFmpeg, Stdout: &last,
		Args: append(j.threads(), "-copyts", "-i", "file:"+path, "-map", "0:a:0", "-vn", "-af",
			soundForm+filters+",ebur128=peak=true:metadata=1,ametadata=mode=print:file=pipe\\\\:1", "-f", "null", "-"),
	})
	return last.loudness(), err
}

// soundForm is the form in which all sound is handled.
const soundForm = "aresample=48000,aformat=sample_fmts=fltp:channel_layouts=stereo"

// meter reads what ametadata prints and keeps the last values.
type meter struct {
	rest bytes.Buffer
	lufs float64
	peak float64 // linear
}

func (m *meter) Write(b []byte) (int, error) {
	m.rest.Write(b)
	for {
		line, err := m.rest.ReadString('\n')
		if err != nil {
			m.rest.WriteString(line) // the rest comes later
			return len(b), nil
		}
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		v, bad := strconv.ParseFloat(value, 64)
		switch {
		case !ok || bad != nil:
		case key == "lavfi.r128.I":
			m.lufs = v
		case strings.HasPrefix(key, "lavfi.r128.true_peaks_ch"):
			m.peak = max(m.peak, v)
		}
	}
}

func (m *meter) loudness() loudness {
	if m.lufs == 0 || math.IsNaN(m.lufs) { // nothing was measured
		return loudness{lufs: -70, peak: -70}
	}
	return loudness{m.lufs, 20 * math.Log10(max(m.peak, 1e-6))}
}
