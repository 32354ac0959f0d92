package configs

import "slices"

// TLS configures HTTPS and RTMPS.
type TLS struct {
	Mode      string   `yaml:"mode"`
	Addr      string   `yaml:"addr"`
	RTMPSAddr string   `yaml:"rtmps_addr"`
	Cert      string   `yaml:"cert"`
	Key       string   `yaml:"key"`
	Domains   []string `yaml:"domains"`
	Email     string   `yaml:"email"`
	CA        string   `yaml:"ca"`
	CARoots   string   `yaml:"ca_roots"`
}

// On reports whether the server speaks TLS.
func (t *TLS) On() bool { return t.Mode != "off" }

func defaultTLS() TLS { return TLS{Mode: "off", Addr: ":8443", RTMPSAddr: ":1936"} }

func (t *TLS) validate(check func(ok bool, key, format string, args ...any)) {
	check(slices.Contains([]string{"off", "files", "acme", "local"}, t.Mode), "tls.mode", "must be off, files, acme or local, got %q", t.Mode)
	check(validAddr(t.Addr), "tls.addr", "must be an address like :8443 or 127.0.0.1:8443, got %q", t.Addr)
	check(t.RTMPSAddr == "" || validAddr(t.RTMPSAddr), "tls.rtmps_addr", "must be empty, or an address like :1936 or 127.0.0.1:1936, got %q", t.RTMPSAddr)
	check(t.Mode != "files" || t.Cert != "" && t.Key != "", "tls.cert", "mode files needs tls.cert and tls.key, PEM files")
	check(t.Mode != "acme" || len(t.Domains) > 0, "tls.domains", "mode acme needs the domains under which this server is reached")
}
