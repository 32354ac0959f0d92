package exchange

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// State says how far an import is.
type State string

// The states, in order. Done and Failed are the ends.
const (
	Waiting  State = "waiting"
	Checking State = "checking" // everything, before anything is written
	Applying State = "applying"
	Done     State = "done"
	Failed   State = "failed" // nothing was imported
)

// maxWaiting is how many imports may wait for their turn, each with its file in memory; beyond it one is refused.
const maxWaiting = 4

// Import is a file that is brought into a store, or was.
type Import struct {
	ID        string // "imp_…"
	StoreID   string
	Format    Format
	DryRun    bool // everything is checked, nothing is written
	State     State
	Read      int // rows
	Valid     int // rows without an error
	Applied   int // rows written
	Created   int // products
	Updated   int
	Reason    string              // why it failed
	Errors    []commerce.RowError // the first commerce.MaxRowErrors
	By        string              // who began it
	CreatedAt time.Time
	EndedAt   time.Time // zero: it has not ended
}

// Store keeps imports. Each method is one transaction.
type Store interface {
	CreateImport(ctx context.Context, i Import) error
	SaveImport(ctx context.Context, i Import) error                 // NotFound
	Import(ctx context.Context, storeID, id string) (Import, error) // NotFound
	Imports(ctx context.Context, storeID, beforeID string, limit int) ([]Import, error)
	OpenImports(ctx context.Context) ([]Import, error) // of all stores
	// ApplyImport writes all of a plan and how the import ended, or nothing.
	ApplyImport(ctx context.Context, plan *commerce.ImportPlan, done Import) error
}

// Deps are what an Importer works with.
type Deps struct {
	Catalogue *commerce.Catalogue
	Store     Store
	// Changed is told which products an import changed; nil: nobody is.
	Changed func(ctx context.Context, productIDs []string)
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
}

// Importer brings files into stores, one at a time. Safe for concurrent use.
type Importer struct {
	Deps
	queue chan job
}

type job struct {
	Import
	file []byte
}

// NewImporter makes an Importer; Run does the work.
func NewImporter(d Deps) *Importer {
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Importer{Deps: d, queue: make(chan job, maxWaiting)}
}

// Recover marks imports that an earlier process left as failed: call it before Start. Where several servers share one
// database and one of them still works on an import, its end is written over the mark.
func (m *Importer) Recover(ctx context.Context) error {
	const op = "exchange.Recover"
	open, err := m.Store.OpenImports(ctx)
	if err != nil {
		return errs.Wrap(op, err)
	}
	for _, i := range open {
		m.end(&i, Failed, "the server was restarted in the middle of it: nothing was imported; send the file again")
		if err := m.Store.SaveImport(ctx, i); err != nil {
			return errs.Wrap(op, err)
		}
	}
	return nil
}

// Start takes a file and returns the import, which goes on by itself. Invalid names "file"; Exhausted: too many wait.
func (m *Importer) Start(ctx context.Context, storeID, by string, format Format, dryRun bool, file []byte) (Import, error) {
	const op = "exchange.Start"
	if len(file) == 0 || len(file) > MaxBytes {
		return Import{}, errs.Field(op, "file", "send a file of at most %d MiB", MaxBytes>>20)
	}
	i := Import{ID: ids.New("imp"), StoreID: storeID, Format: format, DryRun: dryRun, State: Waiting, By: by, CreatedAt: m.instant()}
	if len(m.queue) == cap(m.queue) {
		return Import{}, errs.New(errs.Exhausted, op, "other imports are waiting for their turn; try again in a minute")
	}
	if err := m.Store.CreateImport(ctx, i); err != nil {
		return Import{}, errs.Wrap(op, err)
	}
	select {
	case m.queue <- job{i, file}:
		return i, nil
	default: // others were faster
		m.end(&i, Failed, "other imports were waiting for their turn; try again in a minute")
		return Import{}, errors.Join(errs.New(errs.Exhausted, op, "%s", i.Reason), m.Store.SaveImport(ctx, i))
	}
}

// Run works until ctx ends. An import that it leaves is marked by Recover.
func (m *Importer) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-m.queue:
			m.work(ctx, &j)
		}
	}
}

func (m *Importer) work(ctx context.Context, j *job) {
	changed, err := m.carryOut(ctx, &j.Import, j.file)
	if ctx.Err() != nil && j.State != Done {
		return
	}
	if err != nil {
		reason := errs.MessageOf(err)
		if kind := errs.KindOf(err); reason == "" || kind == errs.Internal {
			m.Log.ErrorContext(ctx, "an import failed", "import", j.ID, "error", err)
			reason = "something went wrong on the server; its log says more"
		}
		var at *commerce.RowError
		if errors.As(err, &at) {
			j.Errors = []commerce.RowError{*at}
		}
		m.end(&j.Import, Failed, reason)
	}
	if j.State != Done || j.DryRun {
		m.save(ctx, &j.Import)
	}
	m.Log.InfoContext(ctx, "import ended", "import", j.ID, "store", j.StoreID, "state", j.State, "rows", j.Read, "created", j.Created, "updated", j.Updated)
	if len(changed) > 0 && m.Changed != nil {
		m.Changed(ctx, changed)
	}
}

// carryOut reads, checks and writes a file. It returns the products that were changed.
func (m *Importer) carryOut(ctx context.Context, i *Import, b []byte) (changed []string, err error) {
	i.State = Checking
	m.save(ctx, i)
	file, err := Read(i.Format, b)
	if err != nil {
		return nil, err
	}
	i.Read = file.Rows
	plan, err := m.Catalogue.PlanImport(ctx, i.StoreID, file.Products)
	if err != nil {
		return nil, err
	}
	i.Valid = plan.Valid
	i.Errors = append(file.Errors, plan.Errors...)
	i.Errors = i.Errors[:min(len(i.Errors), commerce.MaxRowErrors)]
	if n := file.Failed + plan.Failed; n > 0 {
		m.end(i, Failed, fmt.Sprintf("%d things in the file are wrong: nothing was imported", n))
		return nil, nil
	}
	i.Created, i.Updated = len(plan.Creates), len(plan.Updates)
	if i.DryRun {
		m.end(i, Done, "")
		return nil, nil
	}
	i.State = Applying
	m.save(ctx, i)
	done := *i
	m.end(&done, Done, "")
	done.Applied = i.Read
	if err := m.Store.ApplyImport(ctx, plan, done); err != nil {
		i.Created, i.Updated = 0, 0
		return nil, err
	}
	*i = done
	for _, u := range plan.Updates {
		changed = append(changed, u.ID)
	}
	return changed, nil
}

// save stores how far an import is. One that is not stored is told of late; its end is told by Recover at the latest.
func (m *Importer) save(ctx context.Context, i *Import) {
	if err := m.Store.SaveImport(ctx, *i); err != nil && ctx.Err() == nil {
		m.Log.WarnContext(ctx, "how far an import is could not be stored", "import", i.ID, "error", err)
	}
}

func (m *Importer) end(i *Import, s State, reason string) {
	i.State, i.Reason, i.EndedAt = s, reason, m.instant()
}

func (m *Importer) instant() time.Time { return m.Now().UTC().Truncate(time.Millisecond) }
