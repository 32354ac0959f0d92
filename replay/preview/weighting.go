package preview

import "math"

// weighting is the K-weighting of ITU-R BS.1770-4: a shelf for the head, then a high pass. The recommendation gives the
// coefficients for 48 kHz; the ones here are of the same analogue filters at any rate.
type weighting struct{ shelf, pass biquad }

func newWeighting(rate float64) weighting {
	return weighting{shelf: highShelf(rate, 1681.974450955533, 3.999843853973347, 0.7071752369554196), pass: highPass(rate, 38.13547087602444, 0.5003270373238773)}
}

func (w *weighting) next(x float64) float64 { return w.pass.next(w.shelf.next(x)) }

// biquad is a filter of second order in transposed direct form II, a0 being 1.
type biquad struct{ b0, b1, b2, a1, a2, z1, z2 float64 }

func (f *biquad) next(x float64) float64 {
	y := f.b0*x + f.z1
	f.z1 = f.b1*x - f.a1*y + f.z2
	f.z2 = f.b2*x - f.a2*y
	return y
}

func highShelf(rate, hertz, decibel, q float64) biquad {
	k := math.Tan(math.Pi * hertz / rate)
	high := math.Pow(10, decibel/20)
	band := math.Pow(high, 0.4996667741545416)
	a0 := 1 + k/q + k*k
	return biquad{
		b0: (high + band*k/q + k*k) / a0, b1: 2 * (k*k - high) / a0, b2: (high - band*k/q + k*k) / a0,
		a1: 2 * (k*k - 1) / a0, a2: (1 - k/q + k*k) / a0,
	}
}

func highPass(rate, hertz, q float64) biquad {
	k := math.Tan(math.Pi * hertz / rate)
	a0 := 1 + k/q + k*k
	return biquad{b0: 1, b1: -2, b2: 1, a1: 2 * (k*k - 1) / a0, a2: (1 - k/q + k*k) / a0}
}
