package account

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// The length of a password, in characters. There are no rules of what must be in it: they make passwords worse.
const (
	MinPassword = 10
	MaxPassword = 128
)

//go:embed commonpasswords.txt
var commonPasswords string

var common = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for line := range strings.Lines(commonPasswords) {
		if word := strings.TrimSpace(line); word != "" && !strings.HasPrefix(word, "#") {
			words[word] = true
		}
	}
	return words
})

// checkPassword refuses a password that is short, or among the first that anybody would try: a common one, perhaps with
// digits and signs around it or for letters, a run of the keyboard, one character again and again, or a name of the person.
func checkPassword(op, field, password string, names ...string) error {
	switch n := utf8.RuneCountInString(password); {
	case n < MinPassword || n > MaxPassword:
		return errs.Field(op, field, "the password must have %d to %d characters", MinPassword, MaxPassword)
	case !utf8.ValidString(password):
		return errs.Field(op, field, "the password must be text")
	case guessable(password, names):
		return errs.Field(op, field, "this password is among the first that anybody would try: take several words that do not belong together")
	}
	return nil
}

func guessable(password string, names []string) bool {
	lower := strings.ToLower(password)
	noLetter := func(r rune) bool { return !unicode.IsLetter(r) }
	core := strings.TrimFunc(lower, noLetter)
	whole, plain := strings.TrimFunc(unleet.Replace(lower), noLetter), unleet.Replace(core)
	ended := unleet.Replace(strings.TrimRightFunc(lower, noLetter)) // signs at the front may be letters: @dmin
	for _, word := range []string{lower, core, whole, plain, ended} {
		if common()[word] || common()[halved(word)] {
			return true
		}
	}
	for _, name := range names {
		if name, _, _ = strings.Cut(strings.ToLower(name), "@"); len(name) >= 3 && (core == name || strings.Contains(lower, name) && len(lower) < len(name)+6) {
			return true
		}
	}
	return len(core) < 4 && onlyDigits(lower) || fewCharacters(lower) || runs(lower)
}

// unleet reads digits and signs as the letters that they stand for.
var unleet = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")

// halved is the half of a word that is written twice.
func halved(word string) string {
	if h := len(word) / 2; len(word)%2 == 0 && word[:h] == word[h:] {
		return word[:h]
	}
	return word
}

// onlyDigits: dates, telephone numbers, numbers of identity cards.
func onlyDigits(s string) bool {
	return strings.Trim(s, "0123456789 -./") == "" && len(s) < 20
}

func fewCharacters(s string) bool {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen) < 4
}

// keyboard are the runs that fingers make, each also backwards.
var keyboard = []string{"abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qazwsxedcrfvtgbyhnujmikolp", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "!qaz@wsx#edc$rfv", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0"}

// runs reports whether a password is made of at most three runs of the keyboard.
func runs(s string) bool {
	for n := 0; n < 3; n++ {
		if s = s[runLength(s):]; s == "" {
			return true
		}
	}
	return false
}

// runLength is the length of the longest run that s begins with, 0 for less than three characters.
func runLength(s string) int {
	for n := len(s); n >= 3; n-- {
		for _, k := range keyboard {
			if strings.Contains(k, s[:n]) || strings.Contains(backwards(k), s[:n]) {
				return n
			}
		}
	}
	return 0
}

func backwards(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}
