package clip

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/internal/memo"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// Show is what is to be known of a show.
type Show struct {
	ID, RoomID, StoreID string
	Title               string
	Epochs              media.Epochs
}

// archive keeps the recordings.
type archive interface {
	Has(showID string) bool
	Recording(showID string) (*replay.Recording, error)
	// ServeMedia answers for one segment or initialization segment, whoever may see the replay.
	ServeMedia(w http.ResponseWriter, r *http.Request, showID, name string) error
}

// timeline is the log of a show.
type timeline interface {
	Events(ctx context.Context, showID string, after int64, limit int) ([]overlay.Event, error)
}

// highlights are moments that were found.
type highlights interface {
	// Highlight returns the interval of one, and its title. NotFound.
	Highlight(ctx context.Context, showID, id string) (media.Span, string, error)
}

// Deps are what stands behind a Service.
type Deps struct {
	Store    Store
	Shows    func(ctx context.Context, id string) (Show, error)
	Archive  archive // nil: nothing is recorded
	Timeline timeline
	// Chapters are those of a show as its merchant left them, hidden ones among them.
	Chapters   func(ctx context.Context, showID string) ([]edit.Chapter, error)
	Highlights highlights    // nil: none are found
	Ranges     replay.Ranges // the pins of a show for playlists; nil: none
	Maker      Maker         // nil: no files are made
	// Link is where a viewer buys a product of a show, absolute if the server knows its address; nil: nowhere.
	Link func(show Show, p overlay.ProductSnapshot) string
	// OnAir tells how many shows are on air; nil: none ever.
	OnAir func() int
	// Behind tells why the pictures of a show on air are late, "" while they are not; nil: they never are.
	Behind  func() string
	Log     *slog.Logger     // nil: nothing is logged
	Metrics *Metrics         // nil: nothing is counted
	Now     func() time.Time // nil: time.Now

	free func(dir string) (int64, error) // tests put another one in its place
}

// Service makes clips. Safe for concurrent use. Errors are those of the store, and: Invalid naming the field for an
// interval that is none; NotFound; Conflict when the state of the clip forbids it; Exhausted when too many wait or the disk
// is full.
type Service struct {
	Deps
	cfg   Config
	dir   string
	root  *os.Root
	owner string

	posters  singleflight.Group
	happened *memo.Cache[*happened]
	grabs    chan struct{} // pictures in the making, one at a time

	wake chan struct{} // holds one when there may be work
	stop chan struct{} // closed when Run ends

	mu        sync.Mutex
	running   map[string]context.CancelCauseFunc // by clip
	news      map[string]*news                   // by show
	heldSince time.Time                          // when encoding was last held back or let through meanwhile; zero: it is not
}

// Open opens the folder of clips, which is made when it is not there. Run carries out what waits.
func Open(dir string, cfg Config, deps Deps) (*Service, error) {
	const op = "clip.Open"
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "the folder of the clips cannot be made; check its owner and the disk")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "the folder of the clips cannot be opened")
	}
	owner, err := ownerOf(root)
	if err != nil {
		_ = root.Close()
		return nil, errs.As(errs.Unavailable, op, err, "the folder of the clips cannot be written; check its owner and the disk")
	}
	s := newService(cfg, deps)
	s.dir, s.root, s.owner = dir, root, owner
	return s, nil
}

// newService is a Service without a folder.
func newService(cfg Config, deps Deps) *Service {
	s := &Service{
		Deps: deps, cfg: cfg.WithDefaults(), grabs: make(chan struct{}, 1), wake: make(chan struct{}, 1), stop: make(chan struct{}),
		running: map[string]context.CancelCauseFunc{}, news: map[string]*news{}, happened: newHappened(),
	}
	s.fill()
	return s
}

func (s *Service) fill() {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Metrics == nil {
		s.Metrics = NewMetrics(nil)
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.free == nil {
		s.free = replay.FreeSpace
	}
	if s.OnAir == nil {
		s.OnAir = func() int { return 0 }
	}
	if s.Behind == nil {
		s.Behind = func() string { return "" }
	}
	if s.Link == nil {
		s.Link = func(Show, overlay.ProductSnapshot) string { return "" }
	}
}

// Stopping is closed when Run ends: whoever follows clips lets go.
func (s *Service) Stopping() <-chan struct{} { return s.stop }

// Close closes the folder. Run must have ended.
func (s *Service) Close() error { return s.root.Close() }

// now is the instant as stores keep it.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

const ownerName = "server.id"

// ownerOf is the name of the server of this folder, which it keeps over restarts: what it was at work on when it died is
// its own to take up again.
func ownerOf(root *os.Root) (string, error) {
	b, err := root.ReadFile(ownerName)
	if id := string(b); err == nil && ids.Valid("srv", id) {
		return id, nil
	}
	id := ids.New("srv")
	return id, root.WriteFile(ownerName, []byte(id), 0o600)
}

// recording is that of a show, or NotFound with words.
func (s *Service) recording(showID string) (*replay.Recording, error) {
	const op = "clip.recording"
	if s.Archive == nil {
		return nil, errs.New(errs.NotFound, op, "shows are not recorded on this server, so there is nothing to make clips of")
	}
	rec, err := s.Archive.Recording(showID)
	if errs.KindOf(err) == errs.NotFound {
		return nil, errs.As(errs.NotFound, op, err, "the recording of this show is not there any more; only clips that have a file can still be seen")
	}
	return rec, errs.Wrap(op, err)
}
