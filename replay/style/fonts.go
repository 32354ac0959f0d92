package style

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Fonts are what text is set in: a regular and a bold cut, each followed by what it falls back to. Fonts may be used
// concurrently.
type Fonts struct {
	regular, bold []*sfnt.Font
	synthetic     bool   // there is no bold cut: the regular one is thickened
	file          string // of the regular cut; "": what is built in
	chinese       bool
}

// hanProbe are characters that a font for Chinese has; 价 and 购 are in none for Japanese or traditional Chinese alone.
var hanProbe = []rune("价购直播品")

// wellKnown are fonts for Chinese where fc-match is not installed, each with its bold cut where there is one.
var wellKnown = [][2]string{
	{"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"},
	{"/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", "/usr/share/fonts/noto-cjk/NotoSansCJK-Bold.ttc"},
	{"/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Bold.ttc"},
	{"/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", ""},
	{"/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf", ""},
	{"/System/Library/Fonts/STHeiti Light.ttc", "/System/Library/Fonts/STHeiti Medium.ttc"},
	{"/System/Library/Fonts/PingFang.ttc", ""},
}

// FindFonts opens the font at path, with the bold cut beside it if there is one; "" looks for one with Chinese: what
// fontconfig prefers, then well-known places, and last what is built in, which has Latin, Greek and Cyrillic alone (Chinese
// tells). Invalid names "font": there is no such file, or it is no font.
func FindFonts(ctx context.Context, path string) (*Fonts, error) {
	if path != "" {
		f, err := openFonts([2]string{path, boldBeside(path)})
		if err != nil {
			return nil, errs.As(errs.Invalid, "style.FindFonts", err, "clips.font: %s is no font that can be used; name a .ttf, .otf or .ttc file", path)
		}
		return f, nil
	}
	for _, pair := range append([][2]string{preferred(ctx)}, wellKnown...) {
		if pair[0] == "" {
			continue
		}
		if f, err := openFonts(pair); err == nil && f.chinese {
			return f, nil
		}
	}
	return openFonts([2]string{})
}

// Chinese reports whether Chinese can be written with the fonts.
func (f *Fonts) Chinese() bool { return f.chinese }

// String names the fonts for an operator.
func (f *Fonts) String() string {
	if f.file == "" {
		return "the built-in font, which has no Chinese"
	}
	return f.file
}

// preferred is what fontconfig would take for Chinese, none when it is not installed.
func preferred(ctx context.Context) (pair [2]string) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for i, weight := range []string{"80", "200"} { // FC_WEIGHT_REGULAR, FC_WEIGHT_BOLD
		out, err := exec.CommandContext(ctx, "fc-match", "-f", "%{file}", "sans-serif:lang=zh-cn:weight="+weight).Output()
		if err != nil {
			return [2]string{}
		}
		pair[i] = string(out)
	}
	if pair[0] == pair[1] {
		pair[1] = ""
	}
	return pair
}

// boldBeside is the bold cut of a family whose files are named as most are.
func boldBeside(path string) string {
	for _, word := range []string{"Regular", "regular", "Light"} {
		if bold := strings.Replace(filepath.Base(path), word, "Bold", 1); bold != filepath.Base(path) {
			bold = filepath.Join(filepath.Dir(path), bold)
			if _, err := os.Stat(bold); err == nil {
				return bold
			}
		}
	}
	return ""
}

// openFonts opens a regular and a bold file, either of which may be none.
func openFonts(pair [2]string) (*Fonts, error) {
	latin, err := sfnt.Parse(goregular.TTF)
	latinBold, err2 := sfnt.Parse(gobold.TTF)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	f := &Fonts{regular: []*sfnt.Font{latin}, bold: []*sfnt.Font{latinBold}}
	if pair[0] == "" {
		return f, nil
	}
	regular, err := openFont(pair[0])
	if err != nil {
		return nil, err
	}
	f.file, f.regular, f.chinese = pair[0], []*sfnt.Font{regular, latin}, hasAll(regular, hanProbe)
	if bold, err := openFont(pair[1]); err == nil && (!f.chinese || hasAll(bold, hanProbe)) {
		f.bold = []*sfnt.Font{bold, regular, latinBold}
		return f, nil
	}
	f.bold, f.synthetic = f.regular, true
	return f, nil
}

// openFont reads a font as it is needed, for those with Chinese have tens of megabytes. The file stays open for good. Of a
// collection it takes the member for simplified Chinese.
func openFont(path string) (*sfnt.Font, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	collection, err := sfnt.ParseCollectionReaderAt(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return best(collection)
}

func best(c *sfnt.Collection) (found *sfnt.Font, err error) {
	for i := range c.NumFonts() {
		f, err := c.Font(i)
		if err != nil {
			continue
		}
		if found == nil {
			found = f
		}
		name, _ := f.Name(nil, sfnt.NameIDFull)
		if (strings.Contains(name, " SC") || strings.Contains(name, " GB")) && !strings.Contains(name, "Mono") {
			return f, nil
		}
	}
	if found == nil {
		return nil, fmt.Errorf("no usable font among %d", c.NumFonts())
	}
	return found, nil
}

func hasAll(f *sfnt.Font, runes []rune) bool {
	var buf sfnt.Buffer
	for _, r := range runes {
		if i, err := f.GlyphIndex(&buf, r); err != nil || i == 0 {
			return false
		}
	}
	return true
}
