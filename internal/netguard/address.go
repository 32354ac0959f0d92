package netguard

import "net/netip"

// reserved are the networks beyond those that netip tells of which are not the public internet (IANA's special-purpose
// address registries, RFC 6890).
var reserved = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "240.0.0.0/4", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10",
)

// carriers are IPv6 networks whose addresses hold an IPv4 address, which is what counts, at a byte offset.
var carriers = []struct {
	netip.Prefix
	at int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // RFC 6052
	{netip.MustParsePrefix("2002::/16"), 2},     // RFC 3056
	{netip.MustParsePrefix("::/96"), 12},        // RFC 4291, 2.5.5.1
}

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// Public reports whether an address belongs to the public internet: not to this machine, its network, a carrier's inner
// network, a multicast group or a range kept for other ends, however it is written.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	for _, c := range carriers {
		if c.Contains(a) {
			b := a.As16()
			return Public(netip.AddrFrom4([4]byte(b[c.at : c.at+4])))
		}
	}
	return true
}
