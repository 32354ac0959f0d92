package certs

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// names are what a server is called: sorted, each once.
type names struct {
	host      string // how people call it
	hosts     []string
	addresses []netip.Addr
}

// maxAddresses keeps the certificate of a machine with very many addresses within what a handshake can carry.
const maxAddresses = 64

// machine knows how the computer is called.
type machine interface {
	hostname() string
	addresses() []netip.Addr
}

// thisMachine is the computer this runs on.
type thisMachine struct{}

func (thisMachine) hostname() string {
	h, err := os.Hostname()
	if err != nil {
		return ""
	}
	return h
}

func (thisMachine) addresses() (list []netip.Addr) {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range found {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, p.Addr())
		}
	}
	return list
}

// namesOf gathers what m is called and what the operator calls it.
func namesOf(m machine, configured []string) names {
	n := names{host: "localhost", hosts: []string{"localhost"}, addresses: []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}}
	if h := strings.ToLower(m.hostname()); validHost(h) {
		n.host = h
		n.hosts = append(n.hosts, h)
		if !strings.Contains(h, ".") { // as multicast DNS announces it (RFC 6762)
			n.hosts = append(n.hosts, h+".local")
		}
	}
	for _, c := range configured {
		if addr, err := netip.ParseAddr(c); err == nil {
			n.addresses = append(n.addresses, addr.Unmap().WithZone(""))
		} else {
			n.hosts = append(n.hosts, strings.ToLower(c))
		}
	}
	for _, addr := range m.addresses() {
		addr = addr.Unmap()
		if len(n.addresses) < maxAddresses && addr.IsValid() && addr.Zone() == "" && (!addr.Is6() || !addr.IsLinkLocalUnicast()) { // those need a zone, which no URL carries
			n.addresses = append(n.addresses, addr)
		}
	}
	slices.Sort(n.hosts)
	n.hosts = slices.Compact(n.hosts)
	slices.SortFunc(n.addresses, netip.Addr.Compare)
	n.addresses = slices.Compact(n.addresses)
	return n
}

func (n names) equal(o names) bool {
	return n.host == o.host && slices.Equal(n.hosts, o.hosts) && slices.Equal(n.addresses, o.addresses)
}
