package style

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/atomicfile"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
)

// Kind says what an asset is for.
type Kind string

// The kinds of assets.
const (
	Watermark Kind = "watermark" // a picture in a corner
	Intro     Kind = "intro"     // a video before a clip
	Outro     Kind = "outro"     // a video behind it
)

// Limits of assets.
const (
	MaxVideoBytes   = 200 << 20
	MaxVideoLength  = 60 * time.Second
	MaxImageBytes   = maxImageBytes
	DefaultMaxStore = 100
	maxName         = 120 // characters
)

// atOnce is how many assets are taken at once, from the first byte to the last; others wait.
const atOnce = 4

// Asset is a file that a merchant uploaded for styled clips.
type Asset struct {
	ID        string    `json:"id"` // "ast_…"
	StoreID   string    `json:"store_id"`
	Kind      Kind      `json:"kind"`
	Name      string    `json:"name"`   // what the merchant calls it
	Width     int       `json:"width"`  // pixels, as it is kept
	Height    int       `json:"height"` // likewise
	Millis    int64     `json:"ms"`     // how long a video is
	Bytes     int64     `json:"bytes"`
	CreatedAt time.Time `json:"created_at"`
}

// file is the name of its file within the folder of its store.
func (a *Asset) file() string {
	if a.Kind == Watermark {
		return a.ID + ".png"
	}
	return a.ID + ".mp4"
}

// AssetsConfig says how assets are kept. Its zero value works.
type AssetsConfig struct {
	FFmpeg   string                // the ffmpeg command; "": ffmpeg
	Threads  int                   // of ffmpeg; 0: 2
	MaxStore int                   // most assets of one store; 0: DefaultMaxStore
	Reserve  int64                 // bytes that stay free on the disk
	Free     func() (int64, error) // bytes that are free; nil: nobody looks
	Now      func() time.Time      // nil: time.Now
}

// Assets keeps what merchants upload for their clips, in a folder for each store: a file and a few words about it beside. Videos
// are encoded anew when they come, so that what a clip is made with is always whole, short, and of one form. Safe for
// concurrent use.
type Assets struct {
	dir    string
	config AssetsConfig
	turns  chan struct{}
	mu     sync.Mutex // what counts and adds
}

// OpenAssets opens the folder of assets, makes it when it is not there, and removes what an interrupted upload left behind.
func OpenAssets(dir string, c AssetsConfig) (*Assets, error) {
	const op = "style.OpenAssets"
	if c.MaxStore == 0 {
		c.MaxStore = DefaultMaxStore
	}
	if c.Threads == 0 {
		c.Threads = 2
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, errs.As(errs.Internal, op, err, "the folder of clip assets cannot be made")
	}
	a := &Assets{dir: dir, config: c, turns: make(chan struct{}, atOnce)}
	return a, errs.Wrap(op, a.sweep())
}

// sweep removes files without words about them: they are written last.
func (a *Assets) sweep() error {
	files, err := filepath.Glob(filepath.Join(a.dir, "*", "*"))
	if err != nil {
		return err
	}
	for _, path := range files {
		id, _, _ := strings.Cut(filepath.Base(path), ".")
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), id+".json")); errors.Is(err, fs.ErrNotExist) {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// Add takes an asset of a store: a JPEG or PNG picture of at most MaxImageBytes as a watermark, a video of at most
// MaxVideoBytes and MaxVideoLength as an intro or outro. body is read once, to a file, never into memory as a whole.
//
// Invalid names the field ("kind", "name", "file"); Exhausted: the store has as many as it may, or the disk is full;
// Unavailable: ffmpeg is not there, or ctx ended before its turn.
func (a *Assets) Add(ctx context.Context, storeID string, kind Kind, name string, body io.Reader) (Asset, error) {
	const op = "style.Add"
	asset := Asset{ID: ids.New("ast"), StoreID: storeID, Kind: kind, Name: printed(name), CreatedAt: a.config.Now().UTC().Truncate(time.Millisecond)}
	if !oneOf(string(kind), string(Watermark), string(Intro), string(Outro)) {
		return Asset{}, errs.Field(op, "kind", "the kind must be watermark, intro or outro")
	}
	if utf8.RuneCountInString(name) > maxName {
		return Asset{}, errs.Field(op, "name", "the name is longer than %d characters", maxName)
	}
	dir, err := a.folder(storeID, true)
	if err != nil {
		return Asset{}, errs.Wrap(op, err)
	}
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
	case <-ctx.Done():
		return Asset{}, errs.As(errs.Unavailable, op, ctx.Err(), "the server is busy with other uploads; try again in a moment")
	}
	if err := a.room(storeID); err != nil {
		return Asset{}, errs.Wrap(op, err)
	}
	upload := filepath.Join(dir, asset.ID+".upload")
	defer os.Remove(upload)
	if err := receive(upload, body, asset.limit()); err != nil {
		return Asset{}, errs.Wrap(op, err)
	}
	made := filepath.Join(dir, asset.ID+".part")
	defer os.Remove(made)
	if err := a.take(ctx, &asset, upload, made); err != nil {
		return Asset{}, errs.Wrap(op, err)
	}
	return asset, errs.Wrap(op, a.keep(dir, &asset, made))
}

// printed is a name without what cannot be printed.
func printed(name string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name))
}

func (a *Asset) limit() int64 {
	if a.Kind == Watermark {
		return MaxImageBytes
	}
	return MaxVideoBytes
}

// receive writes what comes to a file, up to a limit.
func receive(path string, body io.Reader, limit int64) error {
	const op = "style.receive"
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return errs.As(errs.Internal, op, err, "the file cannot be kept")
	}
	n, err := io.Copy(f, io.LimitReader(body, limit+1))
	var disk *fs.PathError
	switch err = errors.Join(err, f.Close()); {
	case errors.As(err, &disk):
		return errs.As(errs.Exhausted, op, err, "the file cannot be kept: the server's disk is full or broken")
	case err != nil:
		return errs.As(errs.Invalid, op, err, "the upload broke off")
	case n > limit:
		return errs.Field(op, "file", "the file is larger than %d MiB", limit>>20)
	case n == 0:
		return errs.Field(op, "file", "the file is empty")
	}
	return nil
}

// take makes the form in which an asset is kept.
func (a *Assets) take(ctx context.Context, asset *Asset, upload, made string) error {
	if asset.Kind == Watermark {
		return takeWatermark(asset, upload, made)
	}
	return a.takeVideo(ctx, asset, upload, made)
}

// keep moves a finished file to its place, and writes the words about it last: they make it exist.
func (a *Assets) keep(dir string, asset *Asset, made string) error {
	const op = "style.keep"
	info, err := os.Stat(made)
	if err != nil {
		return errs.As(errs.Internal, op, err, "the file cannot be kept")
	}
	asset.Bytes = info.Size()
	words, err := json.Marshal(asset)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.room(asset.StoreID); err != nil {
		return err
	}
	path := filepath.Join(dir, asset.file())
	if err := errors.Join(syncFile(made), os.Rename(made, path)); err != nil {
		return errs.As(errs.Internal, op, err, "the file cannot be kept")
	}
	if err := atomicfile.Write(filepath.Join(dir, asset.ID+".json"), words, 0o640); err != nil {
		_ = os.Remove(path)
		return errs.As(errs.Internal, op, err, "the file cannot be kept")
	}
	return nil
}

// room reports whether a store, and the disk, may take one more.
func (a *Assets) room(storeID string) error {
	const op = "style.room"
	assets, err := a.List(storeID)
	if err != nil {
		return err
	}
	if len(assets) >= a.config.MaxStore {
		return errs.New(errs.Exhausted, op, "a store keeps at most %d clip assets; delete one that is no longer used", a.config.MaxStore)
	}
	if a.config.Free == nil {
		return nil
	}
	if free, err := a.config.Free(); err == nil && free < a.config.Reserve+MaxVideoBytes {
		return errs.New(errs.Exhausted, op, "the server's disk is nearly full; free space or wait for older recordings to be removed")
	}
	return nil
}

// folder is that of a store. The name is checked: it becomes part of a path.
func (a *Assets) folder(storeID string, create bool) (string, error) {
	const op = "style.folder"
	if storeID == "" || strings.Trim(storeID, "0123456789abcdefghijklmnopqrstuvwxyz_-") != "" {
		return "", errs.New(errs.NotFound, op, "there is no such store")
	}
	dir := filepath.Join(a.dir, storeID)
	if !create {
		return dir, nil
	}
	return dir, errs.As(errs.Internal, op, os.MkdirAll(dir, 0o750), "the folder of clip assets cannot be made")
}

// List tells the assets of a store, the newest first.
func (a *Assets) List(storeID string) ([]Asset, error) {
	dir, err := a.folder(storeID, false)
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "ast_*.json"))
	if err != nil {
		return nil, errs.As(errs.Internal, "style.List", err, "the clip assets cannot be read")
	}
	out := make([]Asset, 0, len(files))
	for _, path := range files {
		asset, err := a.Asset(storeID, strings.TrimSuffix(filepath.Base(path), ".json"))
		if errs.KindOf(err) == errs.NotFound { // deleted just now
			continue
		} else if err != nil {
			return nil, err
		}
		out = append(out, asset)
	}
	slices.SortFunc(out, func(x, y Asset) int {
		return cmp.Or(y.CreatedAt.Compare(x.CreatedAt), cmp.Compare(x.ID, y.ID))
	})
	return out, nil
}

// Asset tells one asset of a store. NotFound.
func (a *Assets) Asset(storeID, id string) (Asset, error) {
	const op = "style.Asset"
	dir, err := a.folder(storeID, false)
	if err != nil || !ids.Valid("ast", id) {
		return Asset{}, errs.New(errs.NotFound, op, "there is no such clip asset in this store")
	}
	b, err := os.ReadFile(filepath.Join(dir, id+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return Asset{}, errs.New(errs.NotFound, op, "there is no such clip asset in this store")
	}
	var asset Asset
	if err = errors.Join(err, json.Unmarshal(b, &asset)); err != nil {
		return Asset{}, errs.As(errs.Internal, op, err, "the clip asset cannot be read")
	}
	return asset, nil
}

// Open opens the file of an asset, a PNG picture or an MP4 film; its caller closes it. NotFound.
func (a *Assets) Open(storeID, id string) (*os.File, Asset, error) {
	const op = "style.Open"
	asset, err := a.Asset(storeID, id)
	if err != nil {
		return nil, Asset{}, err
	}
	f, err := os.Open(a.path(&asset))
	if err != nil {
		return nil, Asset{}, errs.As(errs.NotFound, op, err, "the file of this clip asset is gone; upload it again")
	}
	return f, asset, nil
}

func (a *Assets) path(asset *Asset) string {
	return filepath.Join(a.dir, asset.StoreID, asset.file())
}

// Delete removes an asset of a store. Clips that are made already keep what they have of it; those that wait fail. NotFound.
func (a *Assets) Delete(storeID, id string) error {
	const op = "style.Delete"
	asset, err := a.Asset(storeID, id)
	if err != nil {
		return err
	}
	words := filepath.Join(a.dir, asset.StoreID, asset.ID+".json")
	if err := os.Remove(words); errors.Is(err, fs.ErrNotExist) {
		return errs.New(errs.NotFound, op, "there is no such clip asset in this store")
	} else if err != nil {
		return errs.As(errs.Internal, op, err, "the clip asset cannot be deleted")
	}
	if err := os.Remove(a.path(&asset)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errs.As(errs.Internal, op, err, "the clip asset cannot be deleted")
	}
	return nil
}

// Files are the assets that a Spec names.
type Files struct {
	Watermark    []byte // nil: none
	Intro, Outro string // paths; "": none
	IntroLength  media.Ticks
}

// Resolve finds the assets of a store that a Spec names. Invalid names the field whose asset is not there or of another kind.
func (a *Assets) Resolve(storeID string, s Spec) (Files, error) {
	const op = "style.Resolve"
	var out Files
	for _, w := range []struct {
		kind Kind
		id   string
		path *string
	}{{Watermark, s.Watermark, nil}, {Intro, s.Intro, &out.Intro}, {Outro, s.Outro, &out.Outro}} {
		if w.id == "" {
			continue
		}
		asset, err := a.Asset(storeID, w.id)
		if errs.KindOf(err) == errs.NotFound || err == nil && asset.Kind != w.kind {
			return Files{}, errs.Field(op, string(w.kind), "there is no %s with this id in the store; upload one as a clip asset", w.kind)
		} else if err != nil {
			return Files{}, errs.Wrap(op, err)
		}
		if w.kind == Intro {
			out.IntroLength = media.FromMilliseconds(asset.Millis)
		}
		if w.path != nil {
			*w.path = a.path(&asset)
		} else if out.Watermark, err = os.ReadFile(a.path(&asset)); err != nil {
			return Files{}, errs.As(errs.Invalid, op, err, "the file of the watermark is gone; upload it again")
		}
	}
	return out, nil
}
