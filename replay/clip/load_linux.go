package clip

import (
	"os"
	"strconv"
	"strings"
)

// loadAverage is how many processes wanted to run in the last minute.
func loadAverage() (float64, bool) {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(b), " ")
	load, err := strconv.ParseFloat(first, 64)
	return load, err == nil
}
