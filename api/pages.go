package api

import "net/http"

// pageRoutes serve what people open.
func (s *Server) pageRoutes() {
	s.mux.Handle("GET /r/{room}", s.Viewer)
	if s.Studio != nil {
		s.mux.Handle("GET /studio/{room}", s.Studio)
	}
	if s.Editor != nil {
		s.mux.Handle("GET /edit/{show}", s.Editor)
	}
	s.mux.Handle("GET /assets/", s.Assets)
	if s.Push != nil {
		s.mux.Handle("GET /push.js", s.Push)
	}
	s.mux.HandleFunc("GET /go/{product}", s.goToMall)
	s.mux.HandleFunc("GET /docs", docs(s.api.OpenAPI()))
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/docs", http.StatusFound)
	})
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, http.StatusNotFound, "There is nothing at "+r.URL.Path+".")
	})
}
