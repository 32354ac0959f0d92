package lottery

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
)

// Recipe names the way winners are drawn. Another way gets another name, so that a proof always says how to read it.
//
// Everything is text: hashes and the seed are lower-case hexadecimal, lines end with "\n".
//
//	commitment    = SHA-256(seed as its 32 bytes)
//	entrants hash = SHA-256("vitrine-lottery-1\n" lottery "\n" count "\n" and each entrant, ascending, with "\n")
//	key           = HMAC-SHA256(seed as its 32 bytes, "vitrine-lottery-1\n" lottery "\n" entrants-hash "\n")
//	score         = HMAC-SHA256(key, entrant)
//
// Entrants win in the order of their scores, the lowest first. Scores have 256 bits: nothing is reduced to a range, so
// nothing has to be rejected to stay fair.
const Recipe = "vitrine-lottery-1"

const seedSize = 32

// Secret is what the server alone knows of a lottery.
type Secret struct {
	Seed []byte // 32 random bytes, made public by the draw
	// Pseudonyms makes entrants of viewers. It never becomes public, so that nobody can try out who took part.
	Pseudonyms []byte
}

func newSecret() Secret {
	b := make([]byte, 2*seedSize)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return Secret{Seed: b[:seedSize:seedSize], Pseudonyms: b[seedSize:]}
}

// Commitment is what is published of a seed before anybody enters.
func Commitment(seed []byte) string {
	sum := sha256.Sum256(seed)
	return hex.EncodeToString(sum[:])
}

// Entrant is the name under which a viewer takes part: the same for the same viewer, and telling nothing about them.
func (s Secret) Entrant(viewerID string) string {
	return "ent_" + hex.EncodeToString(mac(s.Pseudonyms, viewerID)[:16])
}

// EntrantsHash is what is published of the entrants, who stand in ascending order, before the seed is.
func EntrantsHash(lotteryID string, entrants []string) string {
	h := sha256.New()
	writeLine(h, Recipe)
	writeLine(h, lotteryID)
	writeLine(h, fmt.Sprint(len(entrants)))
	for _, e := range entrants {
		writeLine(h, e)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Rank orders the entrants by what the seed makes of them, those who win first, and returns at most n.
func Rank(seed []byte, lotteryID, entrantsHash string, entrants []string, n int) []string {
	key := mac(seed, Recipe+"\n"+lotteryID+"\n"+entrantsHash+"\n")
	type scored struct {
		entrant string
		score   []byte
	}
	all := make([]scored, len(entrants))
	for i, e := range entrants {
		all[i] = scored{e, mac(key, e)}
	}
	slices.SortFunc(all, func(a, b scored) int {
		return cmp.Or(bytes.Compare(a.score, b.score), cmp.Compare(a.entrant, b.entrant))
	})
	first := make([]string, min(n, len(all)))
	for i := range first {
		first[i] = all[i].entrant
	}
	return first
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// writeLine adds a line to a hash, which takes everything.
func writeLine(h hash.Hash, s string) {
	h.Write([]byte(s))
	h.Write([]byte{'\n'})
}
