package mirror

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
)

// Inspector looks at recordings here and in the bucket, and mends one from the other. It works beside a server that runs
// and without one.
type Inspector struct {
	Dir    string // of the recordings
	State  string // of the mirror: what it must remember
	Bucket Bucket // nil: there is none
	// Deep reads every byte in the bucket. Otherwise its word is taken: sizes, and the sums that files carry.
	Deep bool
}

// Verdict is what an inspection found of one side of a file.
type Verdict uint8

// The verdicts.
const (
	Missing Verdict = iota
	Good
	Damaged
)

// Summary is what can be told of a show without reading its media.
type Summary struct {
	Show        string
	Began       time.Time // of its first segment
	Duration    media.Ticks
	Ended       bool
	Segments    int
	Gaps        int
	Local       int64 // bytes of all files here
	Remote      int64 // bytes in the bucket
	LocalFiles  int   // of media
	RemoteFiles int
	Err         error // why nothing more can be told
}

// FileReport is what was found of one file.
type FileReport struct {
	Name   string
	Here   Verdict
	There  Verdict
	Lost   bool   // the index says that no good copy is left
	Detail string // of damage

	msn int64 // -1: no segment
	sum *replay.FileSum
}

// Report is what was found of one show.
type Report struct {
	Summary
	Index   replay.IndexDamage
	Files   []FileReport // those that the index names
	Mended  []string     // by Repair, in words
	Pending bool         // the mirror has not uploaded all of it yet, so what the bucket lacks is no loss
}

// Counts counts the files by what they need: nothing, to be mended here, to be mended there, to be uploaded yet, and lost
// on both sides.
func (r *Report) Counts() (good, here, there, waiting, lost int) {
	for i := range r.Files {
		switch f := &r.Files[i]; {
		case f.lost():
			lost++
		case f.Here == Damaged:
			here++
		case f.There == Damaged:
			there++
		case f.There == Missing && f.Here == Good:
			waiting++
		default:
			good++
		}
	}
	return good, here, there, waiting, lost
}

func (f *FileReport) lost() bool { return f.Here != Good && f.There != Good }

// Healthy reports whether every file is good somewhere and damaged nowhere. What is known to be lost counts as found.
func (r *Report) Healthy() bool {
	if r.Err != nil || r.Index.Any() {
		return false
	}
	return !slices.ContainsFunc(r.Files, func(f FileReport) bool {
		return !f.Lost && (f.lost() || f.Here == Damaged || f.There == Damaged)
	})
}

// Shows lists the shows here and in the bucket.
func (in *Inspector) Shows(ctx context.Context) ([]string, error) {
	var shows []string
	entries, err := os.ReadDir(in.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, errs.As(errs.Unavailable, "mirror.Shows", err, "the recordings cannot be read")
	}
	for _, e := range entries {
		if ids.Valid("show", e.Name()) {
			shows = append(shows, e.Name())
		}
	}
	if in.Bucket != nil {
		err := in.Bucket.Folders(ctx, recordings, func(name string) error {
			if ids.Valid("show", name) {
				shows = append(shows, name)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(shows)
	return slices.Compact(shows), nil
}

// inspection is the work on one show.
type inspection struct {
	*Inspector
	show  string
	there map[string]object
	index []byte

	rebuilt bool // the index here was
	Report
}

// Summarize tells of a show without reading its media. It never fails: Err says why something is missing.
func (in *Inspector) Summarize(ctx context.Context, showID string) Summary {
	x, err := in.begin(ctx, showID)
	if x.Err = err; err != nil {
		return x.Summary
	}
	return x.Summary
}

// Verify reads every part of a show against its index, here and, as far as Deep says, in the bucket.
func (in *Inspector) Verify(ctx context.Context, showID string) Report {
	x, err := in.begin(ctx, showID)
	if err == nil {
		err = x.verify(ctx)
	}
	x.Err = err
	return x.Report
}

// begin finds out what files there are and what the index says of them.
func (in *Inspector) begin(ctx context.Context, showID string) (*inspection, error) {
	x := &inspection{Inspector: in, show: showID, there: map[string]object{}}
	x.Show = showID
	if in.Bucket != nil {
		err := in.Bucket.Walk(ctx, folder(showID), func(name string, size int64, etag string) error {
			name = strings.TrimPrefix(name, folder(showID))
			x.there[name] = object{size, etag}
			x.Remote += size
			if replay.IsMedia(name) {
				x.RemoteFiles++
			}
			return nil
		})
		if err != nil {
			return x, err
		}
	}
	entries, err := os.ReadDir(filepath.Join(in.Dir, showID))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return x, err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			x.Local += info.Size()
			if replay.IsMedia(e.Name()) {
				x.LocalFiles++
			}
		}
	}
	return x, x.readIndex(ctx)
}

// readIndex takes the index that is here, or the one of the bucket.
func (x *inspection) readIndex(ctx context.Context) error {
	const op = "mirror.Verify"
	index, err := os.ReadFile(x.path(replay.IndexName))
	if errors.Is(err, os.ErrNotExist) {
		if x.Bucket == nil || len(x.there) == 0 {
			return errs.New(errs.NotFound, op, "%s has no recording", x.show)
		}
		index, err = indexOf(ctx, x.Bucket, x.show, x.there)
	}
	if err != nil {
		return err
	}
	x.index, x.Index = index, replay.InspectIndex(index)
	reader := replay.NewIndexReader(strings.NewReader(string(index)))
	lost := map[int64]bool{}
	for {
		e, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		x.take(&e, lost)
	}
	for i := range x.Files {
		x.Files[i].Lost = lost[x.Files[i].msn]
	}
	st, ok := states{dir: x.State, bucket: x.bucketName()}.load(x.show)
	x.Pending = x.Bucket != nil && (!ok || !st.Complete)
	return nil
}

func (x *inspection) take(e *replay.IndexEntry, lost map[int64]bool) {
	x.Ended = x.Ended || e.End
	if e.Lost || e.Found {
		lost[e.MSN] = e.Lost
	}
	if e.Segment {
		x.Duration = e.Start + e.Duration
		if x.Segments++; x.Segments == 1 {
			x.Began = e.Wall
		}
		if e.File == nil {
			x.Gaps++
		}
	}
	if e.File == nil {
		return
	}
	f := FileReport{Name: e.File.Name, msn: -1, sum: e.File}
	if e.Segment {
		f.msn = e.MSN
	}
	x.Files = append(x.Files, f)
}

func (x *inspection) bucketName() string {
	if x.Bucket == nil {
		return ""
	}
	return x.Bucket.String()
}

func (x *inspection) path(name string) string { return filepath.Join(x.Dir, x.show, name) }

// inspectors is how many files are read at once.
const inspectors = 8

func (x *inspection) verify(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(inspectors)
	for i := range x.Files {
		f := &x.Files[i]
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := x.lookHere(f); err != nil {
				return err
			}
			return x.lookThere(ctx, f)
		})
	}
	return g.Wait()
}

func (x *inspection) lookHere(f *FileReport) error {
	file, err := os.Open(x.path(f.Name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	err = f.sum.Check(file)
	f.Here = Good
	if err != nil { // what cannot be read is damaged too: other disks have bad sectors
		f.Here, f.Detail = Damaged, "here: "+detail(err)
	}
	return nil
}

// lookThere looks at a file in the bucket.
func (x *inspection) lookThere(ctx context.Context, f *FileReport) error {
	o, ok := x.there[f.Name]
	if !ok {
		return nil
	}
	err := x.checkThere(ctx, f, o)
	switch {
	case err == nil:
		f.There = Good
	case errs.KindOf(err) == errs.Conflict:
		f.There, f.Detail = Damaged, strings.TrimPrefix(f.Detail+"; bucket: "+detail(err), "; ")
	case errs.KindOf(err) == errs.NotFound: // it went while we looked
	default:
		return err
	}
	return nil
}

func (x *inspection) checkThere(ctx context.Context, f *FileReport, o object) error {
	const op = "mirror.Verify"
	if o.size != f.sum.Size {
		return errs.New(errs.Conflict, op, "%d bytes instead of %d", o.size, f.sum.Size)
	}
	if x.Deep {
		body, size, crc, known, err := x.Bucket.Download(ctx, folder(x.show)+f.Name)
		if err != nil {
			return err
		}
		_, _ = crc, known // the index knows better
		return errors.Join(receive(body, size, f.sum), body.Close())
	}
	crc, ok := f.sum.CRC()
	_, stored, known, err := x.Bucket.Stat(ctx, folder(x.show)+f.Name)
	if err == nil && ok && known && stored != crc {
		return errs.New(errs.Conflict, op, "the sum that it carries is another one")
	}
	return err
}

func detail(err error) string {
	if m := errs.MessageOf(err); m != "" {
		return m
	}
	return err.Error()
}

// keeper serialises what workers write of a report.
type keeper struct {
	mu     sync.Mutex
	mended []string
}

func (k *keeper) add(text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mended = append(k.mended, text)
}
