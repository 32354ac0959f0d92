package offer

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
)

// Split divides total into so many pieces of at least least each, at random: each way of doing so is as likely as any
// other, whichever place one comes in. draw returns a number of 0 to below n, each as likely. It needs
// total >= pieces*least, pieces >= 1, least >= 1, and total at most commerce.MaxAmount.
//
// The cuts between the pieces are a random choice of distinct places (Floyd's algorithm: Bentley and Floyd, A sample of
// brilliance, CACM 30/9, 1987), which takes as many draws as there are cuts.
func Split(total, pieces, least int64, draw func(n int64) int64) []int64 {
	places := total - pieces*(least-1) - 1 // where a cut may be, with least-1 of each piece put aside
	cuts := make([]int64, 0, pieces+1)
	taken := make(map[int64]bool, pieces)
	for last := places - (pieces - 1) + 1; last <= places; last++ {
		cut := draw(last) + 1
		if taken[cut] {
			cut = last
		}
		taken[cut] = true
		cuts = append(cuts, cut)
	}
	cuts = append(cuts, 0, places+1)
	slices.Sort(cuts)
	amounts := make([]int64, pieces)
	for i := range amounts {
		amounts[i] = cuts[i+1] - cuts[i] + least - 1
	}
	return amounts
}

// draw returns a number of 0 to below n that nobody can foresee.
func draw(n int64) int64 {
	limit := ^uint64(0) - (^uint64(0)%uint64(n)+1)%uint64(n) // the last number of whole rounds of n
	for {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
		if v := binary.LittleEndian.Uint64(b[:]); v <= limit {
			return int64(v % uint64(n))
		}
	}
}
