package style

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-live/vitrine/internal/errs"
)

func openAssets(t *testing.T, c AssetsConfig) *Assets {
	t.Helper()
	a, err := OpenAssets(t.TempDir(), c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func picture(t *testing.T) *bytes.Reader {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewNRGBA(image.Rect(0, 0, 40, 20))); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(out.Bytes())
}

func TestAssets(t *testing.T) {
	a := openAssets(t, AssetsConfig{})
	mark, err := a.Add(t.Context(), "store_a", Watermark, "  Logo\x00\n ", picture(t))
	if err != nil || mark.Name != "Logo" || mark.Width != 40 || mark.Bytes == 0 {
		t.Fatalf("%+v %v", mark, err)
	}
	files, err := a.Resolve("store_a", Spec{Watermark: mark.ID})
	if err != nil || len(files.Watermark) != int(mark.Bytes) {
		t.Error(files, err)
	}
	for name, spec := range map[string]Spec{"intro": {Intro: mark.ID}, "watermark": {Watermark: "ast_0000000000000000"}, "outro": {Outro: "../../x"}} {
		if _, err := a.Resolve("store_a", spec); fieldOf(err) != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.Resolve("store_b", Spec{Watermark: mark.ID}); errs.KindOf(err) != errs.Invalid {
		t.Error("another store's asset was found", err)
	}
	again, err := OpenAssets(a.dir, AssetsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := again.List("store_a"); err != nil || len(list) != 1 || list[0] != mark {
		t.Errorf("%+v %v", list, err)
	}
	if err := again.Delete("store_a", mark.ID); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(a.dir, "*", "*")); len(left) > 0 {
		t.Error("left behind:", left)
	}
}

// What an upload that broke off left behind is gone after the next start, and nothing else.
func TestSweep(t *testing.T) {
	a := openAssets(t, AssetsConfig{})
	mark, err := a.Add(t.Context(), "store_a", Watermark, "", picture(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ast_0000000000000001.upload", "ast_0000000000000001.part", "ast_0000000000000002.png"} {
		if err := os.WriteFile(filepath.Join(a.dir, "store_a", name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if a, err = OpenAssets(a.dir, AssetsConfig{}); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(a.dir, "*", "*")); len(left) != 2 {
		t.Error(left)
	}
	if _, err := a.Resolve("store_a", Spec{Watermark: mark.ID}); err != nil {
		t.Error(err)
	}
}

func TestVideoAssets(t *testing.T) {
	a := openAssets(t, AssetsConfig{})
	good, err := os.Open(film(t, "good.webm", "-f", "lavfi", "-i", "testsrc=s=2048x1152:r=6:d=0.5", "-c:v", "libvpx", "-deadline", "realtime"))
	if err != nil {
		t.Fatal(err)
	}
	defer good.Close()
	intro, err := a.Add(t.Context(), "store_a", Intro, "intro", good)
	if err != nil || intro.Width != 1920 || intro.Height != 1080 || intro.Millis < 400 || intro.Millis > 600 {
		t.Fatalf("%+v %v", intro, err)
	}
	if files, err := a.Resolve("store_a", Spec{Intro: intro.ID}); err != nil || filepath.Base(files.Intro) != intro.ID+".mp4" {
		t.Error(files, err)
	}
	secret := filepath.Join(t.TempDir(), "secret.mp4")
	long := film(t, "long.mp4", "-f", "lavfi", "-i", "color=red:s=64x36:r=2:d=61.5", "-c:v", "libx264", "-preset", "ultrafast")
	if err := os.Rename(film(t, "s.mp4", "-f", "lavfi", "-i", "color=red:s=64x36:d=0.2"), secret); err != nil {
		t.Fatal(err)
	}
	read := func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, body := range map[string]string{
		"too long":        read(long),
		"sound":           read(film(t, "sound.m4a", "-f", "lavfi", "-i", "sine=d=0.3")),
		"playlist":        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://" + secret + "\n#EXT-X-ENDLIST\n",
		"list of files":   "ffconcat version 1.0\nfile " + secret + "\n",
		"text":            "hello",
		"too many pixels": read(film(t, "wide.mp4", "-f", "lavfi", "-i", "color=red:s=4200x2400:d=0.04", "-c:v", "mpeg4")),
	} {
		if _, err := a.Add(t.Context(), "store_a", Outro, name, strings.NewReader(body)); errs.KindOf(err) != errs.Invalid || fieldOf(err) != "file" && !strings.Contains(err.Error(), "no video") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(a.dir, "*", "*")); len(left) != 2 {
		t.Error("left behind:", left)
	}
}

func TestAssetsRefused(t *testing.T) {
	a := openAssets(t, AssetsConfig{MaxStore: 1, Reserve: 1 << 30, Free: func() (int64, error) { return 2 << 30, nil }})
	add := func(store string, kind Kind, body io.Reader) error {
		_, err := a.Add(t.Context(), store, kind, "x", body)
		return err
	}
	for _, store := range []string{"", "..", "a/b", "A", "store\x00"} {
		if err := add(store, Watermark, picture(t)); errs.KindOf(err) != errs.NotFound {
			t.Errorf("%q: %v", store, err)
		}
	}
	if err := add("store_a", "logo", picture(t)); fieldOf(err) != "kind" {
		t.Error(err)
	}
	if err := add("store_a", Watermark, bytes.NewReader(pngOf(20_000, 20_000))); fieldOf(err) != "file" || !strings.Contains(err.Error(), "too large") {
		t.Error(err)
	}
	if err := add("store_a", Watermark, io.MultiReader(picture(t), broken{})); errs.KindOf(err) != errs.Invalid {
		t.Error("an upload that broke off was kept:", err)
	}
	if err := add("store_a", Watermark, picture(t)); err != nil {
		t.Error(err)
	}
	if err := add("store_a", Watermark, picture(t)); errs.KindOf(err) != errs.Exhausted {
		t.Error("more than it may:", err)
	}
	a.config.Free = func() (int64, error) { return 1 << 30, nil }
	if err := add("store_b", Watermark, picture(t)); errs.KindOf(err) != errs.Exhausted {
		t.Error("the reserve was taken:", err)
	}
}

// broken is a connection that is cut.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("reset by peer") }
