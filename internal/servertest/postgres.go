package servertest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// cluster is the PostgreSQL of this test process, which is started when a test first asks for it.
var cluster postgres

type postgres struct {
	mu        sync.Mutex
	tried     bool
	err       error
	server    *daemon // runs until this process ends
	dir       string
	templates map[string]string // database by the name of what prepared it
	databases int
}

// Postgres returns the URL of a fresh database that prepare has filled, which goes with its test. prepare runs once for
// each name: the databases after the first are copies of it. prepare must leave no connection open.
//
// The server sorts by bytes, as SQLite does, and forgets its data when the test process ends.
func Postgres(t testing.TB, name string, prepare func(ctx context.Context, url string) error) string {
	t.Helper()
	skipShort(t)
	cluster.mu.Lock()
	defer cluster.mu.Unlock()
	if !cluster.tried {
		cluster.tried, cluster.err = true, cluster.start()
	}
	if cluster.err != nil {
		t.Fatal(cluster.err)
	}
	template, err := cluster.template(t.Context(), name, prepare)
	if err != nil {
		t.Fatal(err)
	}
	database, err := cluster.create(t.Context(), template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.exec(context.Background(), "DROP DATABASE "+database+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return cluster.url(database)
}

// settings trade the safety of the data, which no test outlives, for speed.
var settings = []string{
	"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "listen_addresses=", "-c", "max_connections=300", "-c", "shared_buffers=64MB",
	"-c", "autovacuum=off", "-c", "log_min_messages=warning", "-c", "max_wal_size=4GB", "-c", "deadlock_timeout=100ms",
}

func (p *postgres) start() error {
	initdb, err := program("initdb", "/usr/lib/postgresql/*/bin/initdb", "/usr/local/pgsql/bin/initdb")
	if err != nil {
		return err
	}
	who, err := unprivileged()
	if err != nil {
		return err
	}
	if p.dir, err = folder(who); err != nil {
		return err
	}
	data := filepath.Join(p.dir, "data")
	cmd := exec.Command(initdb, "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions") //nolint:noctx // takes a second, once
	cmd.Dir, cmd.SysProcAttr = p.dir, &syscall.SysProcAttr{Credential: who}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	args := append([]string{"-D", data, "-k", p.dir}, settings...)
	if p.server, err = start(who, p.dir, "INT", p.dir, filepath.Join(filepath.Dir(initdb), "postgres"), args...); err != nil {
		return err
	}
	return p.await()
}

// await tries until the server answers.
func (p *postgres) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		err := p.exec(ctx, "SELECT 1")
		if err == nil {
			p.templates = map[string]string{}
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not start: %w\n%s", err, p.server.printed())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *postgres) template(ctx context.Context, name string, prepare func(context.Context, string) error) (string, error) {
	if made, ok := p.templates[name]; ok {
		return made, nil
	}
	database, err := p.create(ctx, "template0")
	if err != nil {
		return "", err
	}
	if err := prepare(ctx, p.url(database)); err != nil {
		return "", fmt.Errorf("preparing the database for %s: %w", name, err)
	}
	p.templates[name] = database
	return database, nil
}

// create makes a database as a copy of another.
func (p *postgres) create(ctx context.Context, template string) (name string, err error) {
	p.databases++
	name = fmt.Sprintf("test%d", p.databases)
	return name, p.exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template)
}

func (p *postgres) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, p.url("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

func (p *postgres) url(database string) string {
	return "postgres:///" + database + "?user=postgres&host=" + url.QueryEscape(p.dir)
}
