package printable

import (
	"strings"
	"testing"
)

func TestClip(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "",
		"OBS 30.2":                    "OBS 30.2",
		"a\r\nlevel=ERROR b":          "alevel=ERROR b",
		"\x1b[31mred":                 "[31mred",
		strings.Repeat("直", 41):       strings.Repeat("直", 40),
		"x" + strings.Repeat("播", 40): "x" + strings.Repeat("播", 39),
	} {
		if got := Clip(in); got != want {
			t.Errorf("Clip(%q) = %q, want %q", in, got, want)
		}
	}
}
