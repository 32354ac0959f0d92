package mirror

import (
	"context"
	"errors"
	"hash/crc32"
	"os"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay"
)

// rebuild makes the index here anew if lines of it are damaged or missing. refused tells why that cannot be, which is no reason
// to leave the media as it is.
func (x *inspection) rebuild(ctx context.Context, k *keeper) (err, refused error) {
	const op = "mirror.Repair"
	if !x.Index.Any() {
		return nil, nil
	}
	if _, err := os.Stat(x.path(replay.IndexName)); errors.Is(err, os.ErrNotExist) {
		return nil, nil // it is that of the bucket, which is as it is
	}
	if x.Pending { // a server at work reads on where it was
		return nil, errs.New(errs.Conflict, op, "the index is damaged (%s); it can be mended once the bucket has all of the show", x.Index.String())
	}
	other, err := x.otherIndex(ctx)
	if err != nil {
		return err, nil
	}
	index, done, err := replay.RebuildIndex(x.show, x.index, other, func(name string) ([]byte, error) { return x.best(ctx, name) })
	if errs.KindOf(err) == errs.Conflict {
		return nil, errs.As(errs.Conflict, op, err, "the index is damaged (%s): %s", x.Index.String(), detail(err))
	} else if err != nil {
		return err, nil
	}
	kept, err := replay.ReplaceIndex(x.path(""), index)
	if err != nil {
		return err, nil
	}
	k.add("the index is written anew (" + x.Index.String() + "); the old one is " + kept)
	for _, what := range done {
		k.add("index: " + what)
	}
	x.rebuilt = true
	x.Summary = Summary{Show: x.Show, Local: x.Local, Remote: x.Remote, LocalFiles: x.LocalFiles, RemoteFiles: x.RemoteFiles}
	x.Files = nil
	return x.readIndex(ctx), nil
}

// otherIndex is the bucket's; nil when it has none, or a damaged one.
func (x *inspection) otherIndex(ctx context.Context) ([]byte, error) {
	if x.Bucket == nil || len(x.there) == 0 {
		return nil, nil
	}
	other, err := indexOf(ctx, x.Bucket, x.show, x.there)
	if k := errs.KindOf(err); k == errs.NotFound || k == errs.Conflict {
		return nil, nil
	}
	return other, err
}

// best is a file of the show to make lines of: the one here if the bucket does not know better. NotFound: there is none.
func (x *inspection) best(ctx context.Context, name string) ([]byte, error) {
	here, err := os.ReadFile(x.path(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	missing := err != nil
	if _, ok := x.there[name]; !ok {
		if missing {
			return nil, errs.As(errs.NotFound, "mirror.Repair", err, "%s is nowhere", name)
		}
		return here, nil
	}
	_, crc, known, err := x.Bucket.Stat(ctx, folder(x.show)+name)
	if err != nil {
		return nil, err
	}
	if !missing && (!known || crc == crc32.Checksum(here, castagnoli)) {
		return here, nil
	}
	there, err := readObject(ctx, x.Bucket, folder(x.show)+name)
	if errs.KindOf(err) == errs.Conflict {
		return nil, errs.As(errs.NotFound, "mirror.Repair", err, "no good copy of %s is left", name)
	}
	return there, err
}
