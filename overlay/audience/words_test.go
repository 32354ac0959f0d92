package audience

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func readList(t *testing.T, list string) *Words {
	t.Helper()
	w, err := ReadWords(strings.NewReader(list))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWords(t *testing.T) {
	w := readList(t, "# a remark\n?加微信 # held\n傻逼\nfuck\nkill yourself\n?vx\nＣａｓｉｎｏ\n")
	for text, want := range map[string]action{
		"真好看":                pass,
		"加微信":                hold,
		"加 微-信！":             hold,
		"快来加微信吧":             hold,
		"你是傻 逼 加微信":          refuse, // the worst counts
		"傻★逼":                refuse,
		"FUCK":               refuse,
		"ｆｕｃｋ":               refuse,
		"f u c k":            refuse,
		"f.u.c.k off":        refuse,
		"我fuck你":             refuse,
		"fuckwit":            pass, // another word
		"Kill  Yourself now": refuse,
		"kill it yourself":   pass,
		"加vx":                hold,
		"vxx":                pass,
		"online CASINO":      refuse,
		"a b c":              pass,
		"":                   pass,
		"👏👏👏":                pass,
	} {
		if got, found := w.look(text); got != want {
			t.Errorf("%q: %d because of %q, want %d", text, got, found, want)
		}
	}
	var none *Words
	if got, _ := none.look("fuck"); got != pass {
		t.Error("without a list everything may be said")
	}
}

func TestWordLists(t *testing.T) {
	for _, bad := range []string{"good\n!!!\n", strings.Repeat("长", 100), "ok\n\xff\xfe\n", "?\n"} {
		if _, err := ReadWords(strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	var many strings.Builder
	for i := range maxWords + 1 {
		fmt.Fprintf(&many, "word%d\n", i)
	}
	if _, err := ReadWords(strings.NewReader(many.String())); err == nil {
		t.Error("a list without end was read")
	}
	if do, _ := readList(t, DefaultWords).look("刷单兼职，日赚千元"); do != refuse {
		t.Error("the list that comes with the server is not read as it stands")
	}
}

// Whatever a word of the list is written with between its characters, and in whatever width and case, it is found.
func TestWordsAreFoundInDisguise(t *testing.T) {
	w := readList(t, "加微信领券\n")
	rapid.Check(t, func(t *rapid.T) {
		noise := rapid.SliceOfN(rapid.SampledFrom([]string{"", " ", ".", "-", "★", "　", "👏", "\u200d"}), 6, 6).Draw(t, "noise")
		var text strings.Builder
		for i, r := range []rune("加微信领券") {
			text.WriteString(noise[i] + string(r))
		}
		text.WriteString(noise[5])
		if do, _ := w.look("好看" + text.String() + "好看"); do != refuse {
			t.Fatalf("%q passes", text.String())
		}
	})
}

func TestContains(t *testing.T) {
	for _, c := range []struct {
		text, phrase string
		want         bool
	}{
		{"老板，我要【茶】！", "我要 茶", true}, {"ＨＥＬＬＯ world", "hello", true}, {"he llo", "hello", true}, {"hell", "hello", false}, {"👏👏", "👏", true}, {"x", "👏", false},
	} {
		if got := Contains(c.text, c.phrase); got != c.want {
			t.Errorf("%q in %q: %t", c.phrase, c.text, got)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"hi", " a\tb\n", "\u202eevil", "👨\u200d👩\u200d👧", "\xff", strings.Repeat("长", 201)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, err := clean("test", s)
		if err != nil {
			return
		}
		if again, err := clean("test", text); err != nil || again != text {
			t.Errorf("%q becomes %q, then %q", s, text, again)
		}
		for _, r := range text {
			if unicode.IsControl(r) || r == '\u202e' {
				t.Errorf("%q has %U", text, r)
			}
		}
	})
}
