package highlight

import (
	"math"
	"slices"
)

// tent smooths per-second values by a triangle of the given width in seconds, looking lag seconds ahead: what came lag
// seconds after its cause stands at its cause. Values are scaled so that the result of a Poisson process has its mean as
// its variance, like a count.
func tent(x []float64, width, lag int) []float64 {
	half := max(1, width/2)
	var sum, squares float64
	weights := make([]float64, 2*half-1)
	for i := range weights {
		w := 1 - math.Abs(float64(i-half+1))/float64(half)
		weights[i] = w
		sum += w
		squares += w * w
	}
	scale := sum / squares
	out := make([]float64, len(x))
	for i, v := range x {
		if v == 0 {
			continue
		}
		for k, w := range weights {
			if t := i - lag + k - half + 1; t >= 0 && t < len(out) {
				out[t] += v * w * scale
			}
		}
	}
	return out
}

// usualWindow is how many seconds around an instant say what is usual there: shows grow and change.
const usualWindow = 600

// usual is the median around each second.
func usual(x []float64, window int) []float64 {
	out := make([]float64, len(x))
	if len(x) == 0 {
		return out
	}
	half := window / 2
	sorted := slices.Clone(x[:min(half, len(x))])
	slices.Sort(sorted)
	for i := range x {
		if in := i + half; in < len(x) {
			n, _ := slices.BinarySearch(sorted, x[in])
			sorted = slices.Insert(sorted, n, x[in])
		}
		if gone := i - half - 1; gone >= 0 {
			n, _ := slices.BinarySearch(sorted, x[gone])
			sorted = slices.Delete(sorted, n, n+1)
		}
		out[i] = median(sorted)
	}
	return out
}

// median is of a sorted list that is not empty.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// spread is the standard deviation as the median of distances from the median tells it, which no outlier moves.
func spread(x []float64) (middle, deviation float64) {
	if len(x) == 0 {
		return 0, 0
	}
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	middle = median(sorted)
	for i, v := range sorted {
		sorted[i] = math.Abs(v - middle)
	}
	slices.Sort(sorted)
	return middle, 1.4826 * median(sorted)
}

// counted says how unusual counts are, in standard deviations: of what a Poisson process would do (by the transform of
// Anscombe), or of what this show does, whichever is more.
func counted(x []float64, width, lag int, unit float64) []float64 {
	y := tent(x, width, lag)
	for i := range y {
		y[i] /= unit
	}
	base := usual(y, usualWindow)
	for i := range y {
		y[i] = anscombe(y[i]) - anscombe(base[i])
	}
	return normal(y, 1)
}

func anscombe(x float64) float64 { return 2 * math.Sqrt(max(0, x)+0.375) }

// normal divides by the spread, or by the least that it may be.
func normal(y []float64, least float64) []float64 {
	_, deviation := spread(y)
	for i := range y {
		y[i] /= max(least, deviation)
	}
	return y
}

// grown says how unusual the growth of an audience within a minute is.
func grown(viewers []float64, lag int) []float64 {
	const half = 30
	n := len(viewers)
	y, base := make([]float64, n), 0.0
	known := slices.DeleteFunc(slices.Clone(viewers), math.IsNaN)
	if len(known) > 0 {
		slices.Sort(known)
		base = median(known)
	}
	for i := range y {
		a, b := i+lag-half, i+lag+half
		if a < 0 || b >= n || math.IsNaN(viewers[a]) || math.IsNaN(viewers[b]) {
			continue
		}
		y[i] = (viewers[b] - viewers[a]) / math.Sqrt(base+4)
	}
	usually := usual(y, usualWindow)
	for i := range y {
		y[i] -= usually[i]
	}
	return normal(y, 1)
}

// louder says how much louder than usual it was, in steps of at least 3 dB. Pauses are not unusual.
func louder(lufs []float64) []float64 {
	const most = 4
	heard := slices.Clone(lufs)
	for i, v := range heard {
		if v <= -60 && i > 0 {
			heard[i] = heard[i-1]
		}
	}
	y := make([]float64, len(lufs))
	for i := range heard { // of five seconds
		from, to := max(0, i-2), min(len(heard), i+3)
		for _, v := range heard[from:to] {
			y[i] += v / float64(to-from)
		}
	}
	base := usual(y, usualWindow)
	for i := range y {
		y[i] -= base[i]
	}
	y = normal(y, 3)
	for i, v := range y {
		if lufs[i] <= -60 {
			v = 0
		}
		y[i] = min(v, most)
	}
	return y
}
