package whip

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/vitrine-live/vitrine/internal/clientaddr"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// ICEServer is a STUN or TURN server that publishers are told to use.
type ICEServer struct {
	URL        string // stun:, stuns:, turn: or turns:, as of RFC 7064 and RFC 7065
	Username   string // of a TURN server
	Credential string // of a TURN server
}

// Config says how publishers reach the server and what they may do. The zero value of each number stands for the
// default beside it.
type Config struct {
	// Public are the addresses under which publishers reach the media sockets from outside, each a host or host:port
	// (the sockets' own port by default). Names are looked up for each session. Default: none, the addresses of this
	// machine's interfaces.
	Public []string
	// PublicOnly leaves the addresses of this machine's interfaces out. It needs Public.
	PublicOnly bool
	// Loopback offers loopback addresses too, for publishers on this machine.
	Loopback bool
	// ICEServers are named to publishers in Link headers (RFC 9725, 4.6). The server itself uses none of them.
	ICEServers []ICEServer

	// ClientAddr tells the address of a request, for servers behind a proxy. Default: that of its connection.
	ClientAddr func(*http.Request) netip.Addr

	// MaxBody is the longest offer or fragment in bytes, 1 KiB to 1 MiB. Default 64 KiB.
	MaxBody int
	// MaxSessions is the most sessions at once. Default 1000.
	MaxSessions int
	// MaxSessionsPerAddress is the most sessions from one address (IPv6: one /64). Default 100.
	MaxSessionsPerAddress int
	// MaxWrongKeys is how many wrong stream keys a minute one address may send before its next ones are refused
	// unseen. Default 10.
	MaxWrongKeys int

	// HoldStart is the longest that a publish is held back until its picture has settled on a size and its clocks are
	// known: browsers begin at a fraction of the size and climb. Negative: not at all. Default 3 s.
	HoldStart time.Duration
	// ConnectTimeout bounds the answer to the offer to the first connection. Default 20 s.
	ConnectTimeout time.Duration
	// MediaTimeout is how long a connected publisher may send no media. Default 30 s.
	MediaTimeout time.Duration
}

// withDefaults returns c with every zero replaced.
func (c Config) withDefaults() Config {
	number := func(v *int, def int) {
		if *v == 0 {
			*v = def
		}
	}
	duration := func(v *time.Duration, def time.Duration) {
		if *v == 0 {
			*v = def
		}
	}
	if c.ClientAddr == nil {
		c.ClientAddr = clientaddr.Finder{}.Of
	}
	number(&c.MaxBody, 64<<10)
	number(&c.MaxSessions, 1000)
	number(&c.MaxSessionsPerAddress, 100)
	number(&c.MaxWrongKeys, 10)
	duration(&c.HoldStart, 3*time.Second)
	duration(&c.ConnectTimeout, 20*time.Second)
	duration(&c.MediaTimeout, 30*time.Second)
	return c
}

// Validate reports the first field that is out of range as an Invalid error.
func (c Config) Validate() error {
	const op = "whip.Config"
	c = c.withDefaults()
	for _, p := range c.Public {
		if _, _, err := splitPublic(p); err != nil {
			return errs.Field(op, "Public", "%q is no host or host:port", p)
		}
	}
	if c.PublicOnly && len(c.Public) == 0 {
		return errs.Field(op, "PublicOnly", "needs at least one address in Public")
	}
	for _, s := range c.ICEServers {
		if err := s.validate(); err != nil {
			return err
		}
	}
	if c.MaxBody < 1<<10 || c.MaxBody > 1<<20 {
		return errs.Field(op, "MaxBody", "must be 1024 to 1048576 bytes, got %d", c.MaxBody)
	}
	return c.validateLimits()
}

func (c Config) validateLimits() error {
	const op = "whip.Config"
	for name, v := range map[string]int{
		"MaxSessions": c.MaxSessions, "MaxSessionsPerAddress": c.MaxSessionsPerAddress, "MaxWrongKeys": c.MaxWrongKeys,
	} {
		if v < 1 {
			return errs.Field(op, name, "must be at least 1, got %d", v)
		}
	}
	for name, d := range map[string]time.Duration{"ConnectTimeout": c.ConnectTimeout, "MediaTimeout": c.MediaTimeout} {
		if d < time.Second {
			return errs.Field(op, name, "must be at least 1s, got %s", d)
		}
	}
	if c.HoldStart > 30*time.Second {
		return errs.Field(op, "HoldStart", "must be at most 30s, got %s", c.HoldStart)
	}
	return nil
}

func (s ICEServer) validate() error {
	const op = "whip.Config"
	u, err := url.Parse(s.URL)
	if err != nil {
		return errs.Field(op, "ICEServers", "%q is no address", s.URL)
	}
	switch u.Scheme {
	case "stun", "stuns":
	case "turn", "turns":
		if s.Username == "" || s.Credential == "" {
			return errs.Field(op, "ICEServers", "%s needs a user name and a credential", s.URL)
		}
	default:
		return errs.Field(op, "ICEServers", "%q must begin with stun:, stuns:, turn: or turns:", s.URL)
	}
	return nil
}

// splitPublic reads one entry of Config.Public; port is 0 when it names none.
func splitPublic(s string) (host string, port int, err error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.String(), 0, nil
	}
	host = s
	if h, p, err := net.SplitHostPort(s); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return "", 0, errs.New(errs.Invalid, "whip.splitPublic", "port %q", p)
		}
		host, port = h, int(n)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return host, port, nil
	}
	if u, err := url.Parse("//" + host); err != nil || host == "" || u.Host != host || u.Port() != "" {
		return "", 0, errs.New(errs.Invalid, "whip.splitPublic", "host %q", host)
	}
	return host, port, nil
}
