package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/overlay"
)

// AuditEntry is what somebody did or tried to do.
type AuditEntry struct {
	ID         string                 `json:"id" example:"aud_0123456789abcdef"`
	StoreID    string                 `json:"store_id"`
	At         string                 `json:"at"`
	Who        string                 `json:"who" doc:"admin, a person's id, a token's id, or stream_key: and the room."`
	Name       string                 `json:"name" doc:"As it was then; empty for who does not work in the store."`
	Role       string                 `json:"role" doc:"As it was then; empty for the admin, tokens and stream keys."`
	From       string                 `json:"from" doc:"The address from which it was done; cli: on the server itself."`
	Operation  string                 `json:"operation" doc:"The operation's id in this description, or the command."`
	Permission string                 `json:"permission" doc:"What the operation needs."`
	Targets    map[string]string      `json:"targets" doc:"What the address named."`
	Outcome    string                 `json:"outcome" enum:"done,refused,failed,unknown" doc:"refused: it was not allowed, or could not be. unknown: it is under way, or the server died in the middle."`
	Status     int                    `json:"status" doc:"The answer's; 0: unknown."`
	Changes    map[string]AuditChange `json:"changes,omitempty" doc:"What was before and after, where the operation tells."`
}

// AuditChange is a value before and after.
type AuditChange struct {
	Before any `json:"before,omitempty"`
	After  any `json:"after,omitempty"`
}

// AuditQuery selects entries.
type AuditQuery struct {
	PageInput
	Who       string    `query:"who" maxLength:"120" doc:"Of this one alone."`
	Operation string    `query:"operation" maxLength:"80" doc:"This operation alone."`
	From      time.Time `query:"from" doc:"From this instant on."`
	To        time.Time `query:"to" doc:"Before this instant."`
}

func (q *AuditQuery) filter() account.EntryFilter {
	return account.EntryFilter{Who: q.Who, Operation: q.Operation, From: q.From, To: q.To}
}

func (s *Server) auditOperations() {
	tags := []string{"Staff"}
	operation(s, huma.Operation{OperationID: "list-audit", Method: http.MethodGet, Path: "/api/v1/stores/{store}/audit", Tags: tags, Security: staff(account.AuditRead), Summary: "List what was done in a store, newest first", Description: "Every operation of staff, tokens, stream keys and the admin that was to change something, done or refused."},
		func(ctx context.Context, in *struct {
			StorePath
			AuditQuery
		},
		) (*Body[Page[AuditEntry]], error) {
			f := in.filter()
			f.StoreID = in.Store
			return s.auditPage(ctx, f, in.PageInput)
		})
	operation(s, huma.Operation{OperationID: "list-all-audit", Method: http.MethodGet, Path: "/api/v1/audit", Tags: tags, Summary: "List what was done on the server, newest first"},
		func(ctx context.Context, in *AuditQuery) (*Body[Page[AuditEntry]], error) {
			f := in.filter()
			f.AllStores = true
			return s.auditPage(ctx, f, in.PageInput)
		})
}

func (s *Server) auditPage(ctx context.Context, f account.EntryFilter, p PageInput) (*Body[Page[AuditEntry]], error) {
	es, err := s.Audit.Entries(ctx, f, p.After, p.limit())
	if err != nil {
		return nil, err
	}
	return page(es, p.limit(), auditEntry, func(e account.Entry) string { return e.ID }), nil
}

func auditEntry(e account.Entry) AuditEntry {
	out := AuditEntry{
		ID: e.ID, StoreID: e.StoreID, At: overlay.FormatWall(e.At), Who: e.Who, Name: e.Name, Role: string(e.Role), From: e.Remote,
		Operation: e.Operation, Permission: string(e.Permission), Targets: e.Targets, Outcome: "unknown",
	}
	if e.Outcome == nil {
		return out
	}
	out.Status, out.Changes = e.Outcome.Status, map[string]AuditChange{}
	for field, c := range e.Outcome.Changes {
		out.Changes[field] = AuditChange(c)
	}
	switch {
	case out.Status < http.StatusBadRequest:
		out.Outcome = "done"
	case out.Status < http.StatusInternalServerError:
		out.Outcome = "refused"
	default:
		out.Outcome = "failed"
	}
	return out
}
