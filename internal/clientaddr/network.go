package clientaddr

import "net/netip"

// Network is what counts as one client where clients are limited: an IPv4 address, or the /64 network that one IPv6 site
// is given. It is the zero Prefix, which is not valid, for the zero Addr.
func Network(a netip.Addr) netip.Prefix {
	if !a.IsValid() {
		return netip.Prefix{}
	}
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(a, bits).Masked()
}
