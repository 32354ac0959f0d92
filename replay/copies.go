package replay

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Copies are the copies of recordings that are kept outside this machine: replay/mirror. Has and Shows answer from
// memory. Safe for concurrent use.
type Copies interface {
	// Has reports whether there is a copy of the show.
	Has(showID string) bool
	// Shows lists the shows that there are copies of.
	Shows() []string
	// Fetch brings a file of a show into its folder, whole and checked; with IndexName the folder is made, with all that
	// a player needs besides segments. NotFound: there is no copy; Unavailable, Exhausted: not for now.
	Fetch(ctx context.Context, showID, name string) error
	// Watched notes that somebody reads the media of a show.
	Watched(showID string)
	// Delete notes for good that the copies of a show must go; they go in their own time. It is called before anything is
	// deleted here.
	Delete(showID string) error
}

// IndexName is the file of a show's folder that says what the others are.
const IndexName = indexName

// fetchTimeout bounds how long a reader waits for a file that is not on this disk.
const fetchTimeout = time.Minute

// IsMedia reports whether name is that of a segment's file, the only ones that may leave this disk while copies of them
// are kept elsewhere.
func IsMedia(name string) bool {
	n, ok := playlist.ParseName(name)
	return ok && n.Kind == playlist.SegmentFile
}

// IsTemporary reports whether name is that of a file that is being written.
func IsTemporary(name string) bool {
	return strings.HasSuffix(name, tempSuffix) || strings.HasSuffix(name, ".part")
}

// fetch brings a file that is not on this disk. Whoever waits for it may go away, the file still comes: the next one
// will ask for it.
func (a *Archive) fetch(showID, name string) error {
	const op = "replay.fetch"
	if a.cfg.Copies == nil {
		return errs.New(errs.NotFound, op, "the recording has no such file")
	}
	ctx, cancel := context.WithTimeout(a.ctx, fetchTimeout)
	defer cancel()
	return errs.Wrap(op, a.cfg.Copies.Fetch(ctx, showID, name))
}

// elsewhere reports whether there is a copy of the show outside this machine.
func (a *Archive) elsewhere(showID string) bool {
	return a.cfg.Copies != nil && a.cfg.Copies.Has(showID)
}

// read loads the recording of a show, whose index is fetched when only copies of it are left.
func (a *Archive) read(showID string) (*Recording, leftovers, error) {
	rec, left, err := load(a.root, showID, showID, a)
	if errs.KindOf(err) != errs.NotFound || !a.elsewhere(showID) {
		return rec, left, err
	}
	if err := a.fetch(showID, indexName); err != nil {
		return nil, leftovers{}, err
	}
	return load(a.root, showID, showID, a)
}

// withElsewhere adds the shows that are only kept elsewhere.
func (a *Archive) withElsewhere(shows []string) []string {
	if a.cfg.Copies == nil {
		return shows
	}
	shows = append(shows, a.cfg.Copies.Shows()...)
	slices.Sort(shows)
	return slices.Compact(shows)
}

// FreeSpace is how many bytes of the disk were free when it was last looked at.
func (a *Archive) FreeSpace() int64 { return a.free.Load() }

// DropLocal removes the files of segments of a show from this disk, for the space: they are fetched when somebody wants
// them. It returns the bytes gained. Conflict: the show is being recorded. The caller knows that there are copies.
func (a *Archive) DropLocal(showID string) (freed int64, err error) {
	const op = "replay.DropLocal"
	if err := a.claim(showID); err != nil {
		return 0, err
	}
	defer a.release(showID)
	d, err := openDisk(a.root, showID)
	if err != nil {
		return 0, fileError(op, err)
	}
	freed, err = dropMedia(a.root, d, showID)
	if closeErr := d.close(); err == nil {
		err = closeErr
	}
	return freed, errs.Wrap(op, err)
}

// DropCopy removes all that is here of a show of which somebody else has the original. Conflict: it is being recorded.
func (a *Archive) DropCopy(showID string) error {
	if err := a.claim(showID); err != nil {
		return err
	}
	defer a.release(showID)
	return errs.Wrap("replay.DropCopy", a.removeLocal(showID))
}

// release ends a claim.
func (a *Archive) release(showID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.busy, showID)
}
