package lottery

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestRecipe keeps the recipe as it is printed in docs/lottery.md: proofs that are out there must stay readable.
func TestRecipe(t *testing.T) {
	seed, _ := hex.DecodeString("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	entrants := []string{"ent_a", "ent_b", "ent_c", "ent_d"}
	hash := EntrantsHash("lot_1", entrants)
	for _, c := range []struct{ what, got, want string }{
		{"commitment", Commitment(seed), "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"},
		{"entrants hash", hash, "d2ab39cc7c829a4b15a8854955b28488129bee116e6987d7e8421973802aa283"},
		{"ranks", fmt.Sprint(Rank(seed, "lot_1", hash, entrants, 4)), "[ent_b ent_d ent_a ent_c]"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.what, c.got, c.want)
		}
	}
}

// Whoever takes part, in whatever order they are listed: the same win, each once, and as many as there are prizes.
func TestRankIsAPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), seedSize, seedSize).Draw(t, "seed")
		entrants := rapid.SliceOfNDistinct(rapid.StringMatching(`ent_[0-9a-f]{4}`), 0, 50, rapid.ID).Draw(t, "entrants")
		n := rapid.IntRange(0, 60).Draw(t, "n")
		got := Rank(seed, "lot_1", "hash", entrants, n)
		if len(got) != min(n, len(entrants)) {
			t.Fatalf("%d of %d win, %d were to", len(got), len(entrants), n)
		}
		for i, e := range got {
			if !slices.Contains(entrants, e) || slices.Contains(got[:i], e) {
				t.Fatalf("%s wins twice or out of nowhere", e)
			}
		}
		shuffled := rapid.Permutation(entrants).Draw(t, "shuffled")
		if again := Rank(seed, "lot_1", "hash", shuffled, n); !slices.Equal(got, again) {
			t.Fatalf("the order of the list matters: %v, then %v", got, again)
		}
		if fewer := Rank(seed, "lot_1", "hash", entrants, n/2); !slices.Equal(fewer, got[:len(fewer)]) {
			t.Fatal("another number of prizes changes who comes first")
		}
	})
}

// Over many seeds everybody wins about as often. The bound is wide (six standard deviations) and the seeds are fixed: the
// test always sees the same draws.
func TestRankIsFair(t *testing.T) {
	const draws, people, prizes = 4000, 20, 5
	entrants, won := make([]string, people), map[string]int{}
	for i := range entrants {
		entrants[i] = Secret{Pseudonyms: []byte("k")}.Entrant(fmt.Sprint(i))
	}
	for i := range draws {
		seed := bytes.Repeat([]byte{byte(i), byte(i >> 8)}, seedSize/2)
		for _, e := range Rank(seed, "lot_1", "hash", entrants, prizes) {
			won[e]++
		}
	}
	const mean, deviation = draws * prizes / people, 27 // sqrt(4000 * 1/4 * 3/4)
	for _, e := range entrants {
		if n := won[e]; n < mean-6*deviation || n > mean+6*deviation {
			t.Errorf("%s won %d times of %d, about %d would be fair", e, n, draws, mean)
		}
	}
}

func TestSecretsDiffer(t *testing.T) {
	a, b := newSecret(), newSecret()
	if len(a.Seed) != seedSize || len(a.Pseudonyms) != seedSize || bytes.Equal(a.Seed, b.Seed) || bytes.Equal(a.Seed, a.Pseudonyms) {
		t.Errorf("%x, %x", a, b)
	}
	if again := a.Entrant("v"); again != (Secret{Pseudonyms: bytes.Clone(a.Pseudonyms)}).Entrant("v") || a.Entrant("v") == b.Entrant("v") || a.Entrant("v") == a.Entrant("w") {
		t.Error("an entrant must be the same for the same viewer of the same lottery alone")
	}
}

func TestPrizeOf(t *testing.T) {
	prizes := []Prize{{Count: 1}, {Count: 3}, {Count: 2}}
	for rank, want := range []int{0, 0, 1, 1, 1, 2, 2, -1} {
		if got := PrizeOf(prizes, rank); got != want {
			t.Errorf("rank %d gets prize %d, want %d", rank, got, want)
		}
	}
}

func TestMask(t *testing.T) {
	for name, want := range map[string]string{"张三": "张***", "Anna": "A***", " 王": "王***", "": "***", "\xff": "***"} {
		if got := Mask(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}
