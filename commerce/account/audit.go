package account

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// Entry is what somebody on the merchant's side did or tried to do.
type Entry struct {
	ID         string // "aud_…"
	StoreID    string // empty: of no store
	At         time.Time
	Who        string // Principal.ID
	Name       string // as it was then; empty for who does not work in the store
	Role       Role   // as it was then; empty for the admin, tokens and stream keys
	Remote     string // the client's address; "cli" on the server itself
	Operation  string // operation id of the API
	Permission Permission
	Targets    map[string]string // what the address named: {"room": "room_…"}
	// Outcome is how it went; nil while that is not known, for good if the server died in the middle.
	Outcome *Outcome
}

// Outcome is how an operation went.
type Outcome struct {
	At     time.Time
	Status int // of HTTP: below 300 it was done
	// Changes are what was before and after, by field, where the operation says so.
	Changes map[string]Change
}

// Change is a value before and after. Secrets are never in it.
type Change struct {
	Before any `json:"before,omitempty"`
	After  any `json:"after,omitempty"`
}

// EntryFilter selects entries; zero fields select all.
type EntryFilter struct {
	StoreID   string
	AllStores bool // also those of other stores and of none
	Who       string
	Operation string
	From, To  time.Time // From on, before To
}

// auditStore only ever adds.
type auditStore interface {
	// AddEntries stores entries, each with its outcome if that is known, all or none.
	AddAudit(ctx context.Context, es []Entry) error
	AddAuditOutcome(ctx context.Context, entryIDs []string, o Outcome) error
	// AuditEntries lists newest first, those older than the one named.
	AuditEntries(ctx context.Context, f EntryFilter, before string, limit int) ([]Entry, error)
}

// Audit is the log of what staff did. An operation is written down before it runs and its outcome after: what cannot be
// written down is not done, and what was cut short by a crash stands there without an outcome. Safe for concurrent use.
type Audit struct {
	store  auditStore
	log    *slog.Logger
	now    func() time.Time
	missed atomic.Uint64
}

// NewAudit makes an Audit. nil stands for time.Now.
func NewAudit(store auditStore, log *slog.Logger, now func() time.Time) *Audit {
	if now == nil {
		now = time.Now
	}
	return &Audit{store: store, log: log, now: now}
}

// Missed is how many outcomes and refused attempts could not be written; they are in the server's log.
func (a *Audit) Missed() uint64 { return a.missed.Load() }

// Begin writes down that an operation is about to run, in the log of each store, and returns the finish that writes how it
// went. When Begin fails the operation must not run. Unavailable, mostly.
func (a *Audit) Begin(ctx context.Context, e Entry, stores ...string) (finish func(ctx context.Context, status int, changes map[string]Change), err error) {
	es := a.entries(e, stores)
	if err := a.store.AddAudit(ctx, es); err != nil {
		return nil, errs.As(errs.Unavailable, "account.Begin", err, "what you do cannot be written to the audit log just now, so it is not done; try again in a moment")
	}
	entryIDs := make([]string, len(es))
	for i := range es {
		entryIDs[i] = es[i].ID
	}
	return func(ctx context.Context, status int, changes map[string]Change) {
		o := Outcome{At: a.instant(), Status: status, Changes: changes}
		if err := a.store.AddAuditOutcome(ctx, entryIDs, o); err != nil {
			a.miss(ctx, es, o, err)
		}
	}, nil
}

// Refused writes down an attempt that was turned away: nothing was done, so the answer stands even when it cannot be
// written, and the server's log has it.
func (a *Audit) Refused(ctx context.Context, e Entry, status int) {
	e.Outcome = &Outcome{At: a.instant(), Status: status}
	es := a.entries(e, nil)
	if err := a.store.AddAudit(ctx, es); err != nil {
		a.miss(ctx, es, *e.Outcome, err)
	}
}

// entries are one entry for each store; e's own when there are none.
func (a *Audit) entries(e Entry, stores []string) []Entry {
	if len(stores) == 0 {
		stores = []string{e.StoreID}
	}
	es := make([]Entry, len(stores))
	for i, storeID := range stores {
		es[i] = e
		es[i].ID, es[i].StoreID, es[i].At = ids.New("aud"), storeID, a.instant()
	}
	return es
}

// miss keeps in the server's log what the audit log could not take.
func (a *Audit) miss(ctx context.Context, es []Entry, o Outcome, err error) {
	a.missed.Add(1)
	doc, _ := json.Marshal(map[string]any{"entries": es, "outcome": o}) // strings, numbers and what handlers noted
	a.log.ErrorContext(ctx, "the audit log could not be written", "error", err, "entry", string(doc))
}

// Entries lists entries, newest first, those older than the one named.
func (a *Audit) Entries(ctx context.Context, f EntryFilter, before string, limit int) ([]Entry, error) {
	return a.store.AuditEntries(ctx, f, before, limit)
}

func (a *Audit) instant() time.Time { return a.now().UTC().Truncate(time.Millisecond) }
