package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// checkTLS looks at what HTTPS and RTMPS need.
func checkTLS(ctx context.Context, c configs.Config, now time.Time) (found []finding) {
	t := c.TLS
	f := finding{name: "TLS"}
	if !t.On() {
		f.text = "off"
		if strings.HasPrefix(c.HTTP.PublicURL, "https://") {
			f.text = "off here, in front of this server by http.public_url"
			return []finding{f}
		}
		f.verdict, f.hint = worth, "phones publish from secure pages alone: set tls.mode (local, acme or files), or put a proxy with TLS in front"
		return []finding{f}
	}
	cfg := certificateConfig(c)
	cfg.Dir = "tls" // the folder is looked at with the data folder
	if err := cfg.Validate(); err != nil {
		f.verdict, f.text, f.hint = bad, errs.MessageOf(err), "see the section tls of `vitrine config show`"
		return []finding{f}
	}
	switch t.Mode {
	case "files":
		f = checkCertificate(t.Cert, t.Key, now)
	case "acme":
		f = checkDomains(ctx, t.Domains)
	default:
		f.text = "a private authority; devices learn to trust it on the page /trust"
	}
	found = append(found, f, checkPort("HTTPS port", "tls.addr", t.Addr))
	if t.RTMPSAddr != "" {
		found = append(found, checkPort("RTMPS port", "tls.rtmps_addr", t.RTMPSAddr))
	}
	return found
}

// checkCertificate looks at the files of mode files.
func checkCertificate(cert, key string, now time.Time) finding {
	f := finding{name: "TLS", hint: "renew it; the server reads changed files by itself"}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		f.verdict, f.text, f.hint = bad, err.Error(), "set tls.cert and tls.key to PEM files that belong together"
		return f
	}
	left := pair.Leaf.NotAfter.Sub(now)
	f.text = fmt.Sprintf("a certificate for %s until %s", strings.Join(pair.Leaf.DNSNames, ", "), pair.Leaf.NotAfter.Format(time.DateOnly))
	switch {
	case left <= 0:
		f.verdict = bad
	case left < 10*24*time.Hour:
		f.verdict = worth
	}
	return f
}

// checkDomains looks whether the names of mode acme lead anywhere.
func checkDomains(ctx context.Context, domains []string) finding {
	f := finding{name: "TLS", hint: "let the domain's A or AAAA record lead to this machine, ports 80 and 443 to http.addr and tls.addr"}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var told []string
	for _, d := range domains {
		addrs, err := net.DefaultResolver.LookupHost(ctx, d)
		if err != nil {
			f.verdict, f.text = bad, err.Error()
			return f
		}
		told = append(told, d+" is at "+strings.Join(addrs, ", "))
	}
	f.text = strings.Join(told, "; ")
	return f
}
