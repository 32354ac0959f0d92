package configs

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/vitrine-live/vitrine/providers/wechat"
)

// Validate reports every setting that cannot work, each with its key and what it must be.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, key, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s: "+format, append([]any{key}, args...)...))
		}
	}
	check(c.Data != "", "data", "must name a folder")
	c.validateStorage(check)
	check(validAddr(c.HTTP.Addr), "http.addr", "must be an address like :8080 or 127.0.0.1:8080, got %q", c.HTTP.Addr)
	check(c.HTTP.PublicURL == "" || validURL(c.HTTP.PublicURL), "http.public_url", "must be like https://live.example.com, got %q", c.HTTP.PublicURL)
	c.TLS.validate(check)
	check(validAddr(c.RTMP.Addr), "rtmp.addr", "must be an address like :1935 or 127.0.0.1:1935, got %q", c.RTMP.Addr)
	check(c.RTMP.MaxConnections > 0, "rtmp.max_connections", "must be at least 1")
	check(c.RTMP.MaxConnectionsPerAddress > 0, "rtmp.max_connections_per_address", "must be at least 1")
	check(c.RTMP.MaxWrongKeys > 0, "rtmp.max_wrong_keys", "must be at least 1")
	between(check, "rtmp.idle_timeout", c.RTMP.IdleTimeout, time.Second, 5*time.Minute)
	check(validAddr(c.WebRTC.Addr), "webrtc.addr", "must be an address like :8189, got %q", c.WebRTC.Addr)
	between(check, "webrtc.hold_start", c.WebRTC.HoldStart, 0, 10*time.Second)
	check(c.WebRTC.MaxSessions > 0, "webrtc.max_sessions", "must be at least 1")
	check(c.WebRTC.MaxSessionsPerAddress > 0, "webrtc.max_sessions_per_address", "must be at least 1")
	check(c.WebRTC.MaxWrongKeys > 0, "webrtc.max_wrong_keys", "must be at least 1")
	check(c.Transcode.FFmpeg != "", "transcode.ffmpeg", "must name the ffmpeg command")
	check(c.Transcode.MaxCost >= 0, "transcode.max_cost", "must be at least 0, got %v", c.Transcode.MaxCost)
	check(min(c.Live.MaxPublishers, c.Live.MaxPublishersPerStore, c.Live.MaxPublishersPerAddress) >= 0, "live.max_publishers", "and its like must be at least 0")
	window := time.Duration(c.Live.ReconnectWindow)
	check(window < 0 || window >= time.Second && window <= time.Hour, "live.reconnect_window", "must be between 1s and 1h, or -1s for none, got %v", window)
	between(check, "live.linger", c.Live.Linger, time.Second, time.Hour)
	between(check, "hls.part", c.HLS.Part, 200*time.Millisecond, 2*time.Second)
	between(check, "hls.segment", c.HLS.Segment, time.Second, 10*time.Second)
	check(c.HLS.Part <= c.HLS.Segment, "hls.part", "must not be longer than hls.segment")
	check(c.HLS.Window >= 4 && c.HLS.Window <= 100, "hls.window", "must be between 4 and 100, got %d", c.HLS.Window)
	check(c.HLS.MaxWaiters > 0, "hls.max_waiters", "must be at least 1")
	check(c.Recording.Queue >= 1<<20, "recording.queue", "must be at least 1MiB, got %v", c.Recording.Queue)
	check(c.Clips.Parallel >= 0 && c.Clips.Parallel <= 64, "clips.parallel", "must be between 0 and 64, got %d", c.Clips.Parallel)
	check(c.Clips.Threads >= 0 && c.Clips.Threads <= 256, "clips.threads", "must be between 0 and 256, got %d", c.Clips.Threads)
	check(c.Clips.Queue >= 1 && c.Clips.Queue <= 100_000, "clips.queue", "must be between 1 and 100000, got %d", c.Clips.Queue)
	c.Archive.validate(check)
	check(c.Channel.MaxConnections > 0, "channel.max_connections", "must be at least 1")
	check(c.Channel.MaxConnectionsPerAddress > 0, "channel.max_connections_per_address", "must be at least 1")
	c.Catalogue.validate(check)
	between(check, "webhooks.disable_after", c.Webhooks.DisableAfter, time.Hour, 720*time.Hour)
	between(check, "webhooks.retention", c.Webhooks.Retention, 48*time.Hour, 8760*time.Hour)
	between(check, "staff.session", c.Staff.Session, 5*time.Minute, 365*24*time.Hour)
	check(c.Staff.SessionMax >= c.Staff.Session, "staff.session_max", "must not be shorter than staff.session")
	between(check, "staff.invitation", c.Staff.Invitation, time.Minute, 30*24*time.Hour)
	if err := (wechat.Config{AppID: c.WeChat.AppID, Secret: string(c.WeChat.Secret), BaseURL: c.WeChat.BaseURL}).Validate(); err != nil {
		check(false, "wechat", "%v", err)
	}
	c.Reminders.validate(check)
	c.Comments.validate(check)
	c.Funnel.validate(check)
	c.validateOrders(check)
	check(slices.Contains([]string{"text", "json"}, c.Log.Format), "log.format", "must be text or json, got %q", c.Log.Format)
	check(slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level), "log.level", "must be debug, info, warn or error, got %q", c.Log.Level)
	between(check, "shutdown_timeout", c.ShutdownTimeout, time.Second, 10*time.Minute)
	return errors.Join(errs...)
}

func between(check func(bool, string, string, ...any), key string, d Duration, low, high time.Duration) {
	v := time.Duration(d)
	check(v >= low && v <= high, key, "must be between %v and %v, got %v", Duration(low), Duration(high), d)
}

func validAddr(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n <= 65535
}

func validURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && (u.Path == "" || u.Path == "/") && u.RawQuery == ""
}
