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
	"github.com/vitrine-live/vitrine/live"
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
	// RoomsOfStore lists the rooms of a store, oldest first, those after the one named.
	RoomsOfStore(ctx context.Context, storeID, after string, limit int) ([]live.Room, error)
}

// idempotent answers a repeated creating call with the answer of the first (Idempotency-Key; same key and body: same
// answer, same key and another body: 409). Only calls of somebody known are remembered.
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

// scope names the answers among which a key is looked for: each principal and each viewer has their own, and a stranger's
// are not remembered.
func (s *Server) scope(r *http.Request) (name string, known bool) {
	name = r.Method + " " + r.URL.Path
	who, err := s.asker(r)
	switch {
	case err != nil || who == "":
		return "", false
	case who == "admin":
		return name, true
	}
	return who + " " + name, true
}

// asker tells who sends a request by whatever credential it carries, "" for a stranger. Whether it counts for the
// operation is asked afterwards, of each request.
func (s *Server) asker(r *http.Request) (string, error) {
	ctx, token := r.Context(), bearer(r.Header.Get("Authorization"))
	switch {
	case token == "":
		return s.cookieAsker(r)
	case s.isAdmin(token):
		return "admin", nil
	case strings.HasPrefix(token, account.TokenPrefix+"_"):
		t, err := s.People.Token(ctx, token)
		return t.ID, err
	case strings.Count(token, ".") == 2: // a JSON Web Token
		v, err := s.Viewers.Viewer(ctx, token)
		return v.ID, err
	}
	rest, inRoom := strings.CutPrefix(r.URL.Path, "/api/v1/rooms/")
	room, _, _ := strings.Cut(rest, "/")
	if !inRoom {
		return "", nil
	}
	known, err := s.isAnchor(ctx, room, token)
	if !known {
		return "", err
	}
	return "anchor", nil
}

// cookieAsker is who is signed in as staff, and who watches, in the same browser: which of them it is that asks depends on
// the operation, and the answers belong to both together alone.
func (s *Server) cookieAsker(r *http.Request) (who string, err error) {
	if token := cookieValue(r, staffCookie); token != "" {
		in, err := s.People.Session(r.Context(), token)
		if err != nil {
			return "", err
		}
		who = in.StaffID
	}
	if token := cookieValue(r, viewerCookie); token != "" {
		v, err := s.Viewers.Viewer(r.Context(), token)
		if err != nil {
			return "", err
		}
		who += "+" + v.ID
	}
	return who, nil
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
	if remembered(kept) {
		if err := s.Store.FinishIdempotent(ctx, req, *answer); err != nil {
			s.Log.ErrorContext(ctx, "could not keep an answer; a repeated request would be carried out again", "path", r.URL.Path, "error", err)
		}
		finished = true
	}
	s.replay(w, answer)
}

// remembered reports whether a repetition is to get the answer again. Refusals depend on who may what by then, and a
// session is begun once.
func remembered(k *keeper) bool {
	switch k.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return false
	}
	return k.status < http.StatusInternalServerError && k.header.Get("Set-Cookie") == ""
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
