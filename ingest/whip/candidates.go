package whip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pion/sdp/v3"
)

// Priorities of the candidates made of Config.Public (RFC 8445, 5.1.2.1), above those of the interfaces: whoever
// configures a public address knows that it is the way in. UDP is preferred to TCP.
const (
	publicUDPPriority = 126<<24 | 65535<<8 | 255
	publicTCPPriority = 90<<24 | 65535<<8 | 255
)

// lookUpTimeout bounds the look-up of all public names, for which the publisher waits.
const lookUpTimeout = 2 * time.Second

// publicAddresses looks up Config.Public. A name that cannot be looked up is left out and told of.
func (s *Server) publicAddresses(ctx context.Context) []publicAddress {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	var all []publicAddress
	for _, p := range s.cfg.Public {
		host, port, err := splitPublic(p)
		if err != nil { // refused by Validate
			continue
		}
		ips := []netip.Addr{}
		if ip, err := netip.ParseAddr(host); err == nil {
			ips = append(ips, ip)
		} else if ips, err = net.DefaultResolver.LookupNetIP(ctx, "ip", host); err != nil {
			s.log.Warn("a public address cannot be looked up; publishers are not told of it", "address", p, "error", err)
		}
		for _, ip := range ips {
			all = append(all, publicAddress{ip.Unmap(), port})
		}
	}
	return all
}

type publicAddress struct {
	ip   netip.Addr
	port int // 0: the sockets' own
}

// advertise writes the public addresses into the first section of an answer, whose transport all sections share. only
// takes the others out.
func advertise(answer *sdp.SessionDescription, public []publicAddress, only bool, t *transport) {
	if only {
		for _, m := range answer.MediaDescriptions {
			m.Attributes = withoutCandidates(m.Attributes)
		}
	}
	if len(answer.MediaDescriptions) == 0 || len(public) == 0 {
		return
	}
	m := answer.MediaDescriptions[0]
	var lines []sdp.Attribute
	for i, p := range public {
		udp, tcp := p.port, p.port
		if p.port == 0 {
			udp, tcp = t.udpPort, t.tcpPort
		}
		lines = append(lines, sdp.NewAttribute("candidate", fmt.Sprintf("pub%du 1 udp %d %s %d typ host", i, publicUDPPriority-i, p.ip, udp)))
		if t.tcp != nil {
			lines = append(lines, sdp.NewAttribute("candidate", fmt.Sprintf("pub%dt 1 tcp %d %s %d typ host tcptype passive", i, publicTCPPriority-i, p.ip, tcp)))
		}
	}
	m.Attributes = append(lines[:len(lines):len(lines)], m.Attributes...)
}

func withoutCandidates(attributes []sdp.Attribute) []sdp.Attribute {
	var out []sdp.Attribute
	for _, a := range attributes {
		if a.Key != "candidate" {
			out = append(out, a)
		}
	}
	return out
}
