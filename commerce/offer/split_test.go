package offer

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/commerce"
)

// Whatever is drawn, the pieces sum exactly and none is too small.
func TestSplitIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.Int64Range(1, 300).Draw(t, "pieces")
		least := rapid.SampledFrom([]int64{1, 2, 7, 1_000_000}).Draw(t, "least")
		total := rapid.Int64Range(pieces*least, rapid.SampledFrom([]int64{pieces * least, pieces*least + 5, commerce.MaxAmount}).Draw(t, "top")).Draw(t, "total")
		chance := rapid.SampledFrom([]func(int64) int64{
			draw,
			func(int64) int64 { return 0 },
			func(n int64) int64 { return n - 1 },
			func(n int64) int64 { return n / 2 },
		}).Draw(t, "chance")
		check(t, Split(total, pieces, least, chance), total, pieces, least)
	})
}

func check(t interface{ Fatalf(string, ...any) }, amounts []int64, total, pieces, least int64) {
	var sum int64
	for _, a := range amounts {
		if a < least {
			t.Fatalf("a piece of %d, the least is %d", a, least)
		}
		sum += a
	}
	if sum != total || int64(len(amounts)) != pieces {
		t.Fatalf("%d pieces sum to %d, want %d of %d", len(amounts), sum, pieces, total)
	}
}

func TestSplitTheLargest(t *testing.T) {
	check(t, Split(commerce.MaxAmount, MaxPieces, 1, draw), commerce.MaxAmount, MaxPieces, 1)
}

// All of the draws that there can be, one each, give each way to split 7 into 3 pieces equally often.
func TestSplitIsFair(t *testing.T) {
	const total, pieces = 7, 3
	seen := map[[pieces]int64]int{}
	for a := range int64(total - 2) { // the first draw is below 5, the second below 6
		for b := range int64(total - 1) {
			draws := []int64{a, b}
			amounts := Split(total, pieces, 1, func(n int64) int64 {
				d := draws[0]
				if d >= n {
					t.Fatalf("a draw of %d where it is below %d", d, n)
				}
				draws = draws[1:]
				return d
			})
			seen[[pieces]int64(amounts)]++
		}
	}
	if len(seen) != 15 { // 6 over 2
		t.Errorf("%d ways, want 15", len(seen))
	}
	for way, n := range seen {
		if n != 2 {
			t.Errorf("%v comes %d times in 30", way, n)
		}
	}
}

func TestDrawIsBelow(t *testing.T) {
	var seen []int64
	for range 200 {
		n := draw(3)
		if n < 0 || n > 2 {
			t.Fatalf("drew %d", n)
		}
		if !slices.Contains(seen, n) {
			seen = append(seen, n)
		}
	}
	if len(seen) != 3 {
		t.Errorf("200 draws gave only %v", seen)
	}
}
