package pricing

import (
	"cmp"
	"math/bits"
	"slices"
)

// shares is what each of some coupons takes off each line.
type shares struct {
	coupons []candidate
	off     [][]int64 // of each coupon, of each line
	room    []int64   // what is left of each line
	unmet   []int64   // what each coupon could not take off
}

// share lets the coupons take off in their order, each in proportion to what is left of the lines in its scope, and then
// moves shares about until none can take off more.
func share(lines []QuotedLine, coupons []candidate) *shares {
	s := &shares{
		coupons: coupons, off: make([][]int64, len(coupons)), room: make([]int64, len(lines)), unmet: make([]int64, len(coupons)),
	}
	for i, l := range lines {
		s.room[i] = l.Amount
	}
	for c := range coupons {
		s.take(c)
	}
	for c := range coupons {
		for s.unmet[c] > 0 && s.reroute(c) {
		}
	}
	return s
}

func (s *shares) total() (sum int64) {
	for _, c := range s.off {
		for _, off := range c {
			sum += off
		}
	}
	return sum
}

// met reports whether every coupon takes off all that it would alone.
func (s *shares) met() bool { return !slices.ContainsFunc(s.unmet, positive) }

// take shares a coupon's value among the lines in its scope.
func (s *shares) take(c int) {
	k := &s.coupons[c]
	rooms := make([]int64, len(k.lines))
	var all int64
	for j, i := range k.lines {
		rooms[j] = s.room[i]
		all += rooms[j]
	}
	value := min(k.want, all)
	s.off[c], s.unmet[c] = make([]int64, len(s.room)), k.want-value
	for j, part := range proportional(value, rooms) {
		s.off[c][k.lines[j]] = part
		s.room[k.lines[j]] -= part
	}
}

// proportional splits value by weights, each at least 0, into parts that sum exactly: each is rounded down, and what is
// missing goes by ones to the largest remainders, of equals to the first. When value is at most the sum of the weights no
// part is above its weight: only a part that was rounded down gets one more.
func proportional(value int64, weights []int64) []int64 {
	var all uint64
	for _, w := range weights {
		all += uint64(w)
	}
	parts := make([]int64, len(weights))
	if all == 0 {
		return parts
	}
	remainders, order, missing := make([]uint64, len(weights)), make([]int, len(weights)), value
	for i, w := range weights {
		hi, lo := bits.Mul64(uint64(value), uint64(w))
		quo, rem := bits.Div64(hi, lo, all)
		parts[i], remainders[i], order[i] = int64(quo), rem, i
		missing -= parts[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(remainders[b], remainders[a]) })
	for _, i := range order[:missing] {
		parts[i]++
	}
	return parts
}

// reroute lets coupon c take more off, if there is room that it can reach: on a line in its scope, or on one in the scope of
// a coupon that can make way for it. This is an augmenting path of the flow from coupons to lines (Ford and Fulkerson), the
// shortest one (Edmonds and Karp), so that repeating it ends with the most that can be taken off.
func (s *shares) reroute(c int) bool {
	from := make([]int, len(s.room))   // the coupon that a line was reached from, by 1 more
	via := make([]int, len(s.coupons)) // the line on which a coupon would make way, by 1 more
	queue := []int{c}
	via[c] = -1
	for len(queue) > 0 {
		k := queue[0]
		queue = queue[1:]
		for _, i := range s.coupons[k].lines {
			if from[i] != 0 {
				continue
			}
			from[i] = k + 1
			if s.room[i] > 0 {
				s.move(c, i, from, via)
				return true
			}
			for d := range s.coupons {
				if via[d] == 0 && s.off[d][i] > 0 {
					via[d] = i + 1
					queue = append(queue, d)
				}
			}
		}
	}
	return false
}

// move shifts as much as the path from coupon c to line i carries.
func (s *shares) move(c, i int, from, via []int) {
	carry := min(s.unmet[c], s.room[i])
	for k := from[i] - 1; k != c; k = from[via[k]-1] - 1 {
		carry = min(carry, s.off[k][via[k]-1])
	}
	s.unmet[c] -= carry
	s.room[i] -= carry
	for {
		k := from[i] - 1
		s.off[k][i] += carry
		if k == c {
			return
		}
		i = via[k] - 1
		s.off[k][i] -= carry
	}
}
