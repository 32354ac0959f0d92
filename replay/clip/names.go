package clip

import (
	"strings"
	"unicode"
)

// maxFileTitle is how many characters of a title become a file's name: with its end it stays below the 255 bytes of most
// file systems, four bytes a character.
const maxFileTitle = 60

// fileTitle makes of a title what is a file's name on every system: without separators, what shells and systems give a
// meaning, and what turns the direction of text around; never a name that a system keeps for itself, nor a hidden file.
func fileTitle(title string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			return r
		case strings.ContainsRune(" -_.+()", r):
			return r
		case unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r):
			return ' '
		}
		return -1
	}, title)
	name = strings.Join(strings.Fields(name), " ")
	name = strings.Trim(shorten(name, maxFileTitle), ". -")
	if name == "" || reserved[strings.ToLower(strings.SplitN(name, ".", 2)[0])] {
		return strings.TrimSpace("clip " + name)
	}
	return name
}

// reserved are names that Windows keeps for devices.
var reserved = map[string]bool{
	"con": true, "prn": true, "aux": true, "nul": true,
	"com1": true, "com2": true, "com3": true, "com4": true, "com5": true, "com6": true, "com7": true, "com8": true, "com9": true,
	"lpt1": true, "lpt2": true, "lpt3": true, "lpt4": true, "lpt5": true, "lpt6": true, "lpt7": true, "lpt8": true, "lpt9": true,
}
