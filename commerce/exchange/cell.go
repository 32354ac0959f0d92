package exchange

import (
	"strings"

	"github.com/vitrine-live/vitrine/commerce"
)

// defuse keeps spreadsheets from taking a text for a formula: one that begins like a formula gets an apostrophe before it,
// and so does one that begins with an apostrophe, so that arm can tell.
func defuse(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r'＝＋－＠", firstRune(cell)) {
		return cell
	}
	return "'" + cell
}

// arm takes away what defuse put before a text.
func arm(cell string) string {
	rest, quoted := strings.CutPrefix(cell, "'")
	if quoted && rest != "" && defuse(rest) != rest {
		return rest
	}
	return cell
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

// lines is a list in one cell, an entry a line. No entry has a line break or is empty.
func lines(list []string) string { return strings.Join(list, "\n") }

func listOf(cell string) []string {
	var list []string
	for line := range strings.SplitSeq(strings.ReplaceAll(cell, "\r\n", "\n"), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

var escapes = strings.NewReplacer(`\`, `\\`, `=`, `\=`)

// attributes are "name=value" lines; an equals sign of a name is written \= and a backslash \\.
func attributes(list []commerce.Attribute) string {
	all := make([]string, len(list))
	for i, a := range list {
		all[i] = escapes.Replace(a.Name) + "=" + a.Value
	}
	return lines(all)
}

func attributesOf(cell string) (list []commerce.Attribute, ok bool) {
	for _, line := range listOf(cell) {
		name, value, found := cutName(line)
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !found || name == "" || value == "" {
			return nil, false
		}
		list = append(list, commerce.Attribute{Name: name, Value: value})
	}
	return list, true
}

// cutName cuts a line at its first equals sign that is not escaped.
func cutName(line string) (name, value string, found bool) {
	var out strings.Builder
	escaped := false
	for i, r := range line {
		switch {
		case escaped:
			out.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == '=':
			return out.String(), line[i+1:], true
		default:
			out.WriteRune(r)
		}
	}
	return "", "", false
}
