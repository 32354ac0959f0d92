package mirror

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay"
)

// Repair inspects a show and mends each side from the other: what is damaged here is replaced by the bucket's, what is
// damaged or missing in the bucket is stored anew. Segments of a show that is over which are good nowhere are noted in its
// index as gaps, which players pass over, and are taken back should they be found again. A good copy is never replaced. Lines that
// the index lost are taken from the bucket's, or made of the media; the index that was there stays beside the new one. The
// Report tells how things stand afterwards.
func (in *Inspector) Repair(ctx context.Context, showID string) Report {
	x, err := in.begin(ctx, showID)
	var k keeper
	var asItWas error // why the index stays damaged
	if err == nil {
		err, asItWas = x.rebuild(ctx, &k)
	}
	if err == nil {
		err = x.verify(ctx)
	}
	if err == nil {
		err = x.mendFiles(ctx, &k)
	}
	if err == nil {
		err = x.mendIndex(ctx, &k)
	}
	if err == nil && x.rebuilt {
		err = x.storeIndex(ctx)
	}
	slices.Sort(k.mended)
	x.Mended, x.Err = k.mended, cmp.Or(err, asItWas)
	return x.Report
}

func (x *inspection) mendFiles(ctx context.Context, k *keeper) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(inspectors)
	for i := range x.Files {
		f := &x.Files[i]
		g.Go(func() error {
			switch {
			case f.Here == Damaged && f.There == Good:
				return x.takeFromBucket(ctx, f, k)
			case x.Bucket != nil && f.Here == Good && (f.There == Damaged || f.There == Missing && !x.Pending):
				return x.storeAnew(ctx, f, k)
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

// takeFromBucket replaces a file here. The bucket's is checked on its way, so that a bad one replaces nothing.
func (x *inspection) takeFromBucket(ctx context.Context, f *FileReport, k *keeper) error {
	_, err := download(ctx, x.Bucket, folder(x.show)+f.Name, x.path(f.Name), f.sum)
	if errs.KindOf(err) == errs.Conflict {
		f.There, f.Detail = Damaged, f.Detail+"; bucket: "+detail(err)
		return nil
	}
	if err != nil {
		return err
	}
	f.Here, f.Detail = Good, ""
	k.add(f.Name + " is taken from the bucket")
	return nil
}

// storeAnew stores a file in the bucket, which is checked once more as it is read.
func (x *inspection) storeAnew(ctx context.Context, f *FileReport, k *keeper) error {
	file, err := os.Open(x.path(f.Name))
	if err != nil {
		return err
	}
	defer file.Close()
	size, crc, err := sumOf(file, f.sum)
	if err == nil {
		err = x.Bucket.Upload(ctx, folder(x.show)+f.Name, file, size, crc)
	}
	if err != nil {
		return err
	}
	f.There, f.Detail = Good, ""
	k.add(f.Name + " is stored in the bucket anew")
	return nil
}

// mendIndex notes what is lost and what was found, here and in the bucket.
func (x *inspection) mendIndex(ctx context.Context, k *keeper) error {
	var lost, found []int64
	for i := range x.Files {
		f := &x.Files[i]
		switch {
		case f.msn < 0:
		case f.lost() && !f.Lost:
			lost = append(lost, f.msn)
			f.Lost = true
		case !f.lost() && f.Lost:
			found = append(found, f.msn)
			f.Lost = false
		}
	}
	if len(lost)+len(found) == 0 {
		return nil
	}
	if !x.Ended {
		return errs.New(errs.Conflict, "mirror.Repair", "the show is not over: its %d lost segments can be noted once it is", len(lost))
	}
	if _, err := os.Stat(x.path(replay.IndexName)); errors.Is(err, os.ErrNotExist) {
		if err := x.indexHere(); err != nil {
			return err
		}
	}
	if err := x.mark(lost, found); err != nil {
		return err
	}
	for _, msn := range lost {
		k.add(fmt.Sprintf("segment %d is lost: it is a gap now", msn))
	}
	for _, msn := range found {
		k.add(fmt.Sprintf("segment %d is found again", msn))
	}
	return x.storeIndex(ctx)
}

func (x *inspection) mark(lost, found []int64) error {
	dir := x.path("")
	if len(lost) > 0 {
		if err := replay.MarkLost(dir, lost); err != nil {
			return err
		}
	}
	if len(found) > 0 {
		return replay.MarkFound(dir, found)
	}
	return nil
}

// indexHere brings the index of a show that only the bucket has.
func (x *inspection) indexHere() error {
	if err := os.MkdirAll(x.path(""), 0o755); err != nil {
		return err
	}
	st := state{Fetched: true, Complete: true, Index: int64(len(x.index)), Ended: lastOf(x.index)}
	s := states{dir: x.State, bucket: x.bucketName()}
	if err := errors.Join(s.open(), s.save(x.show, &st)); err != nil {
		return err
	}
	return os.WriteFile(x.path(replay.IndexName), x.index, 0o644)
}

// storeIndex stores the index if the bucket has a whole one.
func (x *inspection) storeIndex(ctx context.Context) error {
	if _, whole := x.there[replay.IndexName]; !whole {
		return nil // the mirror stores it
	}
	index, err := os.ReadFile(x.path(replay.IndexName))
	if err != nil {
		return err
	}
	return x.Bucket.Upload(ctx, folder(x.show)+replay.IndexName, bytes.NewReader(index), int64(len(index)), crc32.Checksum(index, castagnoli))
}
