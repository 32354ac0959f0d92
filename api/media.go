package api

import (
	"net/http"
	"strings"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// mediaRoutes serve what players ask for. The names are part of the public interface.
func (s *Server) mediaRoutes() {
	s.mux.HandleFunc("GET /live/{room}/index.m3u8", s.liveIndex)
	s.mux.HandleFunc("GET /live/{room}/ts/index.m3u8", s.liveTSIndex)
	s.mux.HandleFunc("GET /live/{room}/dvr.m3u8", s.timeShift)
	s.mux.HandleFunc("GET /live/{room}/ts/dvr.m3u8", s.timeShiftTS)
	s.mux.HandleFunc("GET /live/{room}/events", s.events)
	s.mux.HandleFunc("GET /live/{room}/{show}/{name...}", s.liveMedia)
	s.mux.HandleFunc("GET /replay/{show}/timeline.json", s.timeline)
	if s.Edits != nil {
		s.mux.HandleFunc("GET /replay/{show}/chapters.vtt", s.chaptersVTT)
		s.mux.HandleFunc("GET /replay/{show}/chapters.json", s.chaptersJSON)
	}
	s.mux.HandleFunc("GET /replay/{show}/{name...}", s.replayMedia)
	s.clipRoutes()
	s.mux.HandleFunc("OPTIONS /live/", preflight)
	s.mux.HandleFunc("OPTIONS /replay/", preflight)
}

// preflight lets pages of any origin play: media and timelines are public by their address.
func preflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Range, If-None-Match, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

// liveIndex serves the multivariant playlist of the room's show. Its media playlist has the show in its address, so that
// a player of one show never slips into the next, and caches never mix them up.
func (s *Server) liveIndex(w http.ResponseWriter, r *http.Request) {
	s.liveMultivariant(w, r, false)
}

func (s *Server) liveTSIndex(w http.ResponseWriter, r *http.Request) {
	s.liveMultivariant(w, r, true)
}

func (s *Server) liveMultivariant(w http.ResponseWriter, r *http.Request, ts bool) {
	stream, show, err := s.Rooms.CurrentMedia(r.PathValue("room"))
	if err != nil {
		s.notPlayable(w, r, err)
		return
	}
	prefix := show + "/"
	if ts {
		prefix = "../" + prefix
	}
	stream.ServeMultivariant(w, r, prefix, ts)
}

// timeShift serves the room's show on air from its beginning: the segments of the recording, which grows.
func (s *Server) timeShift(w http.ResponseWriter, r *http.Request) {
	s.timeShifted(w, r, "../../replay/", false)
}

func (s *Server) timeShiftTS(w http.ResponseWriter, r *http.Request) {
	s.timeShifted(w, r, "../../../replay/", true)
}

func (s *Server) timeShifted(w http.ResponseWriter, r *http.Request, replays string, ts bool) {
	_, show, err := s.Rooms.CurrentMedia(r.PathValue("room"))
	if err == nil && s.Archive == nil {
		err = errNoArchive
	}
	if err != nil {
		s.notPlayable(w, r, err)
		return
	}
	s.Archive.ServeTimeShift(w, r, show, replays+show+"/", ts)
}

var errNoArchive = errs.New(errs.NotFound, "api.replay", "shows are not recorded on this server")

func (s *Server) liveMedia(w http.ResponseWriter, r *http.Request) {
	stream, err := s.Rooms.Media(r.PathValue("room"), r.PathValue("show"))
	if err != nil {
		s.notPlayable(w, r, err)
		return
	}
	stream.Serve(w, r, r.PathValue("name"))
}

// notPlayable answers a player whose show is not there: readable across origins, kept by no cache.
func (s *Server) notPlayable(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	s.writeError(w, r, err)
}

func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	s.Channel.Serve(w, r, r.PathValue("room"))
}

// gzipAccepted reports whether the client takes gzip (RFC 9110, section 12.5.3; a q of 0 is a refusal).
func gzipAccepted(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}
