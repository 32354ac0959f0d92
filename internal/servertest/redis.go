package servertest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis is a Redis of one test. It keeps nothing on disk: what it held is gone when it is killed.
type Redis struct {
	t      testing.TB
	dir    string
	who    *syscall.Credential
	args   []string
	server *daemon
	addr   string // of a cluster's node
}

// StartRedis starts a Redis that ends with its test.
func StartRedis(t testing.TB) *Redis {
	t.Helper()
	r := newRedis(t)
	r.args = []string{"--port", "0", "--unixsocket", r.socket(), "--save", "", "--appendonly", "no"}
	r.Start()
	return r
}

// StartRedisCluster starts a Redis Cluster of one node, which refuses whatever a larger one would refuse: above all, commands
// whose keys do not belong together.
func StartRedisCluster(t testing.TB) *Redis {
	t.Helper()
	r := newRedis(t)
	port, bus := freePort(t), freePort(t)
	r.addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	r.args = []string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--cluster-port", strconv.Itoa(bus), "--cluster-enabled", "yes",
		"--cluster-config-file", filepath.Join(r.dir, "nodes.conf"), "--unixsocket", r.socket(), "--save", "", "--appendonly", "no",
	}
	r.Start()
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: r.socket()})
	defer c.Close() //nolint:errcheck // a probe
	if err := c.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	r.await(func(ctx context.Context) bool { return c.Set(ctx, "up", 1, time.Millisecond).Err() == nil })
	return r
}

func newRedis(t testing.TB) *Redis {
	t.Helper()
	skipShort(t)
	who, err := unprivileged()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := folder(who)
	if err != nil {
		t.Fatal(err)
	}
	r := &Redis{t: t, dir: dir, who: who}
	t.Cleanup(func() {
		r.Kill()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return r
}

// URL is where clients find it.
func (r *Redis) URL() string { return "unix://" + r.socket() }

// Addr is the address of the cluster's node.
func (r *Redis) Addr() string { return r.addr }

// Start starts it again, empty, after Kill.
func (r *Redis) Start() {
	r.t.Helper()
	path, err := program("redis-server", "/usr/local/bin/redis-server")
	if err != nil {
		r.t.Fatal(err)
	}
	if r.server, err = start(r.who, r.dir, "KILL", "", path, r.args...); err != nil {
		r.t.Fatal(err)
	}
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: r.socket(), MaxRetries: -1})
	defer c.Close() //nolint:errcheck // a probe
	r.await(func(ctx context.Context) bool { return c.Ping(ctx).Err() == nil })
}

// Kill ends it as a crash would.
func (r *Redis) Kill() {
	if r.server != nil {
		r.server.stop()
		r.server = nil
		_ = os.Remove(r.socket())
	}
}

func (r *Redis) socket() string { return filepath.Join(r.dir, "redis.sock") }

func (r *Redis) await(answers func(context.Context) bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for !answers(ctx) {
		select {
		case <-ctx.Done():
			r.t.Fatalf("Redis does not start:\n%s", r.server.printed())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
