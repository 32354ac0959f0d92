package api

import (
	"context"
	"net/http"
	"regexp"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// authorizeStaff lets in whoever may, and has everything that is to change something written down, whether it is let in or
// not: here, so that no operation can forget it.
func (s *Server) authorizeStaff(ctx huma.Context, a access, next func(huma.Context)) {
	who, err := s.caller(ctx, a)
	if who == nil {
		s.refuseWith(ctx, err)
		return
	}
	storeID := ""
	if err == nil {
		storeID, err = s.storeOf(ctx)
	}
	p, denied := who.in(storeID, a.perm)
	if err == nil {
		err = denied
	}
	ctx = huma.WithValue(huma.WithValue(ctx, principalKey{}, p), callerKey{}, who)
	switch {
	case err != nil && changes(ctx.Method()):
		s.Audit.Refused(ctx.Context(), s.entry(ctx, a, p), statuses[errs.KindOf(err)])
		s.refuseWith(ctx, err)
	case err != nil:
		s.refuseWith(ctx, err)
	case changes(ctx.Method()):
		s.audited(ctx, s.entry(ctx, a, p), who, next)
	default:
		next(ctx)
	}
}

// audited runs an operation between its entry in the audit log and its outcome.
func (s *Server) audited(ctx huma.Context, e account.Entry, who *caller, next func(huma.Context)) {
	var stores []string
	if e.StoreID == "" {
		stores = who.stores()
	}
	finish, err := s.Audit.Begin(ctx.Context(), e, stores...)
	if err != nil {
		s.refuseWith(ctx, err)
		return
	}
	notes := &notes{}
	status := http.StatusInternalServerError // of one that panics
	defer func() { finish(context.WithoutCancel(ctx.Context()), status, notes.taken()) }()
	next(huma.WithValue(ctx, notesKey{}, notes))
	status = ctx.Status()
}

func changes(method string) bool { return method != http.MethodGet && method != http.MethodHead }

var parameter = regexp.MustCompile(`\{(\w+)\}`)

// entry describes a request for the audit log.
func (s *Server) entry(ctx huma.Context, a access, p account.Principal) account.Entry {
	r, _ := humago.Unwrap(ctx)
	e := account.Entry{
		StoreID: p.StoreID, Who: p.ID, Name: p.Name, Role: p.Role, Remote: s.ClientAddr(r).String(),
		Operation: ctx.Operation().OperationID, Permission: a.perm, Targets: map[string]string{},
	}
	for _, name := range parameter.FindAllStringSubmatch(ctx.Operation().Path, -1) {
		e.Targets[name[1]] = shortened(ctx.Param(name[1]))
	}
	return e
}

// shortened keeps what strangers put into an address from filling the log.
func shortened(s string) string {
	if len(s) > 80 {
		s = s[:80]
	}
	return s
}

type (
	notesKey  struct{}
	callerKey struct{}
)

// notes are what an operation tells the audit log of itself.
type notes struct {
	mu      sync.Mutex
	changes map[string]account.Change
}

// noteChange tells the audit log what a field was before and after; nil is none. Never of a secret. It does nothing outside
// an audited operation.
func noteChange(ctx context.Context, field string, before, after any) {
	n, ok := ctx.Value(notesKey{}).(*notes)
	if !ok {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.changes == nil {
		n.changes = map[string]account.Change{}
	}
	n.changes[field] = account.Change{Before: before, After: after}
}

func (n *notes) taken() map[string]account.Change {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changes
}
