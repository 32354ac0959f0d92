package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/ingest/whip"
)

// webrtc is what a server that takes WHIP has beside one that does not.
type webrtc struct {
	udp  net.PacketConn // nil when off
	tcp  net.Listener   // nil without TCP
	whip *whip.Server   // nil when off
}

// startWHIP lets browsers in. At the stop they are let go first, as those of RTMP.
func (s *server) startWHIP(ctx context.Context) (func(context.Context) error, error) {
	c := s.config.WebRTC
	if !c.Enabled {
		return nil, nil
	}
	srv, err := whip.New(s.whipConfig(c), s.rooms, s.log, whip.NewMetrics(s.metrics))
	if err != nil {
		return nil, err
	}
	if err := s.listenWebRTC(ctx, c); err != nil {
		return nil, err
	}
	s.whip = srv
	return s.background(ctx, func(ctx context.Context) error { return srv.Serve(ctx, s.udp, s.tcp) }), nil
}

func (s *server) listenWebRTC(ctx context.Context, c configs.WebRTC) (err error) {
	var lc net.ListenConfig
	if s.udp, err = lc.ListenPacket(ctx, "udp", c.Addr); err != nil {
		return fmt.Errorf("%w; stop what uses the address, or set webrtc.addr", err)
	}
	if !c.TCP {
		return nil
	}
	if s.tcp, err = listen(ctx, c.Addr, "webrtc.addr or webrtc.tcp"); err != nil {
		return errors.Join(err, s.udp.Close())
	}
	return nil
}

func (s *server) whipConfig(c configs.WebRTC) whip.Config {
	cfg := whip.Config{
		Public: c.Public, PublicOnly: len(c.Public) > 0, Loopback: c.Loopback || isLoopback(c.Addr), HoldStart: time.Duration(c.HoldStart),
		MaxSessions: c.MaxSessions, MaxSessionsPerAddress: c.MaxSessionsPerAddress, MaxWrongKeys: c.MaxWrongKeys, ClientAddr: s.clients().Of,
	}
	if cfg.HoldStart == 0 {
		cfg.HoldStart = -1 // there 0 means the default
	}
	for _, ice := range c.ICEServers {
		cfg.ICEServers = append(cfg.ICEServers, whip.ICEServer{URL: ice.URL, Username: ice.Username, Credential: ice.Secret})
	}
	return cfg
}

// isLoopback reports whether an address is for this machine alone: then there is no other one to offer.
func isLoopback(addr string) bool {
	a, err := netip.ParseAddrPort(addr)
	return err == nil && a.Addr().IsLoopback()
}

// withWHIP serves the publishing resources of RFC 9725 beside everything else.
func (s *server) withWHIP(next http.Handler) http.Handler {
	if s.whip == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/whip" || strings.HasPrefix(r.URL.Path, "/whip/") {
			s.whip.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// webrtcAddr is where WebRTC media comes in, "" when off.
func (s *server) webrtcAddr() string {
	if s.udp == nil {
		return ""
	}
	return s.udp.LocalAddr().String()
}
