package configs

import (
	"net"
	"strings"
)

func (c *Config) validateStorage(check func(ok bool, key, format string, args ...any)) {
	d := string(c.Database.URL)
	check(d == "" || strings.HasPrefix(d, "postgres://") || strings.HasPrefix(d, "postgresql://"), "database.url",
		"must be empty for SQLite or like postgres://user:password@host:5432/name, got %v", c.Database.URL)
	r := string(c.Redis.URL)
	scheme, _, _ := strings.Cut(r, "://")
	check(r == "" || scheme == "redis" || scheme == "rediss" || scheme == "unix", "redis.url",
		"must be like redis://user:password@host:6379/0, rediss:// or unix:///path, got %v", c.Redis.URL)
	check(r == "" || len(c.Redis.Addrs) == 0, "redis.addrs", "cannot stand beside redis.url")
	check(c.Redis.Master == "" || len(c.Redis.Addrs) > 0, "redis.master", "needs redis.addrs, those of the sentinels")
	for _, addr := range c.Redis.Addrs {
		_, _, err := net.SplitHostPort(addr)
		check(err == nil, "redis.addrs", "must be like 10.0.0.1:6379, got %q", addr)
	}
	check(!strings.ContainsAny(c.Redis.Prefix, "{} \n"), "redis.prefix", "must hold neither braces nor blanks")
}
