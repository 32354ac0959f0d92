package audience

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// DefaultWords is the list that holds where none is configured.
//
//go:embed words.txt
var DefaultWords string

const (
	maxWords       = 20_000
	maxWordSize    = 200 // bytes of a line
	maxPhraseWords = 5
)

// Words are what comments may not say. The zero value lets everything through.
//
// A list has a word a line; "?" before it holds comments for staff to decide instead of refusing them; "#" begins a remark.
// Both sides are compared without width, case and anything that is no letter or digit, so that 加 微.信 is found by 加微信.
// A word of Latin letters and digits alone must be a whole word of the comment (or up to five of them), or be spelled out with
// a space after each letter; any other is found wherever it stands.
type Words struct {
	whole, within map[string]action
	longest       int // runes of the longest word of within
	starts        map[rune]struct{}
}

type action uint8

const (
	pass action = iota
	hold
	refuse
)

// ReadWords reads a list. An error names the line.
func ReadWords(r io.Reader) (*Words, error) {
	w := &Words{whole: map[string]action{}, within: map[string]action{}, starts: map[rune]struct{}{}}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		do := refuse
		if rest, held := strings.CutPrefix(line, "?"); held {
			do, line = hold, rest
		}
		word := strings.Join(tokens(line), "")
		if latin(word) {
			word = strings.Join(tokens(line), " ")
		}
		if word == "" || len(line) > maxWordSize || !utf8.ValidString(line) || len(w.whole)+len(w.within) == maxWords {
			return nil, fmt.Errorf("line %d of the word list: %q is no word of at most %d bytes, or there are more than %d", n, line, maxWordSize, maxWords)
		}
		w.add(word, do)
	}
	return w, lines.Err()
}

func (w *Words) add(word string, do action) {
	if latin(word) {
		w.whole[word] = max(do, w.whole[word])
		return
	}
	w.within[word] = max(do, w.within[word])
	w.longest = max(w.longest, utf8.RuneCountInString(word))
	first, _ := utf8.DecodeRuneInString(word)
	w.starts[first] = struct{}{}
}

// look finds the worst that a text says, and which words that are.
func (w *Words) look(text string) (do action, found []string) {
	if w == nil {
		return pass, nil
	}
	note := func(word string, a action) {
		if a != pass && !slices.Contains(found, word) {
			do, found = max(do, a), append(found, word)
		}
	}
	words := tokens(text)
	w.lookWhole(words, note)
	run := []rune(strings.Join(words, ""))
	for i, first := range run {
		if _, may := w.starts[first]; !may {
			continue
		}
		for n := 1; n <= w.longest && i+n <= len(run); n++ {
			word := string(run[i : i+n])
			note(word, w.within[word])
		}
	}
	return do, found
}

// lookWhole finds words and phrases of Latin letters, and words that are spelled out.
func (w *Words) lookWhole(words []string, note func(string, action)) {
	spelled := ""
	for i, t := range append(words, "") {
		for n := 1; n <= maxPhraseWords && i+n <= len(words); n++ {
			phrase := strings.Join(words[i:i+n], " ")
			note(phrase, w.whole[phrase])
		}
		if utf8.RuneCountInString(t) == 1 && latin(t) {
			spelled += t
			continue
		}
		for word, a := range w.whole {
			if len(spelled) > 1 && strings.Contains(spelled, word) {
				note(word, a)
			}
		}
		spelled = ""
	}
}

// tokens are the words of a text without width and case: the runs of Latin letters and digits, and those of all others.
// What is neither letter nor digit only parts them.
func tokens(text string) []string {
	var all []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			all, word = append(all, string(word)), nil
		}
	}
	for _, r := range norm.NFKC.String(text) {
		r = unicode.ToLower(r)
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			end()
			continue
		}
		if len(word) > 0 && plain(word[0]) != plain(r) {
			end()
		}
		word = append(word, r)
	}
	end()
	return all
}

// plain reports whether r is of those that words of Latin letters consist of.
func plain(r rune) bool { return r < unicode.MaxLatin1 || unicode.Is(unicode.Latin, r) }

func latin(word string) bool {
	return strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0
}

// Contains reports whether a text says a phrase, both without width, case and what is no letter or digit.
func Contains(text, phrase string) bool {
	want := strings.Join(tokens(phrase), "")
	if want == "" { // an emoji
		return strings.Contains(norm.NFKC.String(text), norm.NFKC.String(phrase))
	}
	return strings.Contains(strings.Join(tokens(text), ""), want)
}
