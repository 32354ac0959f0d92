package api

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/vitrine-live/vitrine/live"
)

// Status is the state of the server.
type Status struct {
	Version         string `json:"version"`
	LiveRooms       int    `json:"live_rooms"`
	RecordingPaused bool   `json:"recording_paused" doc:"A recording waits for disk space or the disk; its show goes on and the gap is marked."`
	Problem         string `json:"problem,omitempty" doc:"What the operator should mend."`
}

func (s *Server) statusOperations() {
	operation(s, huma.Operation{OperationID: "get-status", Method: http.MethodGet, Path: "/api/v1/status", Tags: []string{"Operations"}, Summary: "Read the state of the server"}, s.status)
}

func (s *Server) status(ctx context.Context, _ *Empty) (*Body[Status], error) {
	out := Status{Version: s.Version}
	for _, st := range s.Rooms.OnAir() {
		if st.State == live.RoomLive {
			out.LiveRooms++
		}
		if st.Recording != nil && st.Recording.Paused {
			out.RecordingPaused, out.Problem = true, st.Recording.Reason
		}
	}
	if err := s.Ready(ctx); err != nil {
		out.Problem = err.Error()
	}
	return &Body[Status]{out}, nil
}

// operationsRoutes serve what probes and Prometheus ask for.
func (s *Server) operationsRoutes() {
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n"))
	})
	s.mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Ready(r.Context()); err != nil {
			http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	})
	metrics := promhttp.HandlerFor(s.Gatherer, promhttp.HandlerOpts{})
	s.mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !s.PublicMetrics && !fromThisMachine(r) && !s.isAdmin(bearer(r.Header.Get("Authorization"))) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="vitrine"`)
			writeProblem(w, http.StatusUnauthorized, "Ask from this machine, send the admin token as a bearer token, or set http.public_metrics.")
			return
		}
		metrics.ServeHTTP(w, r)
	})
}

// fromThisMachine reports whether the request comes over loopback and from no proxy: a Prometheus beside the server needs
// no token.
func fromThisMachine(r *http.Request) bool {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && addr.Addr().Unmap().IsLoopback()
}
