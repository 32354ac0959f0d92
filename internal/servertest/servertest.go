// Package servertest starts real servers for tests: PostgreSQL and Redis, on unix sockets in temporary folders, with
// nothing that survives the test process, however that ends.
package servertest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// keeper runs a server until its own standard input ends: when the test says so, or when the test process dies. Then it
// sends the signal and takes the folder away, if it is given one.
const keeper = `signal=$1 folder=$2; shift 2; "$@" & pid=$!; cat >/dev/null
kill -s "$signal" $pid 2>/dev/null; wait $pid; [ -z "$folder" ] || rm -rf "$folder"`

// daemon is a running server.
type daemon struct {
	cmd   *exec.Cmd
	stdin io.Closer
	log   string
}

// start runs a server in dir that signal ends. trash is a folder to remove after it, or empty.
func start(who *syscall.Credential, dir, signal, trash, program string, args ...string) (*daemon, error) {
	d := &daemon{log: filepath.Join(dir, "log")}
	out, err := os.OpenFile(d.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	in, stdin, err := os.Pipe() // rather than StdinPipe, which Wait closes
	if err != nil {
		return nil, err
	}
	defer in.Close()
	d.cmd = exec.Command("/bin/sh", append([]string{"-c", keeper, "keeper", signal, trash, program}, args...)...) //nolint:noctx // it ends with its standard input
	d.cmd.Dir, d.cmd.Stdin, d.cmd.Stdout, d.cmd.Stderr, d.stdin = dir, in, out, out, stdin
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: who} // Ctrl-C is for the tests
	if err := d.cmd.Start(); err != nil {
		return nil, errors.Join(err, stdin.Close())
	}
	return d, nil
}

// stop ends the server and waits for it.
func (d *daemon) stop() {
	_ = d.stdin.Close()
	_ = d.cmd.Wait() // says how the server took the signal, which is no news
}

func (d *daemon) printed() string {
	b, _ := os.ReadFile(d.log)
	return string(b)
}

// folder makes a temporary folder that the servers' user may use and whose path is short enough for a socket in it.
func folder(who *syscall.Credential) (string, error) {
	dir, err := os.MkdirTemp("/tmp", "vitrine-test-")
	if err != nil || who == nil {
		return dir, err
	}
	return dir, os.Chown(dir, int(who.Uid), int(who.Gid))
}

// unprivileged names a user for servers that refuse to run as root; nil: the tests' own user will do.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(uidErr, gidErr)
	}
	return nil, errors.New("there is neither a user postgres nor nobody to run servers as")
}

// program finds a server's program in PATH or among the patterns, the newest version first.
func program(name string, patterns ...string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, pattern := range patterns {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", fmt.Errorf("%s is not installed: run `make test` once, which installs what the tests need", name)
}

func skipShort(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a server")
	}
}
