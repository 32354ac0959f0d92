//go:build !linux

package clip

// loadAverage is not known here.
func loadAverage() (float64, bool) { return 0, false }
