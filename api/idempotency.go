package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/store"
)

const (
	maxBody           = 1 << 20 // bytes of an API request
	maxIdempotencyKey = 255     // characters
)

// Store is what the surface itself keeps durably, the answers of requests that may be repeated, and what it must know to
// tell whose an address is.
type Store interface {
	BeginIdempotent(ctx context.Context, r store.IdempotentRequest) (*store.IdempotentResponse, error)
	FinishIdempotent(ctx context.Context, r store.IdempotentRequest, answer store.IdempotentResponse) error
	AbortIdempotent(ctx context.Context, r store.IdempotentRequest) error

	// Store tells of a store. NotFound.
	Store(ctx context.Context, id string) (account.Store, error)
}

// idempotent answers a repeated creating call with the answer of the first (Idempotency-Key; same key and body: same
// answer, same key and another body: 409). Only calls with the admin token or the room's stream key are remembered.
func (s *Server) idempotent(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		if key == "" || r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/api/") {
			next.ServeHTTP(w, r)
			return
		}
		scope, known := s.scope(r)
		if !known {
			next.ServeHTTP(w, r)
			return
		}
		if len(key) > maxIdempotencyKey {
			s.writeError(w, r, errs.New(errs.Invalid, "api.idempotent", "the Idempotency-Key is longer than %d characters", maxIdempotencyKey))
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			writeProblem(w, http.StatusRequestEntityTooLarge, "The body is larger than 1 MiB.")
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		sum := sha256.Sum256(body)
		s.once(w, r, next, store.IdempotentRequest{Scope: scope, Key: key, Hash: hex.EncodeToString(sum[:]), At: s.Now()})
	})
}

// scope names the answers among which a key is looked for; a stranger's are not remembered. The anchor's are apart from
// the admin's, who may be told more.
func (s *Server) scope(r *http.Request) (name string, known bool) {
	name, authorization := r.Method+" "+r.URL.Path, r.Header.Get("Authorization")
	if s.isAdmin(bearer(authorization)) {
		return name, true
	}
	key, sent := strings.CutPrefix(authorization, "Bearer ")
	rest, inRoom := strings.CutPrefix(r.URL.Path, "/api/v1/rooms/")
	if !sent || !inRoom {
		return "", false
	}
	room, _, _ := strings.Cut(rest, "/")
	known, err := s.isAnchor(r.Context(), room, key)
	return "anchor " + name, known && err == nil
}

// once runs the request unless it was answered before. A failure on this side is not remembered: it may be repeated.
func (s *Server) once(w http.ResponseWriter, r *http.Request, next http.Handler, req store.IdempotentRequest) {
	answer, err := s.Store.BeginIdempotent(r.Context(), req)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	if answer != nil {
		w.Header().Set("Idempotent-Replayed", "true")
		s.replay(w, answer)
		return
	}
	kept := &keeper{header: http.Header{}}
	finished := false
	ctx := context.WithoutCancel(r.Context())
	defer func() {
		if !finished {
			_ = s.Store.AbortIdempotent(ctx, req) // its lease ends anyway
		}
	}()
	next.ServeHTTP(kept, r)
	answer = &store.IdempotentResponse{Status: kept.status, Header: kept.headers(), Body: kept.body.Bytes()}
	if kept.status < http.StatusInternalServerError && kept.status != http.StatusTooManyRequests {
		if err := s.Store.FinishIdempotent(ctx, req, *answer); err != nil {
			s.Log.ErrorContext(ctx, "could not keep an answer; a repeated request would be carried out again", "path", r.URL.Path, "error", err)
		}
		finished = true
	}
	s.replay(w, answer)
}

func (s *Server) replay(w http.ResponseWriter, a *store.IdempotentResponse) {
	for name, value := range a.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // the client is gone when this fails
}

// keeper takes an answer in memory; those of creating calls are small.
type keeper struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *keeper) Header() http.Header { return k.header }

func (k *keeper) WriteHeader(status int) {
	if k.status == 0 {
		k.status = status
	}
}

func (k *keeper) Write(b []byte) (int, error) {
	k.WriteHeader(http.StatusOK)
	return k.body.Write(b)
}

func (k *keeper) headers() map[string]string {
	out := make(map[string]string, len(k.header))
	for name := range k.header {
		out[name] = k.header.Get(name)
	}
	return out
}
