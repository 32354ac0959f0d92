package live

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
)

// ImportState is where an import stands: running -> done, failed or cancelled.
type ImportState string

// The states of an import.
const (
	ImportRunning   ImportState = "running"
	ImportDone      ImportState = "done"
	ImportFailed    ImportState = "failed"
	ImportCancelled ImportState = "cancelled"
)

const (
	// importsAtOnce bounds the imports that run at a time, on all rooms together. One more is refused.
	importsAtOnce = 2
	// importsKept is how many finished imports can still be asked about; older ones are forgotten.
	importsKept = 100
	// importsNote is the setting that names the shows of imports that are not finished, so that a crash leaves nothing.
	importsNote = "imports.unfinished"
)

// Import is the making of a replay out of a finished show elsewhere.
type Import struct {
	ID        string
	RoomID    string
	Title     string
	State     ImportState
	Reason    string        // why it failed, for people
	Expected  time.Duration // what the origin says that the show lasts; 0 until that is known
	Imported  media.Ticks   // so far
	ShowID    string        // the replay, once it is done
	CreatedAt time.Time
	EndedAt   time.Time // zero while it is running
}

// Film is a finished show elsewhere that is being read. It is used by one goroutine.
type Film interface {
	// Duration is how long the origin says that the show lasts.
	Duration() time.Duration
	// Read gives the whole show. begin is called where a stretch on a clock of its own begins, or the tracks change, with
	// the date of the sample that follows (zero where the origin does not tell), write for each sample.
	Read(ctx context.Context, begin func(wall time.Time, tracks []media.Track) error, write func(media.Sample) error) error
	Close()
}

// notes keep what must be known after a crash.
type notes interface {
	Setting(ctx context.Context, key string) (string, error)
	SetSetting(ctx context.Context, key, value string) error
}

// ImportDeps are the parts that imports need.
type ImportDeps struct {
	Rooms   *Rooms
	Archive *replay.Archive // nil: nothing is recorded, so nothing can be imported
	Notes   notes
	// Open reads what there is at an address. Its errors go to whoever asked for the import.
	Open func(ctx context.Context, url string) (Film, error)
	Log  *slog.Logger
}

// Imports makes replays out of finished shows elsewhere. It is safe for concurrent use.
type Imports struct {
	ImportDeps
	ctx     context.Context //nolint:containedctx // of the work, which outlives the requests that ask for it
	cancel  context.CancelFunc
	working sync.WaitGroup

	mu     sync.Mutex
	closed bool
	all    []*importJob // oldest first
}

// importJob is one import. state is guarded by Imports.mu.
type importJob struct {
	state  Import
	url    string
	cancel context.CancelFunc
	show   string // its id from the start
}

// NewImports makes the registry and removes what an earlier process left half done.
func NewImports(ctx context.Context, deps ImportDeps) (*Imports, error) {
	im := &Imports{ImportDeps: deps}
	im.ctx, im.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := im.sweep(ctx); err != nil {
		im.cancel()
		return nil, errs.Wrap("live.NewImports", err)
	}
	return im, nil
}

// Close cancels what is running, removes it, and waits for that.
func (im *Imports) Close() {
	im.mu.Lock()
	im.closed = true
	im.mu.Unlock()
	im.cancel()
	im.working.Wait()
}

// Start begins to import the finished show at url into the room, as an ended show with a replay; an empty title is the
// room's. It does not wait for it. Invalid: the address or the title; NotFound: the room; Conflict: nothing is recorded
// here; Exhausted: enough imports are running.
func (im *Imports) Start(ctx context.Context, roomID, url, title string) (Import, error) {
	const op = "live.Import"
	room, err := im.Rooms.Store.Room(ctx, roomID)
	if err != nil {
		return Import{}, errs.Wrap(op, err)
	}
	if title == "" {
		title = room.Title
	}
	if title, err = checkTitle(op, title); err != nil {
		return Import{}, err
	}
	if url == "" || checkSourceURL(op, url) != nil {
		return Import{}, errs.Field(op, "url", "must be the http or https address of an HLS playlist (.m3u8) of a finished show")
	}
	if im.Archive == nil {
		return Import{}, errs.New(errs.Conflict, op, "this server records nothing, so it cannot import; set recording.enabled")
	}
	return im.start(op, Import{ID: ids.New("import"), RoomID: roomID, Title: title, State: ImportRunning, CreatedAt: im.Rooms.now()}, url)
}

func (im *Imports) start(op string, state Import, url string) (Import, error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	running := 0
	for _, j := range im.all {
		if j.state.State == ImportRunning {
			running++
		}
	}
	switch {
	case im.closed:
		return Import{}, errs.New(errs.Unavailable, op, "the server is shutting down; try again in a moment")
	case running >= importsAtOnce:
		return Import{}, errs.New(errs.Exhausted, op, "%d imports are running; try again when one of them is done", running)
	}
	ctx, cancel := context.WithCancel(im.ctx)
	j := &importJob{state: state, url: url, cancel: cancel, show: ids.New("show")}
	im.all = append(im.all, j)
	if n := len(im.all) - importsKept; n > 0 && im.all[0].state.State != ImportRunning {
		im.all = slices.Delete(im.all, 0, 1)
	}
	im.working.Go(func() { im.run(ctx, j) })
	return state, nil
}

// Import returns an import that is running or ended not long ago. NotFound.
func (im *Imports) Import(id string) (Import, error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if j := im.find(id); j != nil {
		return j.state, nil
	}
	return Import{}, errs.New(errs.NotFound, "live.Import", "there is no such import; those that ended long ago, or before the server was last started, are forgotten")
}

func (im *Imports) find(id string) *importJob {
	i := slices.IndexFunc(im.all, func(j *importJob) bool { return j.state.ID == id })
	if i < 0 {
		return nil
	}
	return im.all[i]
}

// List returns the imports of a room, newest first.
func (im *Imports) List(roomID string) []Import {
	im.mu.Lock()
	defer im.mu.Unlock()
	out := []Import{}
	for _, j := range slices.Backward(im.all) {
		if j.state.RoomID == roomID {
			out = append(out, j.state)
		}
	}
	return out
}

// Cancel ends an import; what there is of it is removed. NotFound; Conflict: it has ended.
func (im *Imports) Cancel(id string) error {
	const op = "live.CancelImport"
	im.mu.Lock()
	defer im.mu.Unlock()
	j := im.find(id)
	switch {
	case j == nil:
		return errs.New(errs.NotFound, op, "there is no such import")
	case j.state.State != ImportRunning:
		return errs.New(errs.Conflict, op, "the import has ended already")
	}
	j.cancel()
	return nil
}

// update changes the state of an import.
func (im *Imports) update(j *importJob, change func(*Import)) {
	im.mu.Lock()
	defer im.mu.Unlock()
	change(&j.state)
}

// run carries an import out.
func (im *Imports) run(ctx context.Context, j *importJob) {
	defer j.cancel()
	log := im.Log.With("room", j.state.RoomID, "import", j.state.ID, "show", j.show)
	log.Info("import begins")
	err := im.carryOut(ctx, j)
	im.update(j, func(s *Import) {
		s.EndedAt = im.Rooms.now()
		switch {
		case err == nil:
			s.State, s.ShowID = ImportDone, j.show
		case ctx.Err() != nil:
			s.State, s.Reason = ImportCancelled, "cancelled"
		default:
			s.State, s.Reason = ImportFailed, errs.MessageOf(err)
			if s.Reason == "" {
				s.Reason = "something went wrong on the server; its log says more"
			}
		}
	})
	if err != nil {
		log.Warn("import came to nothing", "error", err)
		return
	}
	log.Info("import done", "took", im.Rooms.now().Sub(j.state.CreatedAt))
	im.Rooms.RoomChanged(j.state.RoomID, j.show)
}

// carryOut notes the import, makes the show, and removes what there is of it when that fails.
func (im *Imports) carryOut(ctx context.Context, j *importJob) error {
	if err := im.note(ctx, j.show, true); err != nil {
		return err
	}
	err := im.makeShow(ctx, j)
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishTimeout)
	defer cancel()
	if err != nil {
		err = errors.Join(err, im.remove(j.show))
	}
	return errors.Join(err, im.note(cleanup, j.show, false))
}

// remove removes the recording of an import that came to nothing.
func (im *Imports) remove(show string) error {
	err := im.Archive.Delete(show)
	if errs.KindOf(err) == errs.NotFound {
		return nil
	}
	return err
}

// note adds a show to those that are not finished, or takes it away.
func (im *Imports) note(ctx context.Context, show string, unfinished bool) error {
	im.mu.Lock()
	defer im.mu.Unlock()
	shows, err := im.noted(ctx)
	if err != nil {
		return err
	}
	shows = slices.DeleteFunc(shows, func(s string) bool { return s == show })
	if unfinished {
		shows = append(shows, show)
	}
	b, err := json.Marshal(shows)
	if err != nil {
		return err
	}
	return im.Notes.SetSetting(ctx, importsNote, string(b))
}

func (im *Imports) noted(ctx context.Context) (shows []string, err error) {
	value, err := im.Notes.Setting(ctx, importsNote)
	switch {
	case errs.KindOf(err) == errs.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return shows, json.Unmarshal([]byte(value), &shows)
}

// sweep removes the recordings of imports that a crash interrupted.
func (im *Imports) sweep(ctx context.Context) error {
	shows, err := im.noted(ctx)
	if err != nil || im.Archive == nil {
		return err
	}
	for _, show := range shows {
		_, err := im.Rooms.Store.Show(ctx, show)
		switch {
		case errs.KindOf(err) == errs.NotFound: // it was never finished
			im.Log.Warn("an import that the last run did not finish is removed", "show", show)
			err = im.remove(show)
		case err == nil: // finished, but for this note
		}
		if err = errors.Join(err, im.note(ctx, show, false)); err != nil {
			return err
		}
	}
	return nil
}
