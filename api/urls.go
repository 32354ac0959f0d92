package api

import (
	"net"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// HostInput learns under which name the client knows this server.
type HostInput struct {
	host   string
	scheme string
}

// Resolve implements huma.Resolver.
func (h *HostInput) Resolve(ctx huma.Context) []error {
	h.host, h.scheme = ctx.Host(), "http"
	if ctx.TLS() != nil || ctx.Header("X-Forwarded-Proto") == "https" {
		h.scheme = "https"
	}
	return nil
}

// URLs are the addresses of a room.
type URLs struct {
	WatchURL    string `json:"watch_url" doc:"The page for viewers."`
	LiveURL     string `json:"live_url" doc:"HLS (CMAF, low latency)."`
	TSURL       string `json:"ts_url" doc:"HLS in MPEG-TS, for players that need it."`
	RTMPServer  string `json:"rtmp_server" doc:"What OBS calls Server."`
	RTMPSServer string `json:"rtmps_server,omitempty" doc:"The same, encrypted; absent when it is off."`
	WHIPURL     string `json:"whip_url,omitempty" doc:"Where WebRTC publishers go (RFC 9725), with the stream key as bearer token; absent when it is off."`
	StudioURL   string `json:"studio_url,omitempty" doc:"The page for the anchor. Browsers give the camera to https pages alone."`
}

func (s *Server) urls(roomID string, h HostInput) URLs {
	base := s.base(h)
	u := URLs{
		WatchURL: base + "/r/" + roomID, LiveURL: base + "/live/" + roomID + "/index.m3u8", TSURL: base + "/live/" + roomID + "/ts/index.m3u8",
		RTMPServer: s.rtmpServer("rtmp", s.RTMPPort, 1935, h),
	}
	if s.RTMPSPort != 0 {
		u.RTMPSServer = s.rtmpServer("rtmps", s.RTMPSPort, 443, h)
	}
	if s.WHIP {
		u.WHIPURL = base + "/whip/" + roomID
	}
	if s.Studio != nil {
		u.StudioURL = s.secureBase(h) + "/studio/" + roomID
	}
	return u
}

// base is the address that viewers use.
func (s *Server) base(h HostInput) string {
	if s.PublicURL != "" {
		return strings.TrimSuffix(s.PublicURL, "/")
	}
	return h.scheme + "://" + h.host
}

// secureBase is the address whose pages get the camera: that of viewers if it is https already, else that of the https
// listener, if there is one.
func (s *Server) secureBase(h HostInput) string {
	base := s.base(h)
	if s.HTTPSPort == 0 || strings.HasPrefix(base, "https://") {
		return base
	}
	return "https://" + hostPort(s.hostName(h), s.HTTPSPort, 443)
}

// hostName is the name in the address that viewers use, without port and brackets.
func (s *Server) hostName(h HostInput) string {
	_, host, _ := strings.Cut(s.base(h), "://")
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.Trim(host, "[]")
}

func (s *Server) rtmpServer(scheme string, port, usual int, h HostInput) string {
	return scheme + "://" + hostPort(s.hostName(h), port, usual) + "/live"
}

// hostPort leaves out a port that is the scheme's usual one, or not known.
func hostPort(host string, port, usual int) string {
	if port != usual && port != 0 {
		return net.JoinHostPort(host, strconv.Itoa(port))
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
