package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay/clip"
)

// ClipSidecar is clip.json: everything timed of a clip, and what is sold in it as it is now.
type ClipSidecar struct {
	*clip.Sidecar
	Products []Product `json:"products"`
}

// clipRoutes serve what whoever has a clip's address may see.
func (s *Server) clipRoutes() {
	if s.Clips == nil {
		return
	}
	if s.ClipPage != nil {
		s.mux.Handle("GET /c/{clip}", s.ClipPage)
	}
	s.mux.HandleFunc("GET /c/{clip}/clip.json", s.clipSidecar)
	s.mux.HandleFunc("GET /c/{clip}/{name...}", s.clipMedia)
	s.mux.HandleFunc("OPTIONS /c/", preflight)
}

func (s *Server) clipMedia(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Content-Length, Content-Range, Date, ETag, Retry-After")
	if err := s.Clips.Serve(w, r, r.PathValue("clip"), r.PathValue("name")); err != nil {
		s.notPlayable(w, r, err)
	}
}

func (s *Server) clipSidecar(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	doc, err := s.Clips.Sidecar(r.Context(), r.PathValue("clip"))
	var products []Product
	if err == nil {
		products, err = s.clipProducts(r.Context(), doc)
	}
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	b, err := json.Marshal(ClipSidecar{doc, products})
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	newDocument("application/json", b).serve(w, r)
}

// clipProducts are those of the room's bag that a clip shows, as they are now, in the order in which they are pinned.
func (s *Server) clipProducts(ctx context.Context, doc *clip.Sidecar) ([]Product, error) {
	out := []Product{}
	bag, err := s.Catalogue.BagFor(ctx, doc.Room, doc.Show)
	if errs.KindOf(err) == errs.NotFound {
		return out, nil // the room is gone
	} else if err != nil {
		return nil, err
	}
	for _, id := range doc.Products() {
		for i := range bag {
			if bag[i].ID == id {
				out = append(out, product(bag[i]))
			}
		}
	}
	return out, nil
}
