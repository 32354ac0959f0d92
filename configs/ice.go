package configs

import (
	"fmt"
	"net"
	"slices"
	"strings"
)

// ICEServer is a STUN or TURN server that publishers are told of, written as an address with, for TURN, the user and
// the secret before it: stun:host:3478, turn:user:secret@host:3478, turns:user:secret@host:443?transport=tcp.
type ICEServer struct {
	URL      string // RFC 7064, RFC 7065, without the credentials
	Username string
	Secret   string
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *ICEServer) UnmarshalText(text []byte) error {
	scheme, rest, _ := strings.Cut(string(text), ":")
	if !slices.Contains([]string{"stun", "stuns", "turn", "turns"}, scheme) {
		return fmt.Errorf("an ICE server is like stun:host:3478 or turn:user:secret@host:3478, got %q", scheme)
	}
	login, host := "", rest
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		login, host = rest[:at], rest[at+1:]
	}
	user, secret, _ := strings.Cut(login, ":")
	if turn := scheme[0] == 't'; turn == (user == "" || secret == "") {
		return fmt.Errorf("a TURN server needs user:secret@ before its address, a STUN server has none (%s:%s)", scheme, host)
	}
	addr, _, _ := strings.Cut(host, "?")
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fmt.Errorf("the address %q of an ICE server needs host:port", addr)
	}
	*s = ICEServer{URL: scheme + ":" + host, Username: user, Secret: secret}
	return nil
}

// MarshalText implements encoding.TextMarshaler. The secret is not told.
func (s ICEServer) MarshalText() ([]byte, error) {
	scheme, host, _ := strings.Cut(s.URL, ":")
	if s.Username == "" {
		return []byte(s.URL), nil
	}
	return fmt.Appendf(nil, "%s:%s:***@%s", scheme, s.Username, host), nil
}
