package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// statuses is the one table from error kinds to HTTP.
var statuses = map[errs.Kind]int{
	errs.Internal:     http.StatusInternalServerError,
	errs.Invalid:      http.StatusUnprocessableEntity,
	errs.NotFound:     http.StatusNotFound,
	errs.Conflict:     http.StatusConflict,
	errs.Unauthorized: http.StatusUnauthorized,
	errs.Forbidden:    http.StatusForbidden,
	errs.Exhausted:    http.StatusTooManyRequests,
	errs.Unavailable:  http.StatusServiceUnavailable,
}

// problem turns err into RFC 9457 problem details. What only the operator may know goes to the log instead.
func (s *Server) problem(ctx context.Context, op string, err error) error {
	kind := errs.KindOf(err)
	detail := errs.MessageOf(err)
	if kind == errs.Internal || kind == errs.Unavailable {
		s.Log.ErrorContext(ctx, "request failed", "op", op, "kind", kind, "error", err)
	}
	if kind == errs.Internal || detail == "" {
		detail = "Something went wrong on the server; its log says more."
	}
	p := &huma.ErrorModel{Status: statuses[kind], Title: http.StatusText(statuses[kind]), Detail: detail}
	if f := errs.FieldOf(err); f != "" {
		p.Errors = []*huma.ErrorDetail{{Location: "body." + f, Message: detail}}
	}
	return p
}

// writeProblem answers a request outside the API with problem details.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail})
}

// writeError is writeProblem for an error of a domain.
func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problem(r.Context(), r.URL.Path, err).(*huma.ErrorModel) //nolint:errorlint,forcetypeassert // made three lines above
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	writeProblem(w, p.Status, p.Detail)
}
